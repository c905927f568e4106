import * as z from "zod";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
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
    refuseUnwanted(name, trigger, asked);
    return { name, given, asked, trigger };
  },
});

/** What acts without a person rebuilds only clusters whose request lists it; a request that cannot be read is the next state's to refuse. */
function refuseUnwanted(name: string, trigger: Trigger, asked: unknown): void {
  if (trigger === "person" || trigger === "ticket") return;
  const on = ClusterRequest.safeParse(asked).data?.rebuild.on;
  if (on === undefined || on.includes(trigger)) return;
  throw new InvalidRequestError(`${name} is not rebuilt by "${trigger}": its request's rebuild.on does not list it`, { on });
}

export const { handler } = prepareRebuild;
