import type {
  DescribeExecutionCommandInput,
  GetExecutionHistoryCommandInput,
  ListExecutionsCommandInput,
  StartExecutionCommandInput,
  StopExecutionCommandInput,
} from "@aws-sdk/client-sfn";
import type { Execution } from "./asl/execution.ts";
import type { StepFunctions } from "./asl/step-functions.ts";
import { fault } from "./fault.ts";
import { reads, writes } from "./operation.ts";
import type { Service } from "./service.ts";
import { historyPage } from "./sfn-history.ts";

/** Step Functions' API over the executions of the virtual account. */
export class SfnApi implements Service {
  readonly name = "sfn" as const;
  readonly operations: Service["operations"];
  readonly #stepFunctions: StepFunctions;

  constructor(stepFunctions: StepFunctions) {
    this.#stepFunctions = stepFunctions;
    this.operations = {
      StartExecution: writes<StartExecutionCommandInput>(["stateMachineArn", "name", "input"], (input) => this.#start(input)),
      DescribeExecution: reads<DescribeExecutionCommandInput>(["executionArn"], ({ executionArn = "" }) => {
        const execution = this.#find(executionArn);
        const { input, outcome } = execution;
        const output = outcome?.output;
        return {
          ...this.#listed(execution),
          input: JSON.stringify(input),
          inputDetails: { included: true },
          ...(output === undefined ? {} : { output: JSON.stringify(output), outputDetails: { included: true } }),
          error: outcome?.error,
          cause: outcome?.cause,
        };
      }),
      ListExecutions: reads<ListExecutionsCommandInput>(["stateMachineArn", "statusFilter", "maxResults", "nextToken"], (input) =>
        this.#list(input),
      ),
      GetExecutionHistory: reads<GetExecutionHistoryCommandInput>(
        ["executionArn", "maxResults", "reverseOrder", "includeExecutionData", "nextToken"],
        ({ executionArn = "", ...input }) => historyPage(this.#find(executionArn).history.events, input),
      ),
      StopExecution: writes<StopExecutionCommandInput>(
        ["executionArn", "error", "cause"],
        ({ executionArn = "", error = "", cause = "" }) => {
          this.#find(executionArn).stop(error, cause);
          return { stopDate: new Date(this.#stepFunctions.now()) };
        },
      ),
    };
  }

  inventory(): readonly [] {
    return [];
  }

  #find(arn: string): Execution {
    const execution = this.#stepFunctions.executions.get(arn);
    if (execution === undefined) throw fault("sfn", "ExecutionDoesNotExist", `Execution Does Not Exist: '${arn}'`);
    return execution;
  }

  #listed({ arn, name, machine, outcome, startedAt, endedAt }: Execution) {
    return {
      executionArn: arn,
      name,
      stateMachineArn: this.#stepFunctions.machineArn(machine),
      status: outcome?.status ?? "RUNNING",
      startDate: new Date(startedAt),
      stopDate: endedAt === null ? undefined : new Date(endedAt),
    };
  }

  /** Newest first, in pages. The token is the ARN that the next page begins with. */
  #list({ stateMachineArn = "", statusFilter, maxResults = 100, nextToken }: ListExecutionsCommandInput) {
    this.#machine(stateMachineArn);
    const all = [...this.#stepFunctions.executions.values()]
      .reverse()
      .map((execution) => this.#listed(execution))
      .filter((item) => item.stateMachineArn === stateMachineArn && (statusFilter ?? item.status) === item.status);
    const from = nextToken === undefined ? 0 : all.findIndex(({ executionArn }) => executionArn === nextToken);
    if (from === -1) throw fault("sfn", "InvalidToken", `Invalid Token: '${nextToken}'`);
    const end = from + maxResults;
    return { executions: all.slice(from, end), nextToken: all[end]?.executionArn };
  }

  #machine(arn: string): string {
    const machine = arn.split(":").at(-1) ?? "";
    if (!this.#stepFunctions.hasMachine(machine))
      throw fault("sfn", "StateMachineDoesNotExist", `State Machine Does Not Exist: '${arn}'`);
    return machine;
  }

  /** The same name with the same input while it runs is the same execution; a closed one's name is taken (Step Functions, StartExecution). */
  #start({ stateMachineArn = "", name, input = "{}" }: StartExecutionCommandInput) {
    const machine = this.#machine(stateMachineArn);
    const wanted = name ?? this.#stepFunctions.freeName(machine, "unnamed");
    const execution = this.#stepFunctions.startNamed(machine, wanted, JSON.parse(input));
    if (execution === null) throw fault("sfn", "ExecutionAlreadyExists", `Execution Already Exists: '${wanted}' of ${machine}`);
    return { executionArn: execution.arn, startDate: new Date(execution.startedAt) };
  }
}
