import type { FoundRouteTable, NetworkPort } from "./aws/ports.ts";
import type { RecordsPort } from "./aws/s3-records.ts";
import type { Made } from "./domain/cluster-record.ts";
import type { ClusterRequest } from "./domain/cluster-request.ts";
import type { InternetGatewayId, RouteTableId, SubnetId, VpcId } from "./domain/ids.ts";
import { clusterId, type Lock } from "./domain/lock.ts";
import { controlPlaneRange } from "./domain/network-plan.ts";
import type { Plan } from "./domain/plan.ts";
import {
  cloudProviderTag,
  internalLoadBalancerTag,
  isOwned,
  type OwnedRole,
  ownerTags,
  publicLoadBalancerTag,
  type Tags,
} from "./domain/tags.ts";
import { clientToken } from "./domain/tokens.ts";
import { ConflictError, TransientError } from "./errors.ts";
import { forEachInLanes, together } from "./side-by-side.ts";
import type { Log } from "./step.ts";

/** Everything that the parts of create-network share. */
export interface Site {
  readonly lock: Lock;
  readonly request: ClusterRequest;
  readonly plan: Plan;
  readonly network: NetworkPort;
  readonly records: RecordsPort;
  readonly log: Log;
}

interface SubnetWish {
  readonly zone: string;
  readonly cidr: string;
  readonly isPublic: boolean;
}

export const birthTags = ({ lock, request }: Site, role: OwnedRole, suffix: string): Tags =>
  ownerTags(lock, role, suffix === "" ? clusterId(lock) : `${clusterId(lock)}-${suffix}`, request.tags);

/** What the record says was made first: with neither client token nor unique name, that one counts (lifecycle 4). */
const claim = ({ records, lock }: Site, made: Partial<Made>): Promise<Made> =>
  records.change<"claim">(lock.cluster, lock.execution, { kind: "claim", lock, made });

export async function makeVpc(site: Site): Promise<VpcId> {
  const { network, lock, plan, log } = site;
  const [{ vpcId: recorded }, [present]] = await together([claim(site, {}), network.findVpcs(lock)]);
  if (recorded !== null) return recorded;
  const mine = present ?? (await network.createVpc(plan.vpcCidr, birthTags(site, "vpc", "")));
  const { vpcId = null } = await claim(site, { vpcId: mine });
  if (vpcId === null) throw new TransientError("the record did not keep the VPC");
  if (vpcId !== mine) await network.deleteVpc(mine);
  log.info("VPC in place", { vpcId, reused: vpcId === present });
  return vpcId;
}

async function makeInternetGateway(site: Site, vpcId: VpcId): Promise<InternetGatewayId> {
  const { network, lock } = site;
  const present = await network.findInternetGateways(lock);
  const { internetGatewayId: recorded } = await claim(site, {});
  const mine =
    recorded ?? present[0]?.internetGatewayId ?? (await network.createInternetGateway(birthTags(site, "internet-gateway", "")));
  const { internetGatewayId: winner } = await claim(site, { internetGatewayId: mine });
  if (winner === null) throw new TransientError("the record did not keep the internet gateway");
  if (winner !== mine) await network.deleteInternetGateway(mine);
  const isAttached = present.some(({ internetGatewayId, isAttached }) => internetGatewayId === winner && isAttached);
  if (!isAttached) await network.attachInternetGateway(winner, vpcId);
  return winner;
}

/**
 * An answer that was lost leaves a second VPC or gateway, made by the SDK's own retry in the same call. By the end of the step a read
 * shows it. It carries our tags and is not in the record: nobody uses it.
 */
export async function removeSurplus(site: Site, vpcId: VpcId): Promise<void> {
  const { network, lock, log } = site;
  const [vpcs, { internetGatewayId }] = await together([network.findVpcs(lock), claim(site, {})]);
  for (const surplus of vpcs) {
    if (surplus === vpcId) continue;
    log.warn("second VPC removed", { vpcId: surplus });
    await network.deleteVpc(surplus);
  }
  if (internetGatewayId === null) return;
  for (const { internetGatewayId: surplus } of await network.findInternetGateways(lock)) {
    if (surplus !== internetGatewayId) await network.deleteInternetGateway(surplus);
  }
}

