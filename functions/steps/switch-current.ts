import * as z from "zod";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { Generation } from "../domain/ids.ts";
import { Hold } from "../domain/lock.ts";
import { defineStep } from "../step.ts";

/** The proved generation becomes the current one, and the one before it is retired for its grace. Only ever to a proved one. */
export const switchCurrent = defineStep({
  name: "switch-current",
  mutates: true,
  input: z.strictObject({
    lock: Hold,
    generation: Generation,
    previous: Generation.nullable(),
    graceHours: z.int().min(0).max(720),
  }),
  output: z.strictObject({}),
  deps: (aws) => ({ records: s3Records(aws) }),
  async run({ lock, generation, previous, graceHours }, { records }: { records: RecordsPort }, log) {
    const intent = { kind: "switch", hold: lock, generation, previous, graceHours } as const;
    await records.change<"switch">(lock.cluster, lock.execution, intent);
    log.info("current switched", { cluster: lock.cluster, generation, previous });
    return {};
  },
});

export const { handler } = switchCurrent;
