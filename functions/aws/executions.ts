import {
  DescribeExecutionCommand,
  type ExecutionStatus,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  type SFNClient,
  StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import type { HolderState } from "../domain/cluster-record.ts";
import { ExecutionArn, type MachineArn } from "../domain/ids.ts";

/** Whether an execution still runs. One that cannot be found may be too young to be seen: `unknown`. */
export async function executionState(sfn: SFNClient, execution: ExecutionArn): Promise<HolderState> {
  try {
    const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn: execution }));
    return status === "RUNNING" || status === "PENDING_REDRIVE" ? "running" : "ended";
  } catch (error) {
    if (error instanceof Error && error.name === "ExecutionDoesNotExist") return "unknown";
    throw error;
  }
}

/** Starts an execution under a name of its own. `taken`: one with that name was started before, by whoever came to the same conclusion. */
export async function startExecution(
  sfn: SFNClient,
  machine: MachineArn,
  name: string,
  input: unknown,
): Promise<"started" | "taken"> {
  try {
    await sfn.send(new StartExecutionCommand({ stateMachineArn: machine, name, input: JSON.stringify(input) }));
    return "started";
  } catch (error) {
    if (error instanceof Error && error.name === "ExecutionAlreadyExists") return "taken";
    throw error;
  }
}

export interface ExecutionView {
  readonly arn: ExecutionArn;
  /** Step Functions' own word: `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`, `PENDING_REDRIVE`. */
  readonly status: ExecutionStatus;
  readonly input: unknown;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly error: string | null;
  readonly cause: string | null;
}

/** An execution of a machine by its name, or null. */
export const describeExecution = (sfn: SFNClient, machine: MachineArn, name: string): Promise<ExecutionView | null> =>
  describeExecutionByArn(sfn, ExecutionArn.parse(`${machine.replace(":stateMachine:", ":execution:")}:${name}`));

/** An execution, or null; Step Functions knows a closed one for 90 days. */
export async function describeExecutionByArn(sfn: SFNClient, executionArn: ExecutionArn): Promise<ExecutionView | null> {
  try {
    const {
      status = "RUNNING",
      input,
      startDate,
      stopDate,
      error,
      cause,
    } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return {
      arn: executionArn,
      status,
      input: JSON.parse(input ?? "null"),
      startedAt: startDate ?? null,
      endedAt: stopDate ?? null,
      error: error ?? null,
      cause: cause ?? null,
    };
  } catch (error) {
    if (error instanceof Error && error.name === "ExecutionDoesNotExist") return null;
    throw error;
  }
}

/** The most that one GetExecutionHistory gives, and how many of them are read: a build has about 600 events, 10,000 at the very worst. */
const eventsMax = 1000;
const pagesMax = 3;

export interface ExecutionProgress {
  readonly state: string;
  readonly since: Date;
  /** States entered, as far as the pages that are read reach back. */
  readonly entered: number;
}

/** An execution's newest events, the newest first. None of one that is too young to be seen: the history is eventually consistent. */
async function newestEvents(sfn: SFNClient, execution: ExecutionArn): Promise<readonly HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let token: string | undefined;
  try {
    for (let page = 0; page < pagesMax && (page === 0 || token !== undefined); page++) {
      const ask = { executionArn: execution, reverseOrder: true, maxResults: eventsMax, includeExecutionData: false };
      const answer = await sfn.send(new GetExecutionHistoryCommand({ ...ask, ...(token !== undefined && { nextToken: token }) }));
      events.push(...(answer.events ?? []));
      token = answer.nextToken;
    }
  } catch (error) {
    if (!(error instanceof Error && error.name === "ExecutionDoesNotExist")) throw error;
  }
  return events;
}

/** Where an execution stands, read from its newest events backwards; null where it shows none yet. */
export async function executionProgress(sfn: SFNClient, execution: ExecutionArn): Promise<ExecutionProgress | null> {
  const events = await newestEvents(sfn, execution);
  const entered = events.filter(({ type }) => type?.endsWith("StateEntered"));
  const now = lastEntered(events) ?? entered[0];
  const state = now?.stateEnteredEventDetails?.name;
  return state === undefined || now?.timestamp === undefined ? null : { state, since: now.timestamp, entered: entered.length };
}

/** The state in which the newest event happened: in a Parallel, neighbours' events stand between it and its beginning. */
function lastEntered(events: readonly HistoryEvent[]): HistoryEvent | undefined {
  const byId = new Map(events.map((event) => [event.id, event]));
  let event = events[0];
  while (event !== undefined && !event.type?.endsWith("StateEntered")) event = byId.get(event.previousEventId);
  return event;
}
