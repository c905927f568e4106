import type { HistoryEvent } from "../world/asl/history.ts";

/** What a Cause says, freed of what Lambda wraps around it. */
export function messageIn(cause: string): string {
  try {
    return (JSON.parse(cause) as { errorMessage?: string }).errorMessage ?? cause;
  } catch {
    return cause;
  }
}

/** The state in which things went wrong, and how: the last function that failed before the machine turned to its end. */
export function firstFailure(events: readonly HistoryEvent[]): {
  readonly state: string;
  readonly error: string;
  readonly cause: string;
} {
  const end = events.findIndex(({ type, details }) => type === "TaskStateEntered" && details["name"] === "RecordFailure");
  const failed = events.slice(0, end === -1 ? events.length : end).findLast(({ type }) => type === "LambdaFunctionFailed");
  const byId = new Map(events.map((event) => [event.id, event]));
  let at = failed;
  while (at !== undefined && !at.type.endsWith("StateEntered")) at = byId.get(at.previousEventId);
  return {
    state: String(at?.details["name"] ?? ""),
    error: String(failed?.details["error"] ?? ""),
    cause: messageIn(String(failed?.details["cause"] ?? "")),
  };
}
