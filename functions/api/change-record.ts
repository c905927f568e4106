import * as z from "zod";
import { s3Records } from "../aws/s3-records.ts";
import { nobody } from "../domain/cluster-record.ts";
import { ClusterName, Generation } from "../domain/ids.ts";
import { refusalOf } from "../domain/request-problems.ts";
import { defineLambda } from "../lambda.ts";

const ChangeInput = z.strictObject({
  name: ClusterName,
  change: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.enum(["promote", "rollback", "protect", "unprotect"]) }),
    z.strictObject({ kind: z.literal("extend"), generation: Generation, hours: z.int().min(1).max(720) }),
  ]),
});

/** What a person changes in a cluster's record: one swap, refused while a chain of executions works on the name (lifecycle 6). */
export const changeRecord = defineLambda({
  name: "change-record",
  async run(event, aws, _, log) {
    const parsed = ChangeInput.safeParse(event);
    if (!parsed.success) throw refusalOf(parsed.error);
    const { name, change } = parsed.data;
    await s3Records(aws).change<"change">(name, nobody, { kind: "change", name, change });
    log.info("record changed by a person", { cluster: name, ...change });
    return {};
  },
});

export const { handler } = changeRecord;
