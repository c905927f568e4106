import type { FoundGroup, FoundRule } from "./aws/ports.ts";
import { endpointService } from "./domain/endpoint-hosts.ts";
import type { SecurityGroupId, VpcId } from "./domain/ids.ts";
import { clusterId } from "./domain/lock.ts";
import type { Network } from "./domain/network.ts";
import { type GroupName, type GroupPlan, type Peer, securityGroupPlans } from "./domain/security-groups.ts";
import { cloudProviderTag, isOwned } from "./domain/tags.ts";
import { ConflictError, DefectError, TransientError } from "./errors.ts";
import { birthTags, type Site } from "./network-parts.ts";
import { forEachInLanes, together } from "./side-by-side.ts";

type GroupIds = ReadonlyMap<GroupName, SecurityGroupId>;

const keyOf = ({ direction, protocol, from, to, peer }: FoundRule): string => [direction, protocol, from, to, peer].join("/");

/** Every new group lets everything out; that rule goes before anything stands in the group (facts 6.2). */
const letsAllOut = ({ direction, protocol, peer }: FoundRule): boolean =>
  direction === "egress" && protocol === "all" && (peer === "0.0.0.0/0" || peer === "::/0");

export async function makeSecurityGroups(site: Site, vpcId: VpcId): Promise<Network["securityGroups"]> {
  const plans = securityGroupPlans(site.plan.vpcCidr, site.plan.apiEndpoint === null);
  const [groups, s3] = await together([
    makeGroups(site, vpcId, plans),
    site.network.prefixListOf(endpointService("s3", site.plan.region)),
  ]);
  const ids: GroupIds = new Map([...groups].map(([name, { groupId }]) => [name, groupId]));
  await forEachInLanes(plans, (plan) =>
    makeRules(site, groups.get(plan.name) ?? raise(plan.name), plan, (peer) => peerId(peer, ids, s3)),
  );
  const id = (name: GroupName): SecurityGroupId => ids.get(name) ?? raise(name);
  return {
    controlPlane: id("controlPlane"),
    worker: id("worker"),
    loadBalancer: id("loadBalancer"),
    endpoints: id("endpoints"),
    api: ids.get("api") ?? null,
  };
}

const raise = (name: GroupName): never => {
  throw new DefectError(`no group for ${name}`);
};

function peerId(peer: Peer, ids: GroupIds, s3: string): string {
  if ("cidr" in peer) return peer.cidr;
  return "prefixList" in peer ? s3 : (ids.get(peer.group) ?? raise(peer.group));
}

async function makeGroups(site: Site, vpcId: VpcId, plans: readonly GroupPlan[]): Promise<Map<GroupName, FoundGroup>> {
  const { network, lock, log } = site;
  const nameOf = ({ suffix }: GroupPlan) => `${clusterId(lock)}-${suffix}`;
  let present = await network.groupsOf(vpcId);
  const missing = plans.filter((plan) => !present.some(({ groupName }) => groupName === nameOf(plan)));
  await forEachInLanes(missing, (plan) => {
    const tags = {
      ...birthTags(site, "security-group", plan.suffix),
      ...(plan.forCloudProvider ? cloudProviderTag(lock) : {}),
    };
    return network.createGroup(vpcId, nameOf(plan), `Cloister ${clusterId(lock)}: ${plan.suffix}`, tags);
  });
  if (missing.length > 0) present = await network.groupsOf(vpcId);
  return new Map(
    plans.map((plan) => {
      const found = present.find(({ groupName }) => groupName === nameOf(plan));
      if (found === undefined) throw new TransientError(`security group ${nameOf(plan)} does not show yet`, { vpcId });
      if (!isOwned(found.tags, lock))
        throw new ConflictError(`${found.groupId} ${nameOf(plan)} is not this cluster's`, { vpcId });
      log.info("security group in place", { groupId: found.groupId, name: nameOf(plan), reused: !missing.includes(plan) });
      return [plan.name, found];
    }),
  );
}

async function makeRules(site: Site, group: FoundGroup, plan: GroupPlan, idOf: (peer: Peer) => string): Promise<void> {
  const { network } = site;
  const tooWide = group.rules.filter(letsAllOut);
  if (tooWide.length > 0) await network.revokeEgress(group.groupId, tooWide);
  const present = new Set(group.rules.map(keyOf));
  const wanted = plan.rules.map(({ direction, protocol, from, to, peer }) => ({
    direction,
    protocol,
    from,
    to,
    peer: idOf(peer),
  }));
  for (const direction of ["ingress", "egress"] as const) {
    const missing = wanted.filter((rule) => rule.direction === direction && !present.has(keyOf(rule)));
    if (missing.length === 0) continue;
    if ((await network.allow(group.groupId, direction, missing)) === "done") continue;
    // One of them stands there already, so none was added: a read lagged. One by one, "present" is what we want.
    for (const rule of missing) await network.allow(group.groupId, direction, [rule]);
  }
}
