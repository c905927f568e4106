import type { HistoryEvent } from "../world/asl/history.ts";

/** One call of a state's function. Times are milliseconds of the virtual clock. */
export interface Attempt {
  readonly startedAt: number;
  endedAt: number | null;
  /** The error's name; null for an answer, or while it runs. */
  error: string | null;
  /** What a person should read of the error. */
  message: string | null;
}

/** done: at the first try, waiting aside. retried: after other errors. failed: caught or not. stopped: another branch failed first. */
type VisitOutcome = "running" | "done" | "retried" | "failed" | "stopped";

/** One stay in a state. A state entered twice has two. Times are milliseconds of the virtual clock. */
export interface Visit {
  readonly name: string;
  /** Task, Choice, Parallel, Pass, Wait, Succeed or Fail. */
  readonly type: string;
  readonly enteredAt: number;
  exitedAt: number | null;
  readonly attempts: Attempt[];
  /** 0 on the main line, 1 inside a Parallel state or a nested execution. */
  readonly depth: number;
  /** The visit of the Parallel state around it, or of the state that started its execution. */
  readonly parent: Visit | null;
  /** The first state of its branch: branches begin in no fixed order, so a number would not name one. */
  readonly branch: string | null;
  outcome: VisitOutcome;
  /** The last thing this state waited for, in the step's own words; kept after the wait is over. */
  waitingFor: string | null;
}

/** A wait is told by its error: the state's Retry is the waiting (rule 8). */
export const isWait = ({ error }: Attempt): boolean => error === "NotReadyError";

/** When the wait was over, as far as anybody looked: the start of the attempt after the last NotReadyError. Null without a wait. */
export function waitedUntil({ attempts, exitedAt }: Visit): number | null {
  const last = attempts.findLastIndex(isWait);
  if (last === -1) return null;
  return attempts[last + 1]?.startedAt ?? exitedAt ?? attempts[last]?.endedAt ?? null;
}

/** Lambda wraps what a function throws in JSON; a person wants the message. Any other cause stays as it is. */
export function readableCause(cause: unknown): string {
  const text = typeof cause === "string" ? cause : "";
  try {
    const { errorMessage } = JSON.parse(text) as { errorMessage?: unknown };
    return typeof errorMessage === "string" ? errorMessage : text;
  } catch {
    return text;
  }
}

/** The visits of a history, in the order of entry. */
export function visits(history: readonly HistoryEvent[]): Visit[] {
  const log = new VisitLog();
  for (const event of history) log.add(event);
  return log.visits;
}

/** Reads a history event by event, so that a live view need not begin again at each. */
export class VisitLog {
  readonly visits: Visit[] = [];
  /** Each event's visit; null outside of any. Events name only the one before them, so this is how a branch is known. */
  readonly #visitOf = new Map<string, { readonly visit: Visit | null; readonly type: string }>();
  /** The state that started a nested execution. */
  readonly #starters = new Map<string, Visit>();

  /** The visit that the event belongs to, null for the execution's own events. */
  add(event: HistoryEvent): Visit | null {
    const visit = event.type.endsWith("StateEntered") ? this.#enter(event) : this.#within(event);
    this.#visitOf.set(keyOf(event, event.id), { visit, type: event.type });
    if (visit !== null) apply(visit, event);
    const started = event.type === "TaskSubmitted" ? startedBy(event) : null;
    if (visit !== null && started !== null) this.#starters.set(started, visit);
    if (event.type === "ParallelStateFailed" || /^Execution(Succeeded|Failed|TimedOut|Aborted)$/.test(event.type)) {
      this.#close(visit ?? this.#starters.get(event.execution) ?? null, event);
    }
    return visit;
  }

  #enter(event: HistoryEvent): Visit {
    const { details, previousEventId, timestamp, type, execution } = event;
    const before = this.#visitOf.get(keyOf(event, previousEventId));
    const name = String(details["name"]);
    const isBranchStart = before?.type === "ParallelStateStarted";
    const starter = this.#starters.get(execution) ?? null;
    const parent = (isBranchStart ? before.visit : before?.visit?.parent) ?? starter;
    const visit: Visit = {
      name,
      type: type.replace("StateEntered", ""),
      enteredAt: timestamp,
      exitedAt: null,
      attempts: [],
      depth: parent === null ? 0 : parent.depth + 1,
      parent,
      branch: isBranchStart ? name : (before?.visit?.branch ?? null),
      outcome: "running",
      waitingFor: null,
    };
    this.visits.push(visit);
    return visit;
  }

  #within(event: HistoryEvent): Visit | null {
    const { previousEventId, type } = event;
    const before = this.#visitOf.get(keyOf(event, previousEventId));
    if (type.startsWith("Execution")) return null;
    // A Parallel state's end follows the last event of its branches, or its own start when no branch came to anything.
    const endsBranches = type === "ParallelStateSucceeded" || type === "ParallelStateFailed";
    if (endsBranches && before?.type !== "ParallelStateStarted") return before?.visit?.parent ?? null;
    return before?.visit ?? null;
  }

  /** What is still open in a Parallel state, or in the whole run, when it ends: a Fail state has no exit, and neither have branches that were cut off. */
  #close(around: Visit | null, { timestamp, details }: HistoryEvent): void {
    for (const visit of this.visits) {
      if (visit.outcome !== "running" || !isInside(visit, around)) continue;
      visit.exitedAt = timestamp;
      const last = visit.attempts.at(-1);
      const isCulprit = last !== undefined && last.error === details["error"] && last.message === readableCause(details["cause"]);
      visit.outcome = visit.type === "Fail" || isCulprit ? "failed" : "stopped";
    }
  }
}

const keyOf = ({ execution }: HistoryEvent, id: number): string => `${execution} ${id}`;

/** The execution that a nested start gave, by its answer. */
function startedBy({ details }: HistoryEvent): string | null {
  const { ExecutionArn } = JSON.parse(String(details["output"])) as { ExecutionArn?: string };
  return ExecutionArn ?? null;
}

const isInside = ({ parent }: Visit, around: Visit | null): boolean =>
  around === null || (parent !== null && (parent === around || isInside(parent, around)));

function apply(visit: Visit, { type, timestamp, details }: HistoryEvent): void {
  const attempt = visit.attempts.at(-1);
  if (type === "LambdaFunctionScheduled" || type === "TaskScheduled" || type === "ParallelStateStarted") {
    visit.attempts.push({ startedAt: timestamp, endedAt: null, error: null, message: null });
  } else if (/^(LambdaFunction|Task|ParallelState)(Failed|TimedOut)$/.test(type) && attempt !== undefined) {
    attempt.endedAt = timestamp;
    attempt.error = String(details["error"]);
    attempt.message = readableCause(details["cause"]);
    if (isWait(attempt)) visit.waitingFor = attempt.message;
  } else if (/(Function|Task|ParallelState)Succeeded$/.test(type) && attempt !== undefined) {
    attempt.endedAt = timestamp;
  } else if (type.endsWith("StateExited")) {
    visit.exitedAt = timestamp;
    visit.outcome = outcomeOf(visit);
  }
}

/** A state that is left with its last attempt failed was left by a Catch. */
function outcomeOf({ attempts, type }: Visit): VisitOutcome {
  if (type === "Fail" || (attempts.at(-1)?.error ?? null) !== null) return "failed";
  return attempts.some((attempt) => attempt.error !== null && !isWait(attempt)) ? "retried" : "done";
}
