import type { Execution } from "./world/asl/execution.ts";
import type { HistoryEvent } from "./world/asl/history.ts";

/** How a fault became the reason that an execution gives at its end. */
export interface Reason {
  /** The state that named it. */
  readonly state: string;
  /** Virtual, from the fault to the name. */
  readonly seconds: number;
  /** How many looks that state began after the fault, the one that named it included: none where the fault met a look. */
  readonly looks: number;
}

const isFailure = ({ type }: HistoryEvent): boolean => /^LambdaFunction(?:Failed|TimedOut)$/.test(type);

/** The state that an event of a Task is about, with the time at which it was entered. */
export function stateOf(event: HistoryEvent, events: readonly HistoryEvent[]): { readonly name: string; readonly at: number } {
  const byId = new Map(events.map((other) => [other.id, other]));
  for (let one: HistoryEvent | undefined = event; one !== undefined; one = byId.get(one.previousEventId))
    if (one.type.endsWith("StateEntered")) return { name: String(one.details["name"]), at: one.timestamp };
  throw new RangeError(`event ${event.id} belongs to no state`);
}

/** The looks that a state has begun since, up to an event of it. */
const looksSince = (since: number, event: HistoryEvent, events: readonly HistoryEvent[]): number => {
  const { name, at } = stateOf(event, events);
  return events.filter(
    (other) =>
      other.type === "LambdaFunctionScheduled" &&
      other.id <= event.id &&
      other.timestamp >= Math.max(since, at) &&
      stateOf(other, events).name === name,
  ).length;
};

/** From a fault at that time to the event that named it, both of one execution. */
export const reasonAt = (faultAt: number, event: HistoryEvent, events: readonly HistoryEvent[]): Reason => ({
  state: stateOf(event, events).name,
  seconds: (event.timestamp - faultAt) / 1000,
  looks: looksSince(faultAt, event, events),
});

/** Null where the execution did not fail, or not by this code: its reason is the one that a function of its own gave. */
export function reasonOf({ outcome, history: { events } }: Execution, code: string, faultAt: number): Reason | null {
  if (outcome?.status !== "FAILED" || outcome.cause?.includes(code) !== true) return null;
  const isIt = ({ details }: HistoryEvent) => details["error"] === outcome.error && details["cause"] === outcome.cause;
  const named = events.find((event) => isFailure(event) && isIt(event));
  return named === undefined || named.timestamp < faultAt ? null : reasonAt(faultAt, named, events);
}

/** What made the machine turn to its end, before it wrote anything about it. */
export function turningPoint(events: readonly HistoryEvent[]): HistoryEvent | undefined {
  const turn = events.findIndex(({ type, details }) => type.endsWith("StateEntered") && turns.has(String(details["name"])));
  return events.slice(0, turn === -1 ? events.length : turn).findLast(isFailure);
}
const turns = new Set(["RecordFailure", "RequestRefused"]);

/** How soon faults became reasons, in figures. */
export function summaryOf(reasons: readonly Reason[]) {
  const seconds = reasons.map((reason) => reason.seconds).sort((a, b) => a - b);
  return {
    faults: reasons.length,
    looksMax: Math.max(0, ...reasons.map(({ looks }) => looks)),
    medianSeconds: seconds[Math.floor(seconds.length / 2)] ?? 0,
    longestSeconds: seconds.at(-1) ?? 0,
  };
}
