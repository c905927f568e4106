import { paginateGetExecutionHistory, type HistoryEvent as SentEvent, type SFNClient } from "@aws-sdk/client-sfn";
import { failedState, firstCause } from "../../rehearsal/report/failure.ts";
import type { HistoryEvent } from "../../rehearsal/world/asl/history.ts";
import type { Host } from "./host.ts";

/** A page of history; a look every two seconds reads seldom more than one. */
const pageSize = 200;
/** Between two looks. Step Functions gives out 20 pages of history a second to an account (its quotas page), to all who look. */
const lookSeconds = 2;

export interface Ending {
  readonly execution: string;
  /** Step Functions' own word. */
  readonly status: "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";
  /** The request was refused before anything changed. */
  readonly isRefused: boolean;
  readonly error: { readonly name: string; readonly cause: string; readonly state: string } | null;
  readonly output: Readonly<Record<string, unknown>>;
  readonly seconds: number;
}

const endings: Readonly<Record<string, Ending["status"]>> = {
  ExecutionSucceeded: "SUCCEEDED",
  ExecutionFailed: "FAILED",
  ExecutionTimedOut: "TIMED_OUT",
  ExecutionAborted: "ABORTED",
};

/** One execution's events as they come, in the shape that the live view reads. */
class Reader {
  readonly execution: string;
  /** Nothing of a child is shown before the state that started it, though Step Functions may have dated it earlier. */
  readonly #notBefore: number;
  #last = 0;
  #failure: Readonly<Record<string, unknown>> = {};

  constructor(execution: string, notBefore: number) {
    this.execution = execution;
    this.#notBefore = notBefore;
  }

  /** What happened since the last look: read from the end, so that a long history costs no more than a short one. */
  async look(client: SFNClient): Promise<readonly HistoryEvent[]> {
    const fresh: SentEvent[] = [];
    const input = { executionArn: this.execution, reverseOrder: true, maxResults: pageSize };
    for await (const { events = [] } of paginateGetExecutionHistory({ client }, input)) {
      const unseen = events.filter(({ id = 0 }) => id > this.#last);
      fresh.push(...unseen);
      if (unseen.length < events.length) break;
    }
    this.#last = fresh[0]?.id ?? this.#last;
    return fresh.reverse().map((event) => this.#read(event));
  }

  #read({ id = 0, previousEventId = 0, timestamp, type, ...rest }: SentEvent): HistoryEvent {
    const own = Object.entries(rest).find(([field]) => field.endsWith("EventDetails"))?.[1] as
      | Record<string, unknown>
      | undefined;
    // A call that could not even begin is a failed call; the event of a failed Parallel state does not say of what it failed.
    const plain = String(type).replace(/^(LambdaFunction|Task)(?:Schedule|Start|Submit)Failed$/, "$1Failed");
    const details = plain === "ParallelStateFailed" ? this.#failure : (own ?? {});
    if (/^(?:LambdaFunction|Task)(?:Failed|TimedOut)$/.test(plain)) this.#failure = details;
    const at = Math.max(timestamp?.getTime() ?? 0, this.#notBefore);
    return { execution: this.execution, id, previousEventId, timestamp: at, type: plain, details };
  }
}

/** The executions that these events tell of having started. */
const startedBy = (events: readonly HistoryEvent[]): Reader[] =>
  events.flatMap(({ type, details, timestamp }) => {
    if (type !== "TaskSubmitted" || details["resourceType"] !== "states") return [];
    const { ExecutionArn } = JSON.parse(String(details["output"])) as { ExecutionArn: string };
    return [new Reader(ExecutionArn, timestamp)];
  });

/** Looks at an execution and all that it starts until it is over, and tells of each event. */
export async function follow(host: Host, execution: string, onEvent: (event: HistoryEvent) => void): Promise<Ending> {
  const readers = [new Reader(execution, 0)];
  const story: HistoryEvent[] = [];
  for (;;) {
    const fresh: HistoryEvent[] = [];
    // A child that is found is read in the same look.
    for (let next = 0; next < readers.length; next++) {
      const events = (await readers[next]?.look(host.clients.sfn)) ?? [];
      fresh.push(...events);
      readers.push(...startedBy(events));
    }
    fresh.sort((a, b) => a.timestamp - b.timestamp);
    for (const event of fresh) onEvent(event);
    story.push(...fresh);
    const end = fresh.find((event) => event.execution === execution && event.type in endings);
    if (end !== undefined) return endingOf(execution, end, story);
    await host.sleep(lookSeconds);
  }
}

function endingOf(execution: string, { type, details, timestamp }: HistoryEvent, story: readonly HistoryEvent[]): Ending {
  const status = endings[type] ?? "FAILED";
  const own = story.filter((event) => event.execution === execution);
  const last = own.findLast((event) => event.type.endsWith("StateEntered"))?.details["name"];
  const {
    error,
    cause,
    output = "{}",
  } = details as { readonly error?: string; readonly cause?: string; readonly output?: string };
  const outcome = { status, ...(error !== undefined && { error }), ...(cause !== undefined && { cause }) };
  return {
    execution,
    status,
    isRefused: status === "FAILED" && last === "RequestRefused",
    error: status === "SUCCEEDED" ? null : { ...firstCause(outcome), state: failedState(story) },
    output: JSON.parse(output) as Ending["output"],
    seconds: (timestamp - (own[0]?.timestamp ?? timestamp)) / 1000,
  };
}
