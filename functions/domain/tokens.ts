import { createHash } from "node:crypto";
import type { Lock } from "./lock.ts";

/**
 * The client token of one create call: 64 hexadecimal digits, AWS's most. `ordinal` counts those that exist in any state, ended ones
 * included, because a token answers with its dead instance for a day (facts 8.1).
 */
export const clientToken = (
  { execution, generation }: Pick<Lock, "execution" | "generation">,
  logicalName: string,
  zone: string,
  ordinal: number,
): string => createHash("sha256").update([execution, generation, logicalName, zone, ordinal].join("\n")).digest("hex");
