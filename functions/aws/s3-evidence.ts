import { createHash } from "node:crypto";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { Lock } from "../domain/lock.ts";
import type { Aws, Deployment } from "./aws.ts";

export type EvidenceKind = "certificate" | "failure" | "residue";
type Subject = Pick<Lock, "cluster" | "generation">;

export interface EvidencePort {
  /** What was written, or null. */
  read(subject: Subject, kind: EvidenceKind): Promise<unknown>;
  /** Writes `evidence/<name>/g<n>/<kind>.json`, which outlives the cluster, and gives its key and SHA-256. */
  write(subject: Subject, kind: EvidenceKind, content: unknown): Promise<{ readonly key: string; readonly sha256: string }>;
}

const keyOf = ({ cluster, generation }: Subject, kind: EvidenceKind): string => `evidence/${cluster}/g${generation}/${kind}.json`;

type Reach = Pick<Aws, "s3"> & { readonly deployment: Pick<Deployment, "bucket"> };

export const s3Evidence = (aws: Reach): EvidencePort => ({
  async read(subject, kind) {
    try {
      const place = { Bucket: aws.deployment.bucket, Key: keyOf(subject, kind) };
      const { Body } = await aws.s3.send(new GetObjectCommand(place));
      return JSON.parse((await Body?.transformToString()) ?? "null");
    } catch (error) {
      if (error instanceof Error && error.name === "NoSuchKey") return null;
      throw error;
    }
  },
  async write(subject, kind, content) {
    const body = `${JSON.stringify(content, null, 2)}\n`;
    const key = keyOf(subject, kind);
    await aws.s3.send(
      new PutObjectCommand({ Bucket: aws.deployment.bucket, Key: key, Body: body, ContentType: "application/json" }),
    );
    return { key, sha256: createHash("sha256").update(body).digest("hex") };
  },
});
