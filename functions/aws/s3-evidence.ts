import { createHash } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { Lock } from "../domain/lock.ts";
import type { Aws } from "./aws.ts";

export type EvidenceKind = "certificate" | "failure" | "residue";
type Subject = Pick<Lock, "cluster" | "generation">;

export interface EvidencePort {
  /** Writes `evidence/<name>/g<n>/<kind>.json`, which outlives the cluster, and gives its key and SHA-256. */
  write(subject: Subject, kind: EvidenceKind, content: unknown): Promise<{ readonly key: string; readonly sha256: string }>;
}

export const s3Evidence = (aws: Pick<Aws, "s3" | "deployment">): EvidencePort => ({
  async write({ cluster, generation }, kind, content) {
    const body = `${JSON.stringify(content, null, 2)}\n`;
    const key = `evidence/${cluster}/g${generation}/${kind}.json`;
    await aws.s3.send(
      new PutObjectCommand({ Bucket: aws.deployment.bucket, Key: key, Body: body, ContentType: "application/json" }),
    );
    return { key, sha256: createHash("sha256").update(body).digest("hex") };
  },
});
