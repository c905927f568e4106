import * as z from "zod";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
import { ExecutionArn } from "../domain/ids.ts";
import { Lock, Parent } from "../domain/lock.ts";
import { defineStep } from "../step.ts";

/** Enters the execution in the cluster's record and allots the generation. Re-entrant: asked again, it gives the same answer. */
export const acquireLock = defineStep({
  name: "acquire-lock",
  // It takes the lock that the fence compares, so it has no fence itself; what it writes is guarded by compare-and-swap.
  mutates: false,
  input: z.strictObject({
    asked: z.record(z.string(), z.json()),
    request: ClusterRequest,
    parent: Parent.nullable(),
    execution: ExecutionArn,
  }),
  output: Lock,
  deps: (aws) => ({ records: s3Records(aws) }),
  async run({ asked, request, parent, execution }, { records }: { records: RecordsPort }, log) {
    const lock = await records.change<"acquire">(request.name, execution, {
      kind: "acquire",
      name: request.name,
      asked,
      request,
      parent,
    });
    log.info("lock taken", { cluster: lock.cluster, generation: lock.generation, number: lock.number, origin: lock.origin });
    return lock;
  },
});

export const { handler } = acquireLock;
