import type { Aws } from "../../functions/aws/aws.ts";
import { type DocumentName, documents } from "../../functions/domain/documents.ts";
import type { Log } from "../../functions/step.ts";
import { functionArn, loadSteps, machineNames, machineText, substitute } from "../lambdas.ts";
import { shippedDocument } from "../shipped.ts";
import type { HistoryEvent } from "../world/asl/history.ts";
import { StepFunctions } from "../world/asl/step-functions.ts";
import { Agents } from "../world/ssm/agents.ts";
import { RunCommand } from "../world/ssm/run-command.ts";
import { NoDelays, type RealClock } from "./clock.ts";
import { account, region } from "./cloud/aws.ts";
import { patient } from "./waits.ts";

/** What stands between the product and moto: the interpreter with the shipped machines and handlers, Run Command, the agents. */
export interface Stage {
  readonly clock: RealClock;
  readonly stepFunctions: StepFunctions;
  /** Every function by its ARN. */
  readonly functions: ReadonlyMap<string, (event: unknown) => Promise<unknown>>;
  readonly commands: RunCommand;
  readonly agents: Agents;
  /** What happens the moment a step has ended well, and perhaps to its output: what an ablation plants. */
  readonly afterStep: Map<string, (output: unknown, input: unknown) => Promise<unknown>>;
}

export interface StageOptions {
  readonly clock: RealClock;
  readonly patience: number;
  readonly aws: () => Aws;
  readonly log: Log;
  readonly onEvent: (event: HistoryEvent) => void;
}

/** The shipped machines with every shipped handler behind them, in this process, each call with the clients of `aws`. */
export async function openStage({ clock, patience, aws, log, onEvent }: StageOptions): Promise<Stage> {
  const universe = { clock, chance: new NoDelays(clock.now() % 1_000_000), region, account };
  const stepFunctions = new StepFunctions(universe, onEvent);
  const afterStep: Stage["afterStep"] = new Map();
  const functions = new Map<string, (event: unknown) => Promise<unknown>>();
  for (const [name, step] of await loadSteps()) {
    const arn = functionArn(name, { region, account });
    const invoke = async (event: unknown) => {
      const output = await step.execute(event, aws(), log);
      return (await afterStep.get(name)?.(output, event)) ?? output;
    };
    functions.set(arn, invoke);
    stepFunctions.addFunction(arn, invoke);
  }
  for (const name of machineNames)
    stepFunctions.addMachine(name, patient(substitute(machineText(name), { region, account }), clock.scale, patience));
  const agents = new Agents(() => clock.now());
  const commands = new RunCommand(universe, agents);
  for (const name of Object.keys(documents) as DocumentName[]) {
    const document = shippedDocument(name);
    commands.documents.set(document.name, document);
  }
  return { clock, stepFunctions, functions, commands, agents, afterStep };
}
