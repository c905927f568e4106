import * as z from "zod";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { Hold } from "../domain/lock.ts";
import { defineStep } from "../step.ts";

/** Takes this execution out of the record's holders. Not being one is success: an earlier attempt released. */
export const releaseLock = defineStep({
  name: "release-lock",
  // The fence would refuse the second attempt, which is to succeed; the record lets an execution remove only itself.
  mutates: false,
  input: z.strictObject({ lock: z.object(Hold.shape) }),
  output: z.strictObject({}),
  deps: (aws) => ({ records: s3Records(aws) }),
  async run({ lock }, { records }: { records: RecordsPort }) {
    await records.change<"release">(lock.cluster, lock.execution, { kind: "release", lock });
    return {};
  },
});

export const { handler } = releaseLock;
