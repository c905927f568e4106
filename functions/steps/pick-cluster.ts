import { createHash } from "node:crypto";
import * as z from "zod";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
import { type ClusterName, ExecutionArn } from "../domain/ids.ts";
import { FleetRun, fleetMax } from "../domain/rebuild.ts";
import { refusalOf } from "../domain/request-problems.ts";
import { QuotaError } from "../errors.ts";
import { defineStep } from "../step.ts";

/** The next cluster, by name, that is ready and whose request lists the trigger. What was built or destroyed meanwhile is seen. */
export const pickCluster = defineStep({
  name: "pick-cluster",
  mutates: false,
  input: z.strictObject({ input: z.json(), execution: ExecutionArn }),
  output: FleetRun,
  deps: (aws) => ({ records: s3Records(aws) }),
  async run({ input, execution }, { records }: { records: RecordsPort }, log) {
    const parsed = FleetRun.safeParse(input);
    if (!parsed.success) throw refusalOf(parsed.error);
    const { trigger, cluster: last, count } = parsed.data;
    const names = [...(await records.names())].sort().filter((name) => last === null || name > last);
    for (const name of names) {
      if (!(await isFor(records, name, trigger))) continue;
      if (count === fleetMax)
        throw new QuotaError(`${fleetMax} clusters were rebuilt by "${trigger}", and one run takes no more: ${name} is the next`);
      log.info("cluster picked", { cluster: name, trigger, count });
      const run = createHash("sha256").update(execution).digest("hex").slice(0, 40);
      return { trigger, cluster: name, rebuild: `${name}-fleet-${run}`, count: count + 1 };
    }
    return { trigger, cluster: null, rebuild: null, count };
  },
});

async function isFor(records: RecordsPort, name: ClusterName, trigger: FleetRun["trigger"]): Promise<boolean> {
  const record = (await records.read(name))?.value;
  const asked = record?.generations[String(record.current)]?.asked;
  // A request that cannot be read any more lists nothing.
  return ClusterRequest.safeParse(asked).data?.rebuild.on.includes(trigger) === true;
}

export const { handler } = pickCluster;
