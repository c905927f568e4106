import { createHash } from "node:crypto";
import * as z from "zod";
import type { Deployment } from "../aws/aws.ts";
import { type ParametersPort, ssmParameters } from "../aws/parameters.ts";
import { awsPreflight, type PreflightPort } from "../aws/preflight.ts";
import { Bundle } from "../domain/bundle.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
import { BundleAddress, ExecutionArn, ImageId } from "../domain/ids.ts";
import { lineOf } from "../domain/lines.ts";
import { Parent } from "../domain/lock.ts";
import { Plan } from "../domain/plan.ts";
import {
  type AccountFacts,
  accountProblems,
  type BundleFacts,
  interfaceEndpoints,
  parseS3Address,
  planCluster,
  type Unseen,
} from "../domain/preflight.ts";
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
export async function look(request: ClusterRequest, looking: Looking): Promise<AccountFacts> {
  const { preflight } = looking;
  const types = [...new Set([request.controlPlane.instanceType, request.workers.instanceType])];
  const lookAtImage = async (): Promise<AccountFacts["image"]> => {
    const id = await draw("ami", request, looking);
    if (typeof id !== "string") return id;
    return (await preflight.image(id)) ?? { problem: `${id} is not found` };
  };
  const lookAtBundle = async () => {
    const address = await draw("bundle", request, looking);
    const bundle = typeof address === "string" ? await readBundle(address, preflight) : address;
    return { bundle, calicoManifest: "problem" in bundle ? null : await readCalico(bundle, preflight) };
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
    image,
    ...bundle,
    zones,
    instanceTypes,
    offerings,
    endpointZones,
    usage: { vpcs: usage[0], vcpus: usage[1] },
    quotas: { vpcs: quotas[0], vcpus: quotas[1], endpointsPerVpc: quotas[2] },
  };
}

/** What may be drawn from a line: the deployment's own for it, and what has to stand there. */
const drawable = {
  ami: { byDefault: "defaultImageParameter", form: ImageId, what: "an AMI's id" },
  bundle: { byDefault: "defaultBundleParameter", form: BundleAddress, what: "a bundle's address" },
} as const;

/** What the request chooses: what it names itself, or what its line holds now. */
async function draw(
  kind: keyof typeof drawable,
  { images }: ClusterRequest,
  { parameters, deployment }: Looking,
): Promise<string | Unseen> {
  const { byDefault, form, what } = drawable[kind];
  const line = lineOf(images[kind], deployment[byDefault]);
  const value = line === null ? images[kind] : await parameters.value(line);
  if (value === null) return { problem: `there is no parameter ${line}, which is to hold ${what}` };
  // Anybody's text, and as long as a parameter may be: it is not said again.
  return form.safeParse(value).success ? value : { problem: `the parameter ${line} does not hold ${what}` };
}

async function readBundle(address: string, preflight: PreflightPort): Promise<AccountFacts["bundle"]> {
  const { bucket, key } = parseS3Address(address);
  const text = await preflight.object(bucket, key);
  if (text === null) return { problem: `${address} is not found` };
  try {
    const parsed = Bundle.safeParse(JSON.parse(text));
    if (!parsed.success) return { problem: `${address} is not a bundle: ${z.prettifyError(parsed.error)}` };
    return { address, content: parsed.data, sha256: createHash("sha256").update(text).digest("hex") };
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: `${address} is not JSON: ${error.message}` };
    throw error;
  }
}

async function readCalico({ address, content }: BundleFacts, preflight: PreflightPort): Promise<string | null> {
  const manifest = content.manifests.find(({ kind }) => kind === "calico");
  if (manifest === undefined) return null;
  const { bucket, key } = parseS3Address(address);
  return preflight.object(bucket, `${key.slice(0, key.lastIndexOf("/") + 1)}${manifest.key}`);
}

export const { handler } = validateRequest;
