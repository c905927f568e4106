import { DescribeExecutionCommand, type SFNClient } from "@aws-sdk/client-sfn";
import type { HolderState } from "../domain/cluster-record.ts";
import type { ExecutionArn } from "../domain/ids.ts";

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
