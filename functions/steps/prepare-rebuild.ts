import * as z from "zod";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { ClusterName, ExecutionArn } from "../domain/ids.ts";
import { RebuildInput, Trigger } from "../domain/rebuild.ts";
import { refusalOf } from "../domain/request-problems.ts";
import { InvalidRequestError } from "../errors.ts";
import { defineStep } from "../step.ts";

/** Finds the request that a rebuild starts from: its own, or what was asked for the current generation. Changes nothing. */
export const prepareRebuild = defineStep({
  name: "prepare-rebuild",
  mutates: false,
  input: z.strictObject({ input: z.json(), execution: ExecutionArn }),
  output: z.strictObject({
    name: ClusterName,
    /** Null: the current generation's, which is read again in the write that takes the lock. */
    given: z.record(z.string(), z.json()).nullable(),
    asked: z.record(z.string(), z.json()),
    trigger: Trigger,
  }),
  deps: (aws) => ({ records: s3Records(aws) }),
  async run({ input }, { records }: { records: RecordsPort }) {
    const parsed = RebuildInput.safeParse(input);
    if (!parsed.success) throw refusalOf(parsed.error);
    const { name, request: given, trigger } = parsed.data;
    const record = (await records.read(name))?.value;
    const asked = given ?? record?.generations[String(record.current)]?.asked;
    if (asked === undefined || asked === null) {
      throw new InvalidRequestError(`${name} is not ready and no request was given: there is nothing to rebuild`);
    }
    return { name, given, asked, trigger };
  },
});

export const { handler } = prepareRebuild;
