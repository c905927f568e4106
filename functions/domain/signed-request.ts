import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import * as z from "zod";

/** What a caller without IAM credentials is called: the name of his key, which outlives its secrets. */
const KeyId = z.string().regex(/^[a-z0-9][a-z0-9-]{1,31}$/, "2 to 32 small letters, digits or hyphens");

/** Each caller's secrets. Two while one rotates: add the new one, let the caller change over, take the old one out. */
export const CallerSecrets = z.record(KeyId, z.array(z.string().min(32).max(256)).min(1).max(2));
export type CallerSecrets = z.infer<typeof CallerSecrets>;

/** The headers that carry a signature. */
export const signatureHeaders = {
  keyId: "x-cloister-key",
  timestamp: "x-cloister-timestamp",
  signature: "x-cloister-signature",
} as const;

/** A signed request is good for so long before and after its timestamp, which is what SigV4 grants, too. */
const windowSeconds = 300;

/** Everything of a request that its signature covers. The body stands in it by its digest. */
export interface SignedParts {
  readonly method: string;
  /** As in the address that the caller asked for: with the stage, or with a custom domain's own path. */
  readonly path: string;
  readonly query: string;
  /** Seconds since 1970. */
  readonly timestamp: string;
  readonly keyId: string;
  readonly ticket: string;
  readonly digest: string;
}

/** One part a line; what is not there is an empty line. No part can hold a line break, so no two requests come to the same text. */
const stringToSign = ({ method, path, query, timestamp, keyId, ticket, digest }: SignedParts): string =>
  ["CLOISTER-HMAC-SHA256", method, query === "" ? path : `${path}?${query}`, timestamp, keyId, ticket, digest].join("\n");

/** Compares in constant time, whichever of the secrets fits. */
export function isSignedBy(secrets: readonly string[], parts: SignedParts, signature: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(signature)) return false;
  const given = Buffer.from(signature, "hex");
  const text = stringToSign(parts);
  const fits = secrets.map((secret) => timingSafeEqual(createHmac("sha256", secret).update(text).digest(), given));
  return fits.includes(true);
}

export const isInWindow = (timestamp: string, now: Date): boolean =>
  /^\d{10}$/.test(timestamp) && Math.abs(Number(timestamp) - now.getTime() / 1000) <= windowSeconds;

/** RFC 3986: what encodeURIComponent leaves, these four included, is written as it is by nobody else. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** A query in one form, as SigV4 has it too: API Gateway gives parameters, and not the text in which they came. */
export const canonicalQuery = (parameters: Readonly<Record<string, readonly string[] | undefined>>): string =>
  Object.entries(parameters)
    .flatMap(([name, values = []]) => values.map((value) => `${encoded(name)}=${encoded(value)}`))
    .sort()
    .join("&");

/** RFC 9530, with the one algorithm that is taken. */
export const contentDigest = (body: Uint8Array): string => `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
