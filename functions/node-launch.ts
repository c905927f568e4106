import type { Deployment } from "./aws/aws.ts";
import type { MachinesPort } from "./aws/ports.ts";
import type { ClusterRequest } from "./domain/cluster-request.ts";
import { endpointHost } from "./domain/endpoint-hosts.ts";
import { clusterId, type Lock } from "./domain/lock.ts";
import type { Network } from "./domain/network.ts";
import { type NodeOrder, nodeOrders, ordinalOf, type SeenMachine, workerName } from "./domain/node-orders.ts";
import type { Plan } from "./domain/plan.ts";
import { cloudProviderTag, ownerTags } from "./domain/tags.ts";
import { clientToken } from "./domain/tokens.ts";
import { userData } from "./domain/user-data.ts";
import { CapacityError, ConflictError, DefectError, TransientError } from "./errors.ts";
import type { Log } from "./step.ts";

/** What launching a node takes; shared by the step that launches all of them and the one that replaces a lost one. */
export interface LaunchSite {
  readonly lock: Lock;
  readonly request: ClusterRequest;
  readonly plan: Plan;
  readonly network: Network;
  readonly deployment: Deployment;
  readonly machines: MachinesPort;
  readonly log: Log;
}

/** Launches whatever the plan lacks, and says how many. `present` is every machine of the generation, in any state. */
export async function launchMissing(site: LaunchSite, present: readonly SeenMachine[]): Promise<number> {
  const known = [...present];
  let launched = 0;
  for (const order of nodeOrders(site.lock, site.request, site.plan, known)) {
    const placed = await place(site, order, known);
    launched += placed.count;
    known.push(...Array.from({ length: placed.count }, () => ({ ...placed, state: "pending" as const })));
    site.log.info("nodes launched", { role: placed.role, zone: placed.zone, count: placed.count });
  }
  return launched;
}

/** One order, in its own zone or, for workers, in the first other zone that takes all of it. */
async function place(site: LaunchSite, order: NodeOrder, known: readonly SeenMachine[]): Promise<NodeOrder> {
  const others = site.plan.zones.map(({ zone }) => zone).filter((zone) => zone !== order.zone);
  const zones = order.address === null ? [order.zone, ...others] : [order.zone];
  for (const zone of zones) {
    const attempt = order.address === null ? { ...order, zone, name: workerName(site.lock, zone) } : order;
    const answer = await site.machines.launch(launchOrder(site, attempt, ordinalOf(attempt, known)));
    if (answer === "address-taken") throw await whoHasIt(site, order);
    if (answer !== "no-capacity") return attempt;
    site.log.warn("no capacity", { role: order.role, zone, count: order.count });
  }
  const { instanceType } = sizeOf(site, order);
  throw new CapacityError(`no capacity for ${order.count} ${instanceType} in ${zones.join(", ")}`, { instanceType, zones });
}

/** An address that is taken is ours still (its machine is ending, or a read lagged), or somebody's who is no node. */
async function whoHasIt({ machines, lock }: LaunchSite, { address, name }: NodeOrder): Promise<Error> {
  const ours = (await machines.find(lock)).filter((machine) => machine.name === name);
  if (ours.some(({ state }) => state !== "terminated"))
    return new TransientError(`${address} of ${name} is still in use by an earlier machine of ours`);
  return new ConflictError(`${address}, planned for ${name}, is in use by something that is no node of this cluster`);
}

const sizeOf = ({ request }: LaunchSite, { role }: NodeOrder) =>
  role === "control-plane" ? request.controlPlane : request.workers;

function launchOrder(site: LaunchSite, order: NodeOrder, ordinal: number) {
  const { lock, request, plan, network, deployment } = site;
  const { securityGroups, privateSubnets } = network;
  const subnet = privateSubnets.find(({ zone }) => zone === order.zone);
  if (subnet === undefined) throw new DefectError(`no private subnet in ${order.zone} of ${clusterId(lock)}`);
  const isControlPlane = order.role === "control-plane";
  const size = sizeOf(site, order);
  const logicalName = isControlPlane ? order.name : "worker";
  return {
    count: order.count,
    zone: order.zone,
    subnetId: subnet.subnetId,
    // The second one is the only group with the cloud provider's tag (facts 2.6).
    groupIds: [isControlPlane ? securityGroups.controlPlane : securityGroups.worker, securityGroups.loadBalancer],
    address: order.address,
    imageId: plan.image.id,
    rootDeviceName: plan.image.rootDeviceName,
    instanceType: size.instanceType,
    volumeGiB: size.volumeGiB,
    profile: isControlPlane ? deployment.controlPlaneProfile : deployment.workerProfile,
    userData: userData({
      hosts: plan.interfaceEndpoints.map((service) => endpointHost(service, plan.region)),
      subnets: plan.zones.map(({ privateCidr }) => privateCidr),
    }),
    tags: { ...ownerTags(lock, order.role, order.name, request.tags), ...cloudProviderTag(lock) },
    token: clientToken(lock, logicalName, order.zone, ordinal),
  };
}
