import type { ClusterRequest } from "./cluster-request.ts";
import type { Role } from "./ids.ts";
import type { Lock } from "./lock.ts";
import { nodeName } from "./naming.ts";

/** All nodes of these roles, or those that carry one of these Names. */
export type Target = { readonly roles: readonly Role[] } | { readonly nodeNames: readonly string[] };

/** Whom a command is for, and on how many nodes it must end well. */
export interface Delivery {
  readonly target: Target;
  readonly targets: number;
  /** One node after another. Left out: all at once. */
  readonly inTurn?: boolean;
}

interface Sized {
  readonly lock: Lock;
  readonly request: ClusterRequest;
}

export const toFirstControlPlane = ({ lock }: Sized): Delivery => ({
  target: { nodeNames: [nodeName(lock, "control-plane", 1)] },
  targets: 1,
});

export const toControlPlanes = ({ request }: Sized): Delivery => ({
  target: { roles: ["control-plane"] },
  targets: request.controlPlane.count,
});

/** All but the first, on which networking is installed at that time: a joining script holds its node alone. One after another. */
export const toJoiningControlPlanes = ({ lock, request }: Sized): Delivery => ({
  target: {
    nodeNames: Array.from({ length: request.controlPlane.count - 1 }, (_, index) => nodeName(lock, "control-plane", index + 2)),
  },
  targets: request.controlPlane.count - 1,
  inTurn: true,
});

export const toWorkers = ({ request }: Sized): Delivery => ({ target: { roles: ["worker"] }, targets: request.workers.count });

export const toAllNodes = ({ request }: Sized): Delivery => ({
  target: { roles: ["control-plane", "worker"] },
  targets: request.controlPlane.count + request.workers.count,
});
