import type { HistoryEvent } from "../world/asl/history.ts";

export interface PathItem {
  readonly state: string;
  readonly seconds: number;
  readonly on: "aws" | "node" | "own";
}

/** Which states spend their time waiting for AWS, and which for a script on a node; the rest is our own. */
function kindOf(state: string): PathItem["on"] {
  if (state.startsWith("AwaitCommand")) return "node";
  return /^(WaitFor|Create|Launch|Terminate|Delete)/.test(state) ? "aws" : "own";
}

/**
 * The chain of states that the run's end waited for, from the end backwards: each event names the one before it in its own branch, and a
 * Parallel's end names the last event of its slowest branch. Seconds are from one state's entry to the next one's.
 */
export function criticalPath(events: readonly HistoryEvent[]): PathItem[] {
  const byId = new Map(events.map((event) => [event.id, event]));
  const entries: HistoryEvent[] = [];
  let until = events.at(-1);
  const last = until?.timestamp ?? 0;
  for (; until !== undefined; until = byId.get(until.previousEventId))
    if (until.type.endsWith("StateEntered")) entries.unshift(until);
  return entries.map((entry, at) => ({
    state: String(entry.details["name"]),
    seconds: ((entries[at + 1]?.timestamp ?? last) - entry.timestamp) / 1000,
    on: kindOf(String(entry.details["name"])),
  }));
}
