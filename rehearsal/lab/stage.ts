import type { Aws } from "../../functions/aws/aws.ts";
import { type DocumentName, documents } from "../../functions/domain/documents.ts";
import type { Log } from "../../functions/step.ts";
import { functionArn, loadSteps, machineNames, machineText, substitute } from "../lambdas.ts";
import { shippedDocument } from "../shipped.ts";
import type { Retrier } from "../world/asl/definition.ts";
import type { HistoryEvent } from "../world/asl/history.ts";
import { StepFunctions } from "../world/asl/step-functions.ts";
import { Agents } from "../world/ssm/agents.ts";
import { RunCommand } from "../world/ssm/run-command.ts";
import { NoDelays, type RealClock } from "./clock.ts";
import { account, region } from "./cloud/aws.ts";

/** What stands between the product and moto: the interpreter with the shipped machines and handlers, Run Command, the agents. */
export interface Stage {
  readonly clock: RealClock;
  readonly stepFunctions: StepFunctions;
  readonly commands: RunCommand;
  readonly agents: Agents;
  /** What happens the moment a step has ended well, and perhaps to its output: what an ablation plants. */
  readonly afterStep: Map<string, (output: unknown, input: unknown) => Promise<unknown>>;
}

/**
 * A machine whose states look `scale` times as often and wait as long in all as the shipped ones: a loaded machine must not make a
 * wait run out. `patience` multiplies what they wait in all, for whoever is after what happens when it runs out, or must not let it.
 */
export const patient = (text: string, scale: number, patience: number): string =>
  JSON.stringify(
    JSON.parse(text, (_, value: Partial<Retrier> | null) =>
      value?.ErrorEquals?.includes("NotReadyError") && value.MaxAttempts !== undefined
        ? { ...value, MaxAttempts: Math.ceil(value.MaxAttempts * scale * patience) }
        : value,
    ),
  );

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
  for (const [name, step] of await loadSteps()) {
    const arn = functionArn(name, { region, account });
    stepFunctions.addFunction(arn, async (event) => {
      const output = await step.execute(event, aws(), log);
      return (await afterStep.get(name)?.(output, event)) ?? output;
    });
  }
  for (const name of machineNames)
    stepFunctions.addMachine(name, patient(substitute(machineText(name), { region, account }), clock.scale, patience));
  const agents = new Agents(() => clock.now());
  const commands = new RunCommand(universe, agents);
  for (const name of Object.keys(documents) as DocumentName[]) {
    const document = shippedDocument(name);
    commands.documents.set(document.name, document);
  }
  return { clock, stepFunctions, commands, agents, afterStep };
}
