import { changeRecord } from "../functions/api/change-record.ts";
import { MachineArn } from "../functions/domain/ids.ts";
import type { Log } from "../functions/step.ts";
import { sweepClusters } from "../functions/watch/sweep-clusters.ts";
import { watchExecutions } from "../functions/watch/watch-executions.ts";
import type { Written } from "./audit.ts";
import { functionArn, loadSteps, machineArn, machineNames, machineText, substitute } from "./lambdas.ts";
import { VirtualAccount } from "./virtual-account.ts";
import type { Execution } from "./world/asl/execution.ts";
import type { HistoryEvent } from "./world/asl/history.ts";
import type { Outcome } from "./world/asl/host.ts";
import type { Json } from "./world/asl/paths.ts";
import type { FaultRule } from "./world/fault-rule.ts";
import type { WorldOptions } from "./world/world.ts";

export interface StageOptions {
  /** As it would be typed into the console; the account's default image and bundle are for its version. */
  readonly request: unknown;
  readonly seed: number;
  readonly faults?: readonly FaultRule[];
  readonly scripts?: WorldOptions["scripts"];
  readonly onEvent?: (event: HistoryEvent) => void;
  /** Changes the account before the run: what a test or an ablation plants. */
  readonly prepare?: (account: VirtualAccount) => void;
}

/** The stack's schedule of the sweep (lifecycle 5). */
const sweepSeconds = 900;
type Watch = typeof watchExecutions | typeof sweepClusters;

/** A virtual account in which machines can be started, one after another or together. */
export class Stage {
  readonly account: VirtualAccount;
  readonly #logs: Written[] = [];

  private constructor(account: VirtualAccount) {
    this.account = account;
  }

  static async open({ request, seed, faults = [], scripts = "interpreted", onEvent, prepare }: StageOptions): Promise<Stage> {
    const version = (request as { kubernetesVersion?: unknown } | null)?.kubernetesVersion;
    const kubernetes = typeof version === "string" ? version : "";
    const stage = new Stage(new VirtualAccount({ seed, faults, scripts, kubernetes, ...(onEvent && { onEvent }) }));
    await stage.#deploy();
    prepare?.(stage.account);
    return stage;
  }

  /** The shipped machines and every shipped handler, as the stack would deploy them. */
  async #deploy(): Promise<void> {
    const { world, deployment } = this.account;
    for (const name of machineNames) world.stepFunctions.addMachine(name, substitute(machineText(name), deployment));
    for (const [name, step] of await loadSteps()) {
      const arn = functionArn(name, deployment);
      world.stepFunctions.addFunction(arn, async (event, { state, execution, life }) => {
        await this.account.beforeStep.get(name)?.(event);
        const aws = this.account.clientsFor({ kind: "function", step: name, state, execution, life });
        const output = await step.execute(event, aws, this.#log(name));
        return this.account.afterStep.get(name)?.(output) ?? output;
      });
    }
  }

  /** From here on the watcher hears of executions, as reliably as AWS tells, and the sweep runs on its schedule. */
  attend(): void {
    const { stepFunctions, universe } = this.account.world;
    const [watcher, sweep] = [this.#addWatch(watchExecutions), this.#addWatch(sweepClusters)];
    stepFunctions.onStatusChange(
      (event) => void stepFunctions.lambda.deliver(watcher, event as unknown as Json, "WatchExecutions"),
    );
    const again = () => {
      universe.clock.after(sweepSeconds, again);
      void stepFunctions.lambda.deliver(sweep, {}, "SweepClusters");
    };
    universe.clock.after(sweepSeconds, again);
  }

  get #machines() {
    return { destroy: MachineArn.parse(machineArn("destroy-cluster", this.account.deployment)) };
  }

  /** A shipped function that no machine calls; gives its ARN. */
  #addWatch({ name, execute }: Watch): string {
    const { world, deployment } = this.account;
    const arn = functionArn(name, deployment);
    world.stepFunctions.addFunction(arn, (event, { state, life }) =>
      execute(
        event,
        this.account.clientsFor({ kind: "function", step: name, state, execution: "", life }),
        this.#machines,
        this.#log(name),
      ),
    );
    return arn;
  }

  /** What a person asks of the API: a change of a cluster's record. */
  async change(name: string, change: Readonly<Record<string, unknown>>): Promise<void> {
    await this.account.world.universe.clock.run(this.changing(name, change));
  }

  /** The same where time moves already: inside another story. */
  async changing(name: string, change: Readonly<Record<string, unknown>>): Promise<void> {
    const aws = this.account.clientsFor({ kind: "function", step: "change-record", state: "ChangeRecord", execution: "" });
    await changeRecord.execute({ name, change }, aws, this.#machines, this.#log("change-record"));
  }

  /** Lets so much time pass. */
  async pass(seconds: number): Promise<void> {
    const { clock } = this.account.world.universe;
    await clock.run(clock.sleep(seconds));
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
