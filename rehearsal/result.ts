import type { HistoryEvent } from "./world/asl/history.ts";
import type { CallRecord } from "./world/door.ts";
import type { InventoryItem } from "./world/service.ts";

/** Everything one rehearsal found out. `--json` prints a part of it, the report draws it. */
export interface Rehearsal {
  /** ready: the cluster is up. destroyed: nothing of it is left. failed: it went wrong, and says why. refused: the request was wrong. */
  readonly status: "ready" | "destroyed" | "failed" | "refused";
  readonly seed: number;
  readonly error: { readonly name: string; readonly cause: string; readonly state: string } | null;
  readonly execution: {
    readonly machine: string;
    /** What Step Functions bills: states entered and retries. */
    readonly transitions: number;
    readonly virtualSeconds: number;
    /** Seconds of the critical path that are not spent waiting for AWS or for a script: transitions, cold starts, poll slack. */
    readonly ownSeconds: number;
    readonly criticalPath: readonly { readonly state: string; readonly seconds: number; readonly on: "aws" | "node" | "own" }[];
    readonly largestStateBytes: number;
  };
  readonly calls: { readonly total: number; readonly throttled: number; readonly byOperation: Readonly<Record<string, number>> };
  readonly inventory: { readonly before: readonly InventoryItem[]; readonly after: readonly InventoryItem[] };
  readonly cluster: {
    readonly name: string;
    readonly generation: number;
    readonly apiEndpoint: string;
    readonly nodes: readonly {
      readonly name: string;
      readonly role: string;
      readonly ready: boolean;
      readonly providerID: string;
    }[];
  } | null;
  readonly certificate: {
    readonly isolated: boolean;
    readonly checks: readonly { readonly name: string; readonly passed: boolean; readonly evidence: string }[];
    /** What no check covers. */
    readonly notVerified?: readonly string[];
  } | null;
  readonly audit: {
    readonly secretLeaks: readonly string[];
    readonly breaches: readonly string[];
    readonly foreignTouched: readonly string[];
  };
  /** Not printed by --json: the execution's own last word, where it has one beside the cluster. */
  readonly summary: string;
  readonly history: readonly HistoryEvent[];
  readonly callRecords: readonly CallRecord[];
}
