import { DescribeExecutionCommand, type SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import type { HolderState } from "../domain/cluster-record.ts";
import type { ExecutionArn, MachineArn } from "../domain/ids.ts";

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
  /** Step Functions' own word: `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`, `PENDING_REDRIVE`. */
  readonly status: string;
  readonly input: unknown;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly error: string | null;
  readonly cause: string | null;
}

/** An execution of a machine by its name, or null; Step Functions knows a closed one for 90 days. */
export async function describeExecution(sfn: SFNClient, machine: MachineArn, name: string): Promise<ExecutionView | null> {
  try {
    const executionArn = `${machine.replace(":stateMachine:", ":execution:")}:${name}`;
    const {
      status = "",
      input,
      startDate,
      stopDate,
      error,
      cause,
    } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return {
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
