import type { ClusterRequest } from "./cluster-request.ts";
import type { Plan } from "./plan.ts";

/** The kinds of things a generation is made of, as the owner tags find them. */
export const censusKinds = [
  "vpc",
  "subnet",
  "internet-gateway",
  "route-table",
  "security-group",
  "endpoint",
  "instance",
  "load-balancer",
] as const;
export type CensusKind = (typeof censusKinds)[number];
/** Ids of what carries a generation's owner tags, by kind. Instances are those that are not ended. */
export type Census = Readonly<Record<CensusKind, readonly string[]>>;

/** How many of each kind a finished generation has: exactly the plan, each once. */
export function plannedCounts(request: ClusterRequest, plan: Plan): Readonly<Record<CensusKind, number>> {
  const isPublic = request.network.publicSubnets;
  const isHighlyAvailable = plan.apiEndpoint === null;
  return {
    vpc: 1,
    subnet: plan.zones.length * (isPublic ? 2 : 1),
    "internet-gateway": isPublic ? 1 : 0,
    // One private table for all zones; one public.
    "route-table": isPublic ? 2 : 1,
    // Control planes, workers, the cloud provider's, the endpoints'; the API load balancer's where there is one.
    "security-group": isHighlyAvailable ? 5 : 4,
    // The interface endpoints and S3's gateway.
    endpoint: plan.interfaceEndpoints.length + 1,
    instance: request.controlPlane.count + request.workers.count,
    "load-balancer": isHighlyAvailable ? 1 : 0,
  };
}

/** Where the census differs from the plan: `instance: 3 planned, 4 found`. */
export function deviations(planned: Readonly<Record<CensusKind, number>>, census: Census): string[] {
  return censusKinds
    .filter((kind) => census[kind].length !== planned[kind])
    .map((kind) => `${kind}: ${planned[kind]} planned, ${census[kind].length} found`);
}

/** How many ids a message names; the rest is in the evidence. */
const namedMax = 20;

/** `1 vpc (vpc-1), 3 instance (i-1, i-2, i-3)`, for a person who has to look. */
export function describeCensus(census: Census): string {
  let room = namedMax;
  const parts: string[] = [];
  for (const kind of censusKinds) {
    const ids = census[kind];
    if (ids.length === 0) continue;
    const named = ids.slice(0, room);
    room -= named.length;
    const list = [...named, ...(named.length < ids.length ? ["..."] : [])].join(", ");
    parts.push(`${ids.length} ${kind} (${list})`);
  }
  return parts.length === 0 ? "nothing" : parts.join(", ");
}
