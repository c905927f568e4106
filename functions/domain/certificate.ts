import { type AccountView, type GroupRule, wayOutKinds } from "./account-view.ts";
import { contains, parseBlock } from "./cidr.ts";
import type { ClusterRequest } from "./cluster-request.ts";
import { endpointService } from "./endpoint-hosts.ts";
import { type EndpointPolicy, interfaceEndpointPolicy, s3GatewayPolicy } from "./endpoint-policies.ts";
import type { Lock } from "./lock.ts";
import type { Plan } from "./plan.ts";
import { admitsOnly, isSamePolicy } from "./policy-reading.ts";

/** What probe-isolation found on one node. */
export interface NodeProbe {
  readonly instanceId: string;
  readonly egressBlocked: boolean;
  readonly namesAnswer: boolean;
  readonly metadataTokenRequired: boolean;
  readonly concessions: readonly string[];
}

export interface Check {
  readonly name: string;
  readonly passed: boolean;
  /** What was seen: the counts when it passed, the offenders when it did not. */
  readonly evidence: string;
}

export interface Evidence {
  readonly lock: Lock;
  readonly request: ClusterRequest;
  readonly plan: Plan;
  readonly view: AccountView;
  readonly probes: readonly NodeProbe[];
  /** The generation's parameters that are there, by name. */
  readonly parameters: readonly string[];
  readonly issuedAt: Date;
}

/** An evidence names this many offenders; the rest is counted. */
const namedMax = 10;

/** Passed when nobody offends; `fine` is what can then be said. */
function check(name: string, offenders: readonly string[], fine: string): Check {
  if (offenders.length === 0) return { name, passed: true, evidence: fine };
  const rest = offenders.length > namedMax ? ` and ${offenders.length - namedMax} more` : "";
  return { name, passed: false, evidence: `${offenders.slice(0, namedMax).join("; ")}${rest}` };
}

/** The subnets in which nodes stand or are planned to stand. */
const nodeSubnets = ({ view, plan }: Evidence): ReadonlySet<string> =>
  new Set([
    ...view.instances.map(({ subnetId }) => subnetId),
    ...view.subnets.filter(({ cidr }) => plan.zones.some((zone) => zone.privateCidr === cidr)).map(({ subnetId }) => subnetId),
  ]);

/** Facts 6.2: the stronger proof. A subnet without a table of its own goes by the main one. */
function routes(evidence: Evidence): Check {
  const { routeTables } = evidence.view;
  const subnets = nodeSubnets(evidence);
  const associated = new Set(routeTables.flatMap(({ subnetIds }) => subnetIds));
  const usesMain = [...subnets].some((subnet) => !associated.has(subnet));
  const tables = routeTables.filter(({ isMain, subnetIds }) => (isMain && usesMain) || subnetIds.some((id) => subnets.has(id)));
  const offenders = tables.flatMap(({ routeTableId, routes }) =>
    routes
      .filter(({ target }) => target !== "local" && !target.startsWith("vpce-"))
      .map(({ destination, target }) => `${routeTableId}: ${destination} -> ${target}`),
  );
  const blind = tables.length === 0 ? ["no route table of the nodes' subnets was found"] : [];
  return check(
    "routes-stay-inside",
    [...blind, ...offenders],
    `${tables.length === 1 ? "the one route table leads" : `${tables.length} route tables lead`} to the VPC and to endpoints alone`,
  );
}

function waysOut({ view, request }: Evidence): Check {
  const kinds = wayOutKinds.filter((kind) => kind !== "internetGateways" || !request.network.publicSubnets);
  const offenders = kinds.flatMap((kind) => view.waysOut[kind].map((id) => `${kind}: ${id}`));
  const allowed = request.network.publicSubnets ? "; the internet gateway that was asked for serves public subnets alone" : "";
  return check("no-ways-out", offenders, `no ${kinds.join(", ")}${allowed}`);
}

