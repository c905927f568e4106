import type { ClusterRequest } from "./cluster-request.ts";
import type { Role } from "./ids.ts";
import type { Lock } from "./lock.ts";
import { nodeName } from "./naming.ts";
import type { Plan } from "./plan.ts";

/** A machine as far as planning goes. */
export interface SeenMachine {
  readonly name: string;
  readonly role: Role;
  readonly zone: string;
  readonly address: string | null;
  readonly state: "pending" | "running" | "shutting-down" | "terminated" | "stopping" | "stopped";
}

/** Machines to be launched together, in this zone or, for workers, in the next that has them. */
export interface NodeOrder {
  readonly role: Role;
  readonly name: string;
  readonly count: number;
  readonly zone: string;
  /** A control plane's; it binds the order to its zone. */
  readonly address: string | null;
}

/** A stopped machine is no node of ours any more: nothing here starts it again. */
export const isLiving = ({ state }: Pick<SeenMachine, "state">): boolean => state === "pending" || state === "running";

export const workerName = (lock: Lock, zone: string): string => nodeName(lock, "worker", zone.slice(-1));

export const wantedCount = (request: ClusterRequest, role: Role): number =>
  role === "control-plane" ? request.controlPlane.count : request.workers.count;

function controlPlaneOrders(lock: Lock, plan: Plan, living: readonly SeenMachine[]): NodeOrder[] {
  return plan.controlPlanes.flatMap(({ zone, address }, index): NodeOrder[] => {
    if (living.some((machine) => machine.role === "control-plane" && machine.address === address)) return [];
    return [{ role: "control-plane", name: nodeName(lock, "control-plane", index + 1), count: 1, zone, address }];
  });
}

/** Where the share of a zone is short; not more than the whole is short, because another zone may have stood in for it. */
function workerOrders(lock: Lock, request: ClusterRequest, plan: Plan, living: readonly SeenMachine[]): NodeOrder[] {
  const workers = living.filter(({ role }) => role === "worker");
  let missing = request.workers.count - workers.length;
  const orders: NodeOrder[] = [];
  for (const { zone, workers: share } of plan.zones) {
    const count = Math.min(missing, share - workers.filter((machine) => machine.zone === zone).length);
    if (count <= 0) continue;
    missing -= count;
    orders.push({ role: "worker", name: workerName(lock, zone), count, zone, address: null });
  }
  return orders;
}

/** What has to be launched so that the plan stands, given what there is. */
export function nodeOrders(lock: Lock, request: ClusterRequest, plan: Plan, machines: readonly SeenMachine[]): NodeOrder[] {
  const living = machines.filter(isLiving);
  return [...controlPlaneOrders(lock, plan, living), ...workerOrders(lock, request, plan, living)];
}

/** How many machines of this order's kind there have been, in any state: the ordinal of its client token (design 4). */
export const ordinalOf = (
  order: Pick<NodeOrder, "role" | "zone" | "address" | "name">,
  machines: readonly SeenMachine[],
): number =>
  order.role === "control-plane"
    ? machines.filter(({ name }) => name === order.name).length
    : machines.filter(({ role, zone }) => role === "worker" && zone === order.zone).length;
