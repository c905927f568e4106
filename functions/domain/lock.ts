import * as z from "zod";
import { ClusterName, ExecutionArn, Generation, LockNumber, Sha256, VpcId } from "./ids.ts";

/** Where a cluster's certificate of isolation lies, and what it says. The file outlives the cluster. */
export const CertificateRef = z.strictObject({ key: z.string().max(200), sha256: Sha256, isolated: z.boolean() });
export type CertificateRef = z.infer<typeof CertificateRef>;

/** An execution's hold on a cluster's record: what the fence compares. `number` is the fencing number (lifecycle 3.2). */
export const Hold = z.strictObject({
  cluster: ClusterName,
  number: LockNumber,
  execution: ExecutionArn,
  /** When this execution entered the record, ISO 8601. */
  since: z.iso.datetime(),
});
export type Hold = z.infer<typeof Hold>;

/** A build's hold: who acts, on what. The answer of acquire-lock, `$.lock` in the state, and part of every later step's input. */
export const Lock = z.strictObject({
  ...Hold.shape,
  generation: Generation,
  origin: z.enum(["new", "resumed", "ready"]),
  /** The certificate on record when the cluster is ready already, otherwise null. */
  certificate: CertificateRef.nullable(),
});
export type Lock = z.infer<typeof Lock>;

/** A destroy's hold: the generations that go, and those of them whose volumes go too (lifecycle 6); the others' are kept and listed. */
export const TeardownLock = z.strictObject({
  ...Hold.shape,
  generations: z.array(Generation).min(1).max(50),
  doomedVolumes: z.array(Generation).max(50),
  /** The VPCs that the record knows of: the audit looks into them whatever their tags say. */
  vpcIds: z.array(VpcId).max(50),
});
export type TeardownLock = z.infer<typeof TeardownLock>;

/** Either hold that a machine of ours travels with. */
export const AnyLock = z.union([Lock, TeardownLock]);
export type AnyLock = z.infer<typeof AnyLock>;

/** Which generations of a cluster somebody works on. */
export interface Owners {
  readonly cluster: ClusterName;
  readonly generations: readonly number[];
}

export const ownersOf = (lock: AnyLock): Owners => ({
  cluster: lock.cluster,
  generations: "generations" in lock ? lock.generations : [lock.generation],
});

/** A machine of ours that started this one, as it says itself; believed only where the record says the same (lifecycle 3.5). */
export const Parent = z.strictObject({ execution: ExecutionArn, lockNumber: LockNumber, generation: Generation });
export type Parent = z.infer<typeof Parent>;

/** Why a destroy that no person started may go on; checked again in the write that takes the lock (lifecycle 3.3). */
export const Because = z.enum(["rollBack", "abandoned", "expired", "pastGrace"]);
export type Because = z.infer<typeof Because>;

/** `orchid-g3`: what AWS and Kubernetes know this generation of the cluster as. */
export const clusterId = (lock: Pick<Lock, "cluster" | "generation">): string => `${lock.cluster}-g${lock.generation}`;
