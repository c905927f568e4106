import { Aws, RemovalPolicy } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { DefinitionBody, LogLevel, StateMachine } from "aws-cdk-lib/aws-stepfunctions";
import { Construct } from "constructs";
import type { CloisterFunction } from "./cloister-function.ts";
import type { Options } from "./options.ts";

/** The name under which the stack deploys a machine of statemachine/. */
const machineName = (machine: string): string => `cloister-${machine}`;
export const machineArn = (machine: string): string =>
  `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:stateMachine:${machineName(machine)}`;

/** `build-cluster` is `${BuildClusterArn}` in the files, as steps are. */
const machinePlace = (machine: string): string =>
  `${machine.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())}Arn`;

/** The files name AWS's own integrations in the partition `aws`, which is one of several. */
const ownIntegration = /arn:aws:states:::([\w:.]+)/g;
/** `states:startExecution.sync:2` is `${StatesStartExecutionSync2}`. */
const integrationPlace = (integration: string): string =>
  integration.replaceAll(/(?:^|[:.])(\w)/g, (_, letter: string) => letter.toUpperCase());

export interface MachineProps {
  readonly machine: string;
  /** The file's text. It goes into the template as it is, so that a diff shows what changes. */
  readonly definition: string;
  /** `${...Arn}` -> the step's function. */
  readonly steps: ReadonlyMap<string, CloisterFunction>;
  /** Every machine that there is; which ones are started stands in the definition. */
  readonly machines: readonly string[];
  readonly options: Options;
}

/** A state machine from its file, with what it may call: its steps' functions, and the machines that it starts. */
export class Machine extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, { machine, definition, steps, machines, options }: MachineProps) {
    super(scope, id);
    const integrations = [...new Set([...definition.matchAll(ownIntegration)].map(([, integration = ""]) => integration))];
    const named = new Set([...definition.matchAll(/\$\{(\w+)\}/g)].map(([, place = ""]) => place));
    const called = [...steps].filter(([place]) => named.has(place));
    const started = machines.filter((other) => named.has(machinePlace(other)));
    const substitutions = Object.fromEntries([
      ...called.map(([place, step]) => [place, step.version.functionArn]),
      ...started.map((other) => [machinePlace(other), machineArn(other)]),
      ...integrations.map((integration) => [integrationPlace(integration), `arn:${Aws.PARTITION}:states:::${integration}`]),
    ]);
    const unknown = [...named].filter((place) => substitutions[place] === undefined);
    if (unknown.length > 0) throw new RangeError(`${machine}: nothing to put in the place of ${unknown.join(", ")}`);

    this.stateMachine = new StateMachine(this, "Machine", {
      stateMachineName: machineName(machine),
      definitionBody: DefinitionBody.fromString(
        definition.replaceAll(ownIntegration, (_, integration: string) => `\${${integrationPlace(integration)}}`),
      ),
      definitionSubstitutions: substitutions,
      tracingEnabled: options.xray,
      logs: {
        level: LogLevel.ALL,
        includeExecutionData: true,
        destination: new LogGroup(this, "Log", {
          // Under this prefix the log group's policy needs no line for each machine.
          logGroupName: `/aws/vendedlogs/states/${machineName(machine)}`,
          retention: options.logRetentionDays,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    });
    this.#allow(
      called.map(([, step]) => step),
      started,
    );
  }

  #allow(called: readonly CloisterFunction[], started: readonly string[]): void {
    if (called.length > 0)
      this.stateMachine.addToRolePolicy(
        new PolicyStatement({
          actions: ["lambda:InvokeFunction"],
          // Every version: an execution that began before a deploy goes on with the old ones.
          resources: called.map((step) => `${step.function.functionArn}:*`),
        }),
      );
    if (started.length === 0) return;
    // What `startExecution.sync:2` needs: https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
    this.stateMachine.addToRolePolicy(
      new PolicyStatement({ actions: ["states:StartExecution"], resources: started.map(machineArn) }),
    );
    this.stateMachine.addToRolePolicy(
      new PolicyStatement({
        actions: ["states:DescribeExecution", "states:StopExecution"],
        resources: started.map(
          (other) => `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:execution:${machineName(other)}:*`,
        ),
      }),
    );
    this.stateMachine.addToRolePolicy(
      new PolicyStatement({
        actions: ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
        resources: [
          `arn:${Aws.PARTITION}:events:${Aws.REGION}:${Aws.ACCOUNT_ID}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule`,
        ],
      }),
    );
  }
}
