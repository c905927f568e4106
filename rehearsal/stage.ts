import type { Log } from "../functions/step.ts";
import type { Written } from "./audit.ts";
import { functionName, loadSteps, machineNames, machineText, substitute } from "./lambdas.ts";
import { VirtualAccount } from "./virtual-account.ts";
import type { Execution, Outcome } from "./world/asl/execution.ts";
import type { HistoryEvent } from "./world/asl/history.ts";
import type { Json } from "./world/asl/paths.ts";
import type { FaultRule } from "./world/door.ts";

export interface StageOptions {
  /** As it would be typed into the console; the account's default image and bundle are for its version. */
  readonly request: unknown;
  readonly seed: number;
  readonly faults?: readonly FaultRule[];
  readonly onEvent?: (event: HistoryEvent) => void;
  /** Changes the account before the run: what a test or an ablation plants. */
  readonly prepare?: (account: VirtualAccount) => void;
}

/** A virtual account in which machines can be started, one after another or together. */
export class Stage {
  readonly account: VirtualAccount;
  readonly #logs: Written[] = [];

  private constructor(account: VirtualAccount) {
    this.account = account;
  }

  static async open({ request, seed, faults = [], onEvent, prepare }: StageOptions): Promise<Stage> {
    const version = (request as { kubernetesVersion?: unknown } | null)?.kubernetesVersion;
    const kubernetes = typeof version === "string" ? version : "";
    const stage = new Stage(new VirtualAccount({ seed, faults, kubernetes, ...(onEvent && { onEvent }) }));
    await stage.#deploy();
    prepare?.(stage.account);
    return stage;
  }

  /** The shipped machines and every shipped handler, as the stack would deploy them. */
  async #deploy(): Promise<void> {
    const { world, deployment } = this.account;
    for (const name of machineNames) world.stepFunctions.addMachine(name, substitute(machineText(name), deployment));
    for (const [name, step] of await loadSteps()) {
      const arn = `arn:aws:lambda:${deployment.region}:${deployment.account}:function:${functionName(name)}:live`;
      world.stepFunctions.addFunction(arn, async (event, { state, execution }) => {
        const aws = this.account.clientsFor({ kind: "function", step: name, state, execution });
        const output = await step.execute(event, aws, this.#log(name));
        return this.account.afterStep.get(name)?.(output) ?? output;
      });
    }
  }

  #log(step: string): Log {
    const keep = (...said: unknown[]) =>
      this.#logs.push({ place: `log of ${step}`, text: said.map((part) => serialize(part)).join(" ") });
    return { debug: keep, info: keep, warn: keep, error: keep };
  }

  /** Starts an execution and moves time until it ends. */
  async run(machine: string, input: unknown, name: string): Promise<{ execution: Execution; outcome: Outcome }> {
    const { clock } = this.account.world.universe;
    const execution = this.account.world.stepFunctions.start(machine, name, input as Json);
    const outcome = await clock.run(execution.done);
    return { execution, outcome };
  }

  /** Everything that was written anywhere outside a SecureString. */
  written(): Written[] {
    const { s3, ssm, stepFunctions } = this.account.world;
    const histories = [...stepFunctions.executions.values()].flatMap(({ name, history }) =>
      history.events.map(({ id, type, details }) => ({
        place: `history of ${name}, event ${id} ${type}`,
        text: JSON.stringify(details),
      })),
    );
    return [
      ...histories,
      ...this.#logs,
      ...ssm.commands.written(),
      ...ssm.parameters.plain(),
      ...s3.bodies("clusters/"),
      ...s3.bodies("evidence/"),
    ];
  }
}

const serialize = (part: unknown): string =>
  part instanceof Error
    ? `${part.name}: ${part.message}`
    : JSON.stringify(part, (_, value) => (value instanceof Error ? value.message : value));
