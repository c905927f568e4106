import { isRefusal } from "./fault.ts";

/** `asked`: AWS took the call, and the thing goes or is gone. Otherwise why it cannot go yet, in AWS's words. */
export type Removal = "asked" | { readonly blocked: string };

/** Something still holds it: it is tried again once that has gone (facts 7.3). */
const blocked = [
  "DependencyViolation",
  "ResourceInUse",
  "InvalidGroup.InUse",
  "InvalidNetworkInterface.InUse",
  "InvalidSnapshot.InUse",
  "IncorrectState",
  "IncorrectInstanceState",
  "VolumeInUse",
];

/** "Already gone" in every service's words: `InvalidVpcID.NotFound`, `LoadBalancerNotFound`, `Gateway.NotAttached`. */
const isAbsent = (error: unknown): boolean =>
  error instanceof Error && /(?:NotFound|\.NotAttached)(?:Exception)?$/.test(error.name);

/** One call that removes something. Already gone is success; whatever else goes wrong is thrown on. */
export async function removal(call: () => Promise<unknown>): Promise<Removal> {
  try {
    await call();
  } catch (error) {
    if (isRefusal(error, ...blocked)) return { blocked: error.message };
    if (!isAbsent(error)) throw error;
  }
  return "asked";
}
