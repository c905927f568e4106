import type { ScriptResult } from "../world/ssm/command.ts";
import type { InstanceState } from "./network/state.ts";

/** A script that a host's agent was told to run. */
export interface Order {
  readonly instance: InstanceState;
  readonly script: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
}

/** Runs an order on its host once; the signal ends its processes at once, as SSM's cancel does. */
export type RunOrder = (order: Order, kill?: AbortSignal) => Promise<ScriptResult>;

/** What somebody who tests the product puts between it and its surroundings. Nothing, as the lab is opened. */
export interface Hooks {
  /** In the place of running an order once. */
  aroundOrder: ((order: Order, run: RunOrder, kill?: AbortSignal) => Promise<ScriptResult>) | null;
  /** The file that is served for an archive of the bundle by its key; null when the bucket is to have none. */
  archiveOf: (key: string, file: string) => string | null;
  /** Every value that was written to a SecureString. */
  readonly secrets: Set<string>;
}

export const noHooks = (): Hooks => ({ aroundOrder: null, archiveOf: (_, file) => file, secrets: new Set() });
