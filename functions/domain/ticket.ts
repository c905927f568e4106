import { createHash } from "node:crypto";
import * as z from "zod";

/** What a caller calls his request: one ticket is one execution, however often it is sent. */
export const Ticket = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "1 to 64 letters, digits, hyphens or underscores");
export type Ticket = z.infer<typeof Ticket>;

/** Two callers may use the same ticket; neither sees the other's. */
export const executionName = (caller: string, ticket: Ticket): string =>
  `ticket-${createHash("sha256").update(`${caller}\n${ticket}`).digest("hex").slice(0, 48)}`;

/** The same for the same content, in whatever order its fields came. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(",")}}`;
}

/** Who calls, by IAM's ARN; the sessions of a role are one caller. A caller without IAM is `key:<his key's name>`, which is no ARN. */
export const callerOf = (userArn: string): string => userArn.replace(/^(arn:[^:]+:sts::\d{12}:assumed-role\/[^/]+)\/.*$/, "$1");
