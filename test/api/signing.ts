import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import { type Principal, Sha256 } from "../../rehearsal/serve/signature.ts";

/** What a client means to send. */
export interface Letter {
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly ticket?: string;
  readonly body?: string;
}

export interface Key {
  readonly id: string;
  readonly secret: string;
}

/** The headers of a caller with a secret, as docs/operating.md tells him to make them. Nothing here is the product's. */
export function signedWithSecret(
  { method, path, query = "", ticket, body }: Letter,
  key: Key,
  now: Date,
): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const digest = body === undefined ? "" : `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
  const target = query === "" ? path : `${path}?${query}`;
  const text = ["CLOISTER-HMAC-SHA256", method, target, timestamp, key.id, ticket ?? "", digest].join("\n");
  return {
    "X-Cloister-Key": key.id,
    "X-Cloister-Timestamp": timestamp,
    "X-Cloister-Signature": createHmac("sha256", key.secret).update(text).digest("hex"),
    ...(ticket !== undefined && { "Idempotency-Key": ticket }),
    ...(body !== undefined && { "Content-Digest": digest }),
  };
}

/** The headers of a caller with IAM credentials, by the SDK's own signer. */
export async function signedWithSigV4(
  { method, path, ticket, body }: Letter,
  host: string,
  credentials: Principal,
  now: Date,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({ service: "execute-api", region: "us-west-2", credentials, sha256: Sha256 });
  const headers = { host, ...(ticket !== undefined && { "idempotency-key": ticket }) };
  const request = { method, protocol: "http:", hostname: host, path, query: {}, headers, body };
  return (await signer.sign(request, { signingDate: now })).headers;
}
