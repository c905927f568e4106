import type { GetExecutionHistoryCommandInput, HistoryEvent as SentEvent } from "@aws-sdk/client-sfn";
import type { HistoryEvent } from "./asl/history.ts";
import { fault } from "./fault.ts";

/**
 * The field in which an event of this type has its own facts. By the API reference (HistoryEvent), the events of a Parallel state and a
 * function's start have none: what a branch failed of stands in the event before.
 */
function detailsField(type: string): string | null {
  if (type.endsWith("StateEntered")) return "stateEnteredEventDetails";
  if (type.endsWith("StateExited")) return "stateExitedEventDetails";
  if (type.startsWith("ParallelState") || type === "LambdaFunctionStarted") return null;
  return `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`;
}

/** Nothing here is so long that AWS would cut it off. */
const whole = { truncated: false, included: true };

function sent({ id, previousEventId, timestamp, type, details: all }: HistoryEvent, isWithData: boolean): SentEvent {
  const field = detailsField(type);
  const { input, output, ...rest } = all;
  const details = isWithData ? all : rest;
  const about = {
    ...("input" in details && { inputDetails: whole }),
    ...("output" in details && { outputDetails: whole }),
  };
  const event = { id, previousEventId, timestamp: new Date(timestamp), type };
  return { ...event, ...(field !== null && { [field]: { ...details, ...about } }) } as SentEvent;
}

type Asked = Pick<GetExecutionHistoryCommandInput, "maxResults" | "reverseOrder" | "includeExecutionData" | "nextToken">;

/** One page of a history, the oldest or the newest first. The token is the id of the next event. */
export function historyPage(
  events: readonly HistoryEvent[],
  { maxResults = 100, reverseOrder = false, includeExecutionData = true, nextToken }: Asked,
) {
  const ordered = reverseOrder ? events.toReversed() : events;
  const from = nextToken === undefined ? 0 : ordered.findIndex(({ id }) => String(id) === nextToken);
  if (from === -1) throw fault("sfn", "InvalidToken", `Invalid Token: '${nextToken}'`);
  const end = from + maxResults;
  const next = ordered[end];
  return {
    events: ordered.slice(from, end).map((event) => sent(event, includeExecutionData)),
    ...(next !== undefined && { nextToken: String(next.id) }),
  };
}
