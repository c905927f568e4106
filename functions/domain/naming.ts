import { createHash } from "node:crypto";
import type { Role } from "./ids.ts";
import { type AnyLock, clusterId, type Lock, ownersOf } from "./lock.ts";

/** The Name tag of a node: `orchid-g1-control-plane-2`, counted from 1. Workers of a zone share theirs with the zone's letter. */
export const nodeName = (lock: Pick<Lock, "cluster" | "generation">, role: Role, which: number | string): string =>
  `${clusterId(lock)}-${role}-${which}`;

/** A command's Comment: at most 100 characters, and the same for each attempt of a state (lifecycle 4). */
export const commandComment = (lock: AnyLock, state: string): string =>
  `cloister ${createHash("sha256")
    .update(`${lock.execution}/${ownersOf(lock).generations.join("+")}/${state}`)
    .digest("hex")}`;

export type ClusterParameter = "join" | "kubeconfig";

/** `/cloister/<name>/g<n>/join`: a SecureString that only nodes write and read. */
export const parameterName = (lock: Pick<Lock, "cluster" | "generation">, parameter: ClusterParameter): string =>
  `/cloister/${lock.cluster}/g${lock.generation}/${parameter}`;
