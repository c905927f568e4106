import type { DescribeExecutionCommandInput, StartExecutionCommandInput, StopExecutionCommandInput } from "@aws-sdk/client-sfn";
import type { Execution } from "./asl/execution.ts";
import type { StepFunctions } from "./asl/step-functions.ts";
import { fault } from "./fault.ts";
import { reads, writes } from "./operation.ts";
import type { Service } from "./service.ts";

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
        const { arn, name, outcome } = this.#find(executionArn);
        const output = outcome?.output;
        return {
          executionArn: arn,
          name,
          status: outcome?.status ?? "RUNNING",
          output: output === undefined ? undefined : JSON.stringify(output),
        };
      }),
      StopExecution: writes<StopExecutionCommandInput>(
        ["executionArn", "error", "cause"],
        ({ executionArn = "", error = "", cause = "" }) => {
          this.#find(executionArn).stop(error, cause);
          return {};
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

  /** The same name with the same input while it runs is the same execution; a closed one's name is taken (Step Functions, StartExecution). */
  #start({ stateMachineArn = "", name = "", input = "{}" }: StartExecutionCommandInput) {
    const machine = stateMachineArn.split(":").at(-1) ?? "";
    const present = this.#stepFunctions.executions.get(this.#stepFunctions.executionArn(machine, name));
    if (present !== undefined) {
      if (present.outcome === null && JSON.stringify(present.input) === JSON.stringify(JSON.parse(input)))
        return { executionArn: present.arn };
      throw fault("sfn", "ExecutionAlreadyExists", `Execution Already Exists: '${present.arn}'`);
    }
    return { executionArn: this.#stepFunctions.start(machine, name, JSON.parse(input)).arn };
  }
}
