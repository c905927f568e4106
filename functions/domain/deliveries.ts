import type { ClusterRequest } from "./cluster-request.ts";
import type { Role } from "./ids.ts";
import type { Lock } from "./lock.ts";
import { nodeName } from "./naming.ts";

/** All nodes of these roles, or the one that carries this Name. */
export type Target = { readonly roles: readonly Role[] } | { readonly nodeName: string };

/** Whom a command is for, and on how many nodes it must end well. */
export interface Delivery {
  readonly target: Target;
  readonly targets: number;
  /** `"1"`: one node after another. Left out: all at once. */
  readonly concurrency?: "1";
}

interface Sized {
  readonly lock: Lock;
  readonly request: ClusterRequest;
}

export const toFirstControlPlane = ({ lock }: Sized): Delivery => ({
  target: { nodeName: nodeName(lock, "control-plane", 1) },
  targets: 1,
});

export const toControlPlanes = ({ request }: Sized): Delivery => ({
  target: { roles: ["control-plane"] },
  targets: request.controlPlane.count,
});

export const toWorkers = ({ request }: Sized): Delivery => ({ target: { roles: ["worker"] }, targets: request.workers.count });

export const toAllNodes = ({ request }: Sized): Delivery => ({
  target: { roles: ["control-plane", "worker"] },
  targets: request.controlPlane.count + request.workers.count,
});
