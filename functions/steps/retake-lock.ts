import * as z from "zod";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { Hold } from "../domain/lock.ts";
import { defineStep } from "../step.ts";

/** After a nested execution: drops it from the record's holders and takes a new fencing number, so that nothing it left passes for ours. */
export const retakeLock = defineStep({
  name: "retake-lock",
  // The fence compares the last holder, which is the child until this has run; the record decides (lifecycle 3.5).
  mutates: false,
  input: z.strictObject({ lock: Hold }),
  output: Hold,
  deps: (aws) => ({ records: s3Records(aws) }),
  async run({ lock }, { records }: { records: RecordsPort }, log) {
    const retaken = await records.change<"retake">(lock.cluster, lock.execution, { kind: "retake", lock });
    log.info("lock retaken", { cluster: lock.cluster, number: retaken.number });
    return retaken;
  },
});

export const { handler } = retakeLock;
