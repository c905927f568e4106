import * as z from "zod";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { ClusterName, ExecutionArn, Generation } from "../domain/ids.ts";
import { Hold } from "../domain/lock.ts";
import { Trigger } from "../domain/rebuild.ts";
import { defineStep } from "../step.ts";

/** Enters the rebuild in the cluster's record and allots the next generation. Re-entrant: asked again, it gives the same answer. */
export const acquireRebuildLock = defineStep({
  name: "acquire-rebuild-lock",
  // It takes the lock that the fence compares, so it has no fence itself; what it writes is guarded by compare-and-swap.
  mutates: false,
  input: z.strictObject({
    name: ClusterName,
    given: z.record(z.string(), z.json()).nullable(),
    trigger: Trigger,
    execution: ExecutionArn,
  }),
  output: z.strictObject({
    lock: Hold,
    generation: Generation,
    previous: Generation.nullable(),
    /** The generation that goes before the next is built, under strategy "replace"; otherwise null. */
    replaced: Generation.nullable(),
    asked: z.record(z.string(), z.json()),
    graceHours: z.int().min(0).max(720),
  }),
  deps: (aws) => ({ records: s3Records(aws) }),
  async run({ name, given, trigger, execution }, { records }: { records: RecordsPort }, log) {
    const intent = { kind: "rebuild", name, asked: given, parent: null, trigger } as const;
    const { hold, strategy, ...answer } = await records.change<"rebuild">(name, execution, intent);
    log.info("lock taken", { cluster: name, generation: answer.generation, number: hold.number, strategy });
    return { ...answer, lock: hold, replaced: strategy === "replace" ? answer.previous : null };
  },
});

export const { handler } = acquireRebuildLock;
