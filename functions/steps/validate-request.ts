import { createHash } from "node:crypto";
import * as z from "zod";
import type { Deployment } from "../aws/aws.ts";
import { type ParametersPort, ssmParameters } from "../aws/parameters.ts";
import { awsPreflight, type PreflightPort } from "../aws/preflight.ts";
import { Bundle } from "../domain/bundle.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
import { ExecutionArn } from "../domain/ids.ts";
import { Parent } from "../domain/lock.ts";
import { Plan } from "../domain/plan.ts";
import { type AccountFacts, accountProblems, interfaceEndpoints, parseS3Address, planCluster } from "../domain/preflight.ts";
import { refusal } from "../domain/problem.ts";
import { readRequest, refusalOf } from "../domain/request-problems.ts";
import { together } from "../side-by-side.ts";
import { defineStep } from "../step.ts";

interface Deps {
  readonly preflight: PreflightPort;
  readonly parameters: ParametersPort;
  readonly deployment: Deployment;
}

/** Reads the request, looks at the account without changing it, names every problem at once, and plans the whole build as data. */
export const validateRequest = defineStep({
  name: "validate-request",
  mutates: false,
  input: z.strictObject({ input: z.json(), execution: ExecutionArn }),
  output: z.strictObject({
    asked: z.record(z.string(), z.json()),
    request: ClusterRequest,
    plan: Plan,
    /** The machine of ours that started this one; null for a request as it is typed. */
    parent: Parent.nullable(),
  }),
  deps: (aws): Deps => ({ preflight: awsPreflight(aws), parameters: ssmParameters(aws), deployment: aws.deployment }),
  async run({ input }, deps: Deps, log) {
    const { asked, parent } = unwrapped(input);
    const { request, problems } = readRequest(asked);
    if (request === null) throw refusal(problems);
    const facts = await look(request, deps);
    const all = [...problems, ...accountProblems(request, facts, deps.deployment)];
    if (all.length > 0) throw refusal(all);
    const plan = planCluster(request, facts, deps.deployment);
    log.info("request planned", { cluster: request.name, zones: plan.zones.length, image: plan.image.id });
    return { asked: asked as Record<string, z.core.util.JSONType>, request, plan, parent };
  },
});

/** What a machine of ours hands over; a person types the request bare (design 4). */
const FromParent = z.strictObject({
  request: z.json(),
  parent: Parent,
  /** Step Functions' own link from a child to its parent, for the console. */
  AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: z.string().max(300).optional(),
});

function unwrapped(input: z.core.util.JSONType): { readonly asked: unknown; readonly parent: Parent | null } {
  if (typeof input !== "object" || input === null || !("parent" in input)) return { asked: input, parent: null };
  const parsed = FromParent.safeParse(input);
  if (!parsed.success) throw refusalOf(parsed.error);
  return { asked: parsed.data.request, parent: parsed.data.parent };
}

type Looking = Pick<Deps, "preflight" | "parameters"> & {
  readonly deployment: Pick<Deployment, "defaultImageParameter" | "defaultBundleParameter">;
};

/** Everything that the account says for or against a request; `cloister doctor` takes the same look. */
export async function look(request: ClusterRequest, { preflight, parameters, deployment }: Looking): Promise<AccountFacts> {
  const types = [...new Set([request.controlPlane.instanceType, request.workers.instanceType])];
  const lookAtImage = async () => {
    const imageId = request.images.ami ?? (await parameters.value(deployment.defaultImageParameter));
    return { imageId, image: imageId === null ? null : await preflight.image(imageId) };
  };
  const lookAtBundle = async () => {
    const bundleAddress = request.images.bundle ?? (await parameters.value(deployment.defaultBundleParameter));
    const bundle = await readBundle(bundleAddress, preflight);
    return { bundleAddress, bundle, manifests: await readManifests(bundleAddress, bundle, request, preflight) };
  };
  const [image, bundle, zones, instanceTypes, offerings, endpointZones, usage, quotas] = await together([
    lookAtImage(),
    lookAtBundle(),
    preflight.zones(),
    preflight.instanceTypes(types),
    preflight.offerings(types),
    preflight.endpointZones(interfaceEndpoints),
    together([preflight.vpcCount(), preflight.vcpusInUse()]),
    // Quota codes from Service Quotas: VPCs per Region, Running On-Demand Standard instances, Interface VPC endpoints per VPC.
    together([preflight.quota("vpc", "L-F678F1CE"), preflight.quota("ec2", "L-1216C47A"), preflight.quota("vpc", "L-29B6F2EB")]),
  ]);
  return {
    ...image,
    ...bundle,
    zones,
    instanceTypes,
    offerings,
    endpointZones,
    usage: { vpcs: usage[0], vcpus: usage[1] },
    quotas: { vpcs: quotas[0], vcpus: quotas[1], endpointsPerVpc: quotas[2] },
  };
}

async function readBundle(address: string | null, preflight: PreflightPort): Promise<AccountFacts["bundle"]> {
  if (address === null) return { problem: "is missing" };
  const { bucket, key } = parseS3Address(address);
  const text = await preflight.object(bucket, key);
  if (text === null) return { problem: "is not found" };
  try {
    const parsed = Bundle.safeParse(JSON.parse(text));
    if (!parsed.success) return { problem: `is not a bundle: ${z.prettifyError(parsed.error)}` };
    return { content: parsed.data, sha256: createHash("sha256").update(text).digest("hex") };
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: `is not JSON: ${error.message}` };
    throw error;
  }
}

async function readManifests(
  address: string | null,
  bundle: AccountFacts["bundle"],
  { cni }: ClusterRequest,
  preflight: PreflightPort,
): Promise<AccountFacts["manifests"]> {
  if (address === null || "problem" in bundle) return new Map();
  const { bucket, key } = parseS3Address(address);
  const folder = key.slice(0, key.lastIndexOf("/") + 1);
  const wanted = bundle.content.manifests.filter(({ kind }) => kind === cni);
  return new Map(
    await together(
      wanted.map(async (manifest) => [manifest.key, await preflight.object(bucket, `${folder}${manifest.key}`)] as const),
    ),
  );
}

export const { handler } = validateRequest;
