import { createHash } from "node:crypto";
import * as z from "zod";
import type { Deployment } from "../aws/aws.ts";
import { type ParametersPort, ssmParameters } from "../aws/parameters.ts";
import { type EvidencePort, s3Evidence } from "../aws/s3-evidence.ts";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
import { type ClusterName, ExecutionArn } from "../domain/ids.ts";
import { lineOf } from "../domain/lines.ts";
import { FleetRun, fleetMax } from "../domain/rebuild.ts";
import { refusalOf } from "../domain/request-problems.ts";
import { QuotaError } from "../errors.ts";
import { defineStep } from "../step.ts";

interface Deps {
  readonly records: RecordsPort;
  readonly evidence: Pick<EvidencePort, "read">;
  readonly parameters: Pick<ParametersPort, "value">;
  readonly deployment: Pick<Deployment, "defaultImageParameter">;
}

/** The next cluster, by name, that is ready and that the trigger is for. What was built or destroyed meanwhile is seen. */
export const pickCluster = defineStep({
  name: "pick-cluster",
  mutates: false,
  input: z.strictObject({ input: z.json(), execution: ExecutionArn }),
  output: FleetRun,
  deps: (aws): Deps => ({
    records: s3Records(aws),
    evidence: s3Evidence(aws),
    parameters: ssmParameters(aws),
    deployment: aws.deployment,
  }),
  async run({ input, execution }, deps: Deps, log) {
    const parsed = FleetRun.safeParse(input);
    if (!parsed.success) throw refusalOf(parsed.error);
    const { trigger, parameter, cluster: last, count } = parsed.data;
    const image = parameter === null ? null : await deps.parameters.value(parameter);
    const names = [...(await deps.records.names())].sort().filter((name) => last === null || name > last);
    for (const name of names) {
      if (!(await isFor(name, { trigger, parameter, image }, deps))) continue;
      if (count === fleetMax)
        throw new QuotaError(`${fleetMax} clusters were rebuilt by "${trigger}", and one run takes no more: ${name} is the next`);
      log.info("cluster picked", { cluster: name, trigger, parameter, image, count });
      const run = createHash("sha256").update(execution).digest("hex").slice(0, 40);
      return { trigger, parameter, cluster: name, rebuild: `${name}-fleet-${run}`, count: count + 1 };
    }
    return { trigger, parameter, cluster: null, rebuild: null, count };
  },
});

type Change = Pick<FleetRun, "trigger" | "parameter"> & {
  /** What the line holds now, which may be newer than the event; null where it is gone again. */
  readonly image: string | null;
};

async function isFor(cluster: ClusterName, change: Change, { records, evidence, deployment }: Deps): Promise<boolean> {
  const { trigger, parameter, image } = change;
  const record = (await records.read(cluster))?.value;
  const generation = record?.current ?? null;
  if (generation === null) return false;
  // A request that cannot be read any more lists nothing.
  const request = ClusterRequest.safeParse(record?.generations[String(generation)]?.asked).data;
  if (request?.rebuild.on.includes(trigger) !== true) return false;
  if (parameter === null) return true;
  if (image === null || lineOf(request.images.ami, deployment.defaultImageParameter) !== parameter) return false;
  return !isOf(image, await evidence.read({ cluster, generation }, "certificate"));
}

/** What a certificate says of images. One from before it did says nothing, and its cluster is rebuilt once more than it had to be. */
const Certified = z.object({ images: z.array(z.string()) });

/** Whether the nodes run this image and no other: an event that comes twice, or the same value written again, rebuilds nothing. */
function isOf(image: string, certificate: unknown): boolean {
  const [first, ...others] = Certified.safeParse(certificate).data?.images ?? [];
  return first === image && others.length === 0;
}

export const { handler } = pickCluster;