const wishes = ({ plan }: Site): SubnetWish[] =>
  plan.zones.flatMap(({ zone, privateCidr, publicCidr }) => [
    { zone, cidr: privateCidr, isPublic: false },
    ...(publicCidr === null ? [] : [{ zone, cidr: publicCidr, isPublic: true }]),
  ]);

function subnetTags(site: Site, { zone, isPublic }: SubnetWish): Tags {
  const kind = isPublic ? "public" : "private";
  return {
    ...birthTags(site, `${kind}-subnet`, `${kind}-${zone}`),
    ...cloudProviderTag(site.lock),
    ...(isPublic ? publicLoadBalancerTag : internalLoadBalancerTag),
  };
}

export async function makeSubnets(site: Site, vpcId: VpcId): Promise<(SubnetWish & { readonly subnetId: SubnetId })[]> {
  const { network, lock, log } = site;
  const wanted = wishes(site);
  let present = await network.subnetsOf(vpcId);
  const missing = wanted.filter(({ cidr }) => !present.some((subnet) => subnet.cidr === cidr));
  await forEachInLanes(missing, (wish) => network.createSubnet(vpcId, wish, subnetTags(site, wish)));
  if (missing.length > 0) present = await network.subnetsOf(vpcId);
  return wanted.map((wish) => {
    const found = present.find(({ cidr }) => cidr === wish.cidr);
    if (found === undefined) throw new TransientError(`subnet ${wish.cidr} does not show yet`, { vpcId });
    if (!isOwned(found.tags, lock))
      throw new ConflictError(`${found.subnetId} with ${wish.cidr} is not this cluster's`, { vpcId });
    log.info("subnet in place", { subnetId: found.subnetId, zone: wish.zone, reused: !missing.includes(wish) });
    return { ...wish, subnetId: found.subnetId };
  });
}

/** Before anything else takes an address there. */
export async function reserveControlPlanes(
  site: Site,
  subnets: readonly { readonly zone: string; readonly subnetId: SubnetId }[],
): Promise<void> {
  const { network, plan } = site;
  const planned = new Set(plan.controlPlanes.map(({ zone }) => zone));
  const cidrOf = new Map(plan.zones.map(({ zone, privateCidr }) => [zone, privateCidr]));
  const wanted = subnets.filter(({ zone }) => planned.has(zone));
  await forEachInLanes(wanted, ({ zone, subnetId }) => {
    const tags = birthTags(site, "control-plane-addresses", `control-planes-${zone}`);
    return network.reserve(subnetId, controlPlaneRange(cidrOf.get(zone) ?? ""), tags);
  });
}

interface Placed {
  readonly subnetId: SubnetId;
}

async function makeRouteTable(
  site: Site,
  vpcId: VpcId,
  role: "private-routes" | "public-routes",
  subnets: readonly Placed[],
): Promise<{ readonly routeTableId: RouteTableId; readonly hasDefaultRoute: boolean }> {
  const { network, lock } = site;
  const isOurs = ({ tags }: FoundRouteTable) => isOwned(tags, lock) && tags["cloister:role"] === role;
  const present = (await network.routeTablesOf(vpcId)).find(isOurs);
  const routeTableId =
    present?.routeTableId ?? (await network.createRouteTable(vpcId, birthTags(site, role, role), clientToken(lock, role, "", 0)));
  const loose = subnets.filter(({ subnetId }) => present?.subnetIds.includes(subnetId) !== true);
  await forEachInLanes(loose, ({ subnetId }) => network.associate(routeTableId, subnetId));
  return { routeTableId, hasDefaultRoute: present?.hasDefaultRoute === true };
}

/** Nothing is added to it here: it has the VPC's own route, and gets S3's with the gateway endpoint. */
export const routePrivate = async (site: Site, vpcId: VpcId, subnets: readonly Placed[]): Promise<RouteTableId> =>
  (await makeRouteTable(site, vpcId, "private-routes", subnets)).routeTableId;

/** For internet-facing load balancers, where they were asked for. No node stands in a public subnet. */
export async function routePublic(site: Site, vpcId: VpcId, subnets: readonly Placed[]): Promise<void> {
  const gateway = await makeInternetGateway(site, vpcId);
  const { routeTableId, hasDefaultRoute } = await makeRouteTable(site, vpcId, "public-routes", subnets);
  if (!hasDefaultRoute) await site.network.routeOut(routeTableId, gateway);
}
