import type { Deployment } from "../aws/aws.ts";
import { type Bundle, calicoProblems, bundleProblems as lacking } from "./bundle.ts";
import type { ClusterRequest } from "./cluster-request.ts";
import { ImageId } from "./ids.ts";
import { planControlPlanes, planZones } from "./network-plan.ts";
import type { Plan } from "./plan.ts";
import type { Problem } from "./problem.ts";
import { atLeast, supportedVersions, versionRow } from "./versions.ts";

/** Interface endpoints every cluster needs (facts 2.8); S3 has a gateway. Never ec2messages: AWS retired it. */
export const interfaceEndpoints = ["ec2", "elasticloadbalancing", "ssm", "ssmmessages"] as const;

/** The first agent that hands parameters over as environment variables (facts 8.6). */
const agentMin = "3.3.2746.0";

export interface ImageFacts {
  readonly id: string;
  readonly owner: string;
  readonly architecture: string;
  readonly state: string;
  readonly rootDeviceName: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface BundleFacts {
  readonly address: string;
  readonly content: Bundle;
  readonly sha256: string;
}

/** Why there is nothing to look at. */
export interface Unseen {
  readonly problem: string;
}

/** What a look at the account found, for one request. */
export interface AccountFacts {
  readonly zones: readonly string[];
  readonly image: ImageFacts | Unseen;
  readonly bundle: BundleFacts | Unseen;
  /** The text of the bundle's Calico manifest, where the request wants Calico and the bundle has one. */
  readonly calicoManifest: string | null;
  readonly instanceTypes: ReadonlyMap<string, { readonly architectures: readonly string[]; readonly vcpus: number }>;
  readonly offerings: ReadonlyMap<string, ReadonlySet<string>>;
  readonly endpointZones: ReadonlyMap<string, ReadonlySet<string>>;
  readonly usage: { readonly vpcs: number; readonly vcpus: number };
  /** A quota the account does not show is null and is not judged. */
  readonly quotas: { readonly vpcs: number | null; readonly vcpus: number | null; readonly endpointsPerVpc: number | null };
}

/** Whose images may be launched. */
interface ImageTrust {
  readonly account: string;
  readonly trustedImageOwners: readonly string[];
}

const architectureOf = (awsName: string): "amd64" | "arm64" => (awsName === "arm64" ? "arm64" : "amd64");
const sizes = ["controlPlane", "workers"] as const;

function imageProblems(request: ClusterRequest, facts: AccountFacts, deployment: ImageTrust): Problem[] {
  const path = "images.ami";
  const { image } = facts;
  if ("problem" in image) return [{ path, problem: image.problem }];
  const problems: Problem[] = [];
  const refuse = (problem: string) => problems.push({ path, problem: `${image.id} ${problem}` });
  if (image.state !== "available") refuse(`is ${image.state}`);
  if (image.owner !== deployment.account && !deployment.trustedImageOwners.includes(image.owner)) {
    refuse(`belongs to ${image.owner}, which is neither this account nor a trusted one`);
  }
  const { "cloister:kubernetes": kubernetes, "cloister:containerd": containerd, "cloister:agent": agent } = image.tags;
  if (kubernetes !== request.kubernetesVersion)
    refuse(`is built for Kubernetes ${kubernetes ?? "(no tag cloister:kubernetes)"}, not ${request.kubernetesVersion}`);
  const containerdMin = supportedVersions().includes(request.kubernetesVersion)
    ? versionRow(request.kubernetesVersion).containerdMin
    : "2.0.0";
  if (containerd === undefined || !atLeast(containerd, containerdMin)) {
    refuse(`has containerd ${containerd ?? "(no tag cloister:containerd)"}; ${containerdMin} or later is needed`);
  }
  if (agent === undefined || !atLeast(agent, agentMin))
    refuse(`has SSM agent ${agent ?? "(no tag cloister:agent)"}; ${agentMin} or later is needed`);
  for (const size of sizes) {
    const type = facts.instanceTypes.get(request[size].instanceType);
    if (type !== undefined && !type.architectures.includes(image.architecture)) {
      refuse(
        `is ${image.architecture}, ${size}.instanceType ${request[size].instanceType} is ${type.architectures.join(" or ")}`,
      );
    }
  }
  return problems;
}

function bundleProblems(request: ClusterRequest, facts: AccountFacts): Problem[] {
  const path = "images.bundle";
  if ("problem" in facts.bundle) return [{ path, problem: facts.bundle.problem }];
  const arch = "problem" in facts.image ? facts.bundle.content.arch : architectureOf(facts.image.architecture);
  const wanted = { kubernetes: request.kubernetesVersion, arch, cni: request.cni, storage: request.storage.driver };
  const known = supportedVersions().includes(request.kubernetesVersion);
  const missing = known ? lacking(facts.bundle.content, wanted) : [];
  const calico = request.cni === "calico" && facts.calicoManifest !== null ? calicoProblems(facts.calicoManifest) : [];
  return [...missing, ...calico].map((problem) => ({ path, problem }));
}

/** Zones in which everything can stand: both instance types and every endpoint. */
function usableZones(request: ClusterRequest, facts: AccountFacts): string[] {
  const offers = (zone: string) => sizes.every((size) => facts.offerings.get(request[size].instanceType)?.has(zone) === true);
  const connects = (zone: string) => interfaceEndpoints.every((service) => facts.endpointZones.get(service)?.has(zone) === true);
  return facts.zones.filter((zone) => offers(zone) && connects(zone));
}

function placeProblems(request: ClusterRequest, facts: AccountFacts): Problem[] {
  const problems: Problem[] = [];
  for (const size of sizes) {
    const { instanceType } = request[size];
    if (!facts.instanceTypes.has(instanceType))
      problems.push({ path: `${size}.instanceType`, problem: `${instanceType} does not exist in this Region` });
  }
  for (const service of interfaceEndpoints) {
    if (!facts.endpointZones.has(service))
      problems.push({ path: "network", problem: `this Region has no interface endpoint for ${service}` });
  }
  const zones = usableZones(request, facts);
  if (problems.length === 0 && zones.length < request.network.zones) {
    const types = [...new Set(sizes.map((size) => request[size].instanceType))].join(" and ");
    const found = zones.length === 0 ? "none does" : `only ${zones.join(", ")} ${zones.length === 1 ? "does" : "do"}`;
    problems.push({
      path: "network.zones",
      problem: `${request.network.zones} zones must offer ${types} and every endpoint; ${found}`,
    });
  }
  return problems;
}

function quotaProblems(request: ClusterRequest, facts: AccountFacts): Problem[] {
  const problems: Problem[] = [];
  const { vpcs, vcpus, endpointsPerVpc } = facts.quotas;
  if (vpcs !== null && facts.usage.vpcs + 1 > vpcs) {
    problems.push({
      path: "network",
      problem: `the account has ${facts.usage.vpcs} of ${vpcs} VPCs (quota L-F678F1CE): no room for another`,
    });
  }
  const wanted = sizes.reduce(
    (sum, size) => sum + request[size].count * (facts.instanceTypes.get(request[size].instanceType)?.vcpus ?? 0),
    0,
  );
  if (vcpus !== null && facts.usage.vcpus + wanted > vcpus) {
    const problem = `the nodes need ${wanted} vCPUs; ${facts.usage.vcpus} of ${vcpus} are in use (quota L-1216C47A)`;
    problems.push({ path: "workers.count", problem });
  }
  if (endpointsPerVpc !== null && interfaceEndpoints.length > endpointsPerVpc) {
    problems.push({
      path: "network",
      problem: `${interfaceEndpoints.length} interface endpoints are needed, the quota L-29B6F2EB is ${endpointsPerVpc}`,
    });
  }
  return problems;
}

/** Everything in the account that stands against the request. */
export const accountProblems = (request: ClusterRequest, facts: AccountFacts, deployment: ImageTrust): Problem[] => [
  ...imageProblems(request, facts, deployment),
  ...bundleProblems(request, facts),
  ...placeProblems(request, facts),
  ...quotaProblems(request, facts),
];

/** The plan of a request against which nothing stands. */
export function planCluster(request: ClusterRequest, facts: AccountFacts, deployment: Deployment): Plan {
  if ("problem" in facts.image || "problem" in facts.bundle) throw new RangeError("a faulty request has no plan");
  const zones = planZones(request, usableZones(request, facts).slice(0, request.network.zones));
  const controlPlanes = planControlPlanes(request, zones, deployment.region);
  const [first] = controlPlanes;
  const { bucket, key } = parseS3Address(facts.bundle.address);
  return {
    region: deployment.region,
    account: deployment.account,
    vpcCidr: request.network.vpcCidr,
    zones,
    controlPlanes,
    apiEndpoint: controlPlanes.length === 1 && first !== undefined ? `${first.nodeName}:6443` : null,
    interfaceEndpoints: [...interfaceEndpoints],
    image: {
      id: ImageId.parse(facts.image.id),
      architecture: architectureOf(facts.image.architecture),
      rootDeviceName: facts.image.rootDeviceName,
    },
    bundle: { bucket, key, sha256: facts.bundle.sha256 },
  };
}

/** `s3://bucket/some/prefix/bundle.json` in its parts. */
export function parseS3Address(address: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]+)\/(.+)$/.exec(address) ?? [];
  return { bucket, key };
}
