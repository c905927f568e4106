import type { HistoryEvent } from "../world/asl/history.ts";
import type { Outcome } from "../world/asl/host.ts";
import { readableCause } from "./waterfall.ts";

/** The error of the innermost execution that failed: a nested one's end is the Cause of the state that started it. */
export function firstCause({ status, error = status, cause = "" }: Pick<Outcome, "status" | "error" | "cause">): {
  readonly name: string;
  readonly cause: string;
} {
  if (error !== "States.TaskFailed") return { name: error, cause: readableCause(cause) };
  const { Error: inner, Cause } = JSON.parse(cause) as { readonly Error?: string; readonly Cause?: string };
  return firstCause({ status, ...(inner !== undefined && { error: inner }), ...(Cause !== undefined && { cause: Cause }) });
}

/** The state in which things went wrong: the last one that ended in an error before the machine turned to its end. */
export function failedState(events: readonly HistoryEvent[]): string {
  const end = events.findIndex(({ type, details }) => type === "TaskStateEntered" && details["name"] === "RecordFailure");
  const story = end === -1 ? events : events.slice(0, end);
  const failure = story.findLast(({ type }) => /^LambdaFunction(Failed|TimedOut)$/.test(type));
  // Ids count within one execution.
  const byId = new Map(events.flatMap((event) => (event.execution === failure?.execution ? [[event.id, event] as const] : [])));
  for (let event = failure; event !== undefined; event = byId.get(event.previousEventId)) {
    if (event.type.endsWith("StateEntered")) return String(event.details["name"]);
  }
  return "";
}