function addresses(evidence: Evidence): Check {
  const { view } = evidence;
  const subnets = nodeSubnets(evidence);
  const nodeInterfaces = view.interfaces.filter(({ subnetId }) => subnets.has(subnetId));
  const offenders = [
    ...view.addresses6.map((cidr) => `the VPC has ${cidr}`),
    ...view.subnets
      .filter(({ subnetId, givesPublicAddress }) => subnets.has(subnetId) && givesPublicAddress)
      .map(({ subnetId }) => `${subnetId} gives public addresses`),
    ...nodeInterfaces.flatMap(({ interfaceId, publicAddresses, addresses6 }) =>
      [...publicAddresses, ...addresses6].map((address) => `${interfaceId} has ${address}`),
    ),
  ];
  return check(
    "no-public-addresses",
    offenders,
    `${nodeInterfaces.length} interfaces in the nodes' subnets, none with a public or IPv6 address`,
  );
}

/**
 * Inside is what lies in the VPC's block and what stands in its groups; another VPC's group is not. What the cloud provider opens for a
 * Service is inside where the Service says for whom it is: to the blocks that it names, and to its subnets for health checks (facts 2.10).
 */
function guards({ view, plan }: Evidence): Check[] {
  const attached = new Set(view.instances.flatMap(({ groupIds }) => groupIds));
  const known = new Set(view.groups.map(({ groupId }) => groupId));
  const unseen = [...attached].filter((id) => !known.has(id)).map((id) => `${id} was not found`);
  const groups = view.groups.filter(({ groupId }) => attached.has(groupId));
  const vpc = parseBlock(plan.vpcCidr);
  const isOutside = ({ peer }: GroupRule) => !known.has(peer) && !contains(vpc, parseBlock(peer));
  const out = groups.flatMap(({ groupId, egress }) =>
    egress
      .filter((rule) => isOutside(rule) && rule.peer !== view.s3PrefixList)
      .map(({ traffic, peer }) => `${groupId} lets ${traffic} out to ${peer}`),
  );
  const into = groups.flatMap(({ groupId, ingress }) =>
    ingress.filter(isOutside).map(({ traffic, peer }) => `${groupId} lets ${traffic} in from ${peer}`),
  );
  return [
    check(
      "security-groups-let-nothing-out",
      [...unseen, ...out],
      `${groups.length} groups of nodes let out to ${plan.vpcCidr} and S3's list alone`,
    ),
    check(
      "security-groups-let-nobody-in",
      [...unseen, ...into],
      `${groups.length} groups of nodes let in from ${plan.vpcCidr} and its groups alone`,
    ),
  ];
}

function plannedPolicies({ lock, plan }: Evidence): Map<string, EndpointPolicy> {
  const interfaces = plan.interfaceEndpoints.map(
    (short) => [endpointService(short, plan.region), interfaceEndpointPolicy(short, lock, plan)] as const,
  );
  return new Map([...interfaces, [endpointService("s3", plan.region), s3GatewayPolicy(lock, plan)]]);
}

/** Facts 8.2 and design 4: all there with private DNS, admitting this account alone, and exactly as narrow as planned. */
function endpoints(evidence: Evidence): Check[] {
  const { view, plan } = evidence;
  const planned = plannedPolicies(evidence);
  const missing = [...planned.keys()].filter((service) => !view.endpoints.some((endpoint) => endpoint.service === service));
  const broken = view.endpoints.filter(
    ({ state, type, hasPrivateDns }) => state !== "available" || (type === "interface" && !hasPrivateDns),
  );
  const open = view.endpoints.filter(({ policy }) => !admitsOnly(policy, plan.account));
  const other = view.endpoints.filter(({ service, policy }) => !isSamePolicy(policy, planned.get(service)));
  const count = view.endpoints.length;
  return [
    check(
      "endpoints-in-place",
      [
        ...missing.map((service) => `${service} is missing`),
        ...broken.map(({ service, state }) => `${service} is ${state}, or without private DNS`),
      ],
      `${count} endpoints available`,
    ),
    check(
      "endpoints-admit-own-account-only",
      open.map(({ service }) => `${service} admits principals of other accounts`),
      `${count} policies admit principals of ${plan.account} alone`,
    ),
    check(
      "endpoint-policies-as-planned",
      other.map(({ service }) => `${service} has another policy than planned`),
      `${count} policies are the planned ones`,
    ),
  ];
}

