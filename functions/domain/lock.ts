import * as z from "zod";
import { ClusterName, ExecutionArn, Generation, LockNumber, Sha256 } from "./ids.ts";

/** Where a cluster's certificate of isolation lies, and what it says. The file outlives the cluster. */
export const CertificateRef = z.strictObject({ key: z.string().max(200), sha256: Sha256, isolated: z.boolean() });
export type CertificateRef = z.infer<typeof CertificateRef>;

/**
 * Who acts, on what: the answer of acquire-lock, `$.lock` in the state, and part of every later step's input.
 * `number` is the fencing number (lifecycle 3.2); `since` is when this execution entered the record (ISO 8601).
 */
export const Lock = z.strictObject({
  cluster: ClusterName,
  generation: Generation,
  number: LockNumber,
  execution: ExecutionArn,
  since: z.iso.datetime(),
  origin: z.enum(["new", "ready"]),
  /** The certificate on record when the cluster is ready already, otherwise null. */
  certificate: CertificateRef.nullable(),
});
export type Lock = z.infer<typeof Lock>;

/** `orchid-g3`: what AWS and Kubernetes know this generation of the cluster as. */
export const clusterId = (lock: Pick<Lock, "cluster" | "generation">): string => `${lock.cluster}-g${lock.generation}`;