function metadata({ view }: Evidence): Check {
  const offenders = view.instances.flatMap(({ instanceId, tokenRequired, hopLimit }) => [
    ...(tokenRequired ? [] : [`${instanceId} answers without a token`]),
    ...(hopLimit === 1 ? [] : [`${instanceId} has hop limit ${hopLimit}: pods reach the node's role`]),
  ]);
  return check(
    "instance-metadata-is-the-nodes-own",
    offenders,
    `${view.instances.length} instances want a token and have hop limit 1`,
  );
}

function probed({ view, probes, request }: Evidence): Check[] {
  const wanted = request.controlPlane.count + request.workers.count;
  const missing = view.instances.filter(({ instanceId }) => !probes.some((probe) => probe.instanceId === instanceId));
  const few = view.instances.length === wanted ? [] : [`${wanted} nodes are planned and ${view.instances.length} are there`];
  const fails = (is: (probe: NodeProbe) => boolean, what: string) =>
    probes.filter((probe) => !is(probe)).map(({ instanceId }) => `${instanceId} ${what}`);
  return [
    check(
      "every-node-probed",
      [...few, ...missing.map(({ instanceId }) => `${instanceId} was not probed`)],
      `${probes.length} nodes probed`,
    ),
    check(
      "nodes-cannot-get-out",
      fails((probe) => probe.egressBlocked, "got out"),
      `every way that ${probes.length} nodes tried is closed`,
    ),
    check(
      "names-answer-inside",
      fails((probe) => probe.namesAnswer, "got a name outside the private subnets, or none"),
      `every required name answers ${probes.length} nodes from inside`,
    ),
    check(
      "metadata-refuses-without-token",
      fails((probe) => probe.metadataTokenRequired, "read metadata without a token"),
      `${probes.length} nodes were refused`,
    ),
  ];
}

const joinIsGone = ({ parameters }: Evidence): Check =>
  check(
    "join-secret-is-gone",
    parameters.filter((name) => name.endsWith("/join")),
    "no join parameter is left",
  );

/** What no check here covers; an auditor has to know. */
const notVerified = [
  "DNS tunnelling through the VPC's resolver (no DNS firewall is set; facts 6.2)",
  "Route 53 Resolver rules and private hosted zones shared with the VPC",
  "network ACLs, which by default allow all",
  "what a principal of this account does through the endpoints with permissions of its own",
];

/** The certificate: one sentence of truth for each check, and whether all of them hold. */
export function certify(evidence: Evidence) {
  const { lock, request, plan, view, probes, issuedAt } = evidence;
  const checks: Check[] = [
    routes(evidence),
    waysOut(evidence),
    addresses(evidence),
    ...guards(evidence),
    ...endpoints(evidence),
    metadata(evidence),
    ...probed(evidence),
    joinIsGone(evidence),
  ];
  return {
    cluster: lock.cluster,
    generation: lock.generation,
    execution: lock.execution,
    account: plan.account,
    region: plan.region,
    kubernetesVersion: request.kubernetesVersion,
    /** Not the plan's: a build that is resumed after its line has changed finds nodes of the image before. */
    images: [...new Set(view.instances.map(({ imageId }) => imageId))].sort(),
    bundle: plan.bundle,
    issuedAt: issuedAt.toISOString(),
    isolated: checks.every(({ passed }) => passed),
    checks,
    /** Files by which the nodes' image changes kubeadm's configuration (design 4). */
    concessions: [...new Set(probes.flatMap(({ concessions }) => concessions))].sort(),
    notVerified,
  };
}
export type Certificate = ReturnType<typeof certify>;
