import { readFileSync } from "node:fs";
import type { Log } from "../functions/step.ts";
import { secretLeaks, type Written } from "./audit.ts";
import { functionName, loadSteps, substitute } from "./lambdas.ts";
import { criticalPath } from "./report/critical-path.ts";
import type { Rehearsal } from "./result.ts";
import { VirtualAccount } from "./virtual-account.ts";
import type { Execution } from "./world/asl/execution.ts";
import type { HistoryEvent } from "./world/asl/history.ts";
import type { Outcome } from "./world/asl/host.ts";
import type { Json } from "./world/asl/paths.ts";
import { isThrottling } from "./world/fault.ts";
import type { FaultRule } from "./world/fault-rule.ts";

export interface RehearseOptions {
  /** As it would be typed into the console; checked by the machine's own first step. */
  readonly request: unknown;
  readonly seed: number;
  readonly faults?: readonly FaultRule[];
  readonly onEvent?: (event: HistoryEvent) => void;
  /** Changes the account before the run: what a test or an ablation plants. */
  readonly prepare?: (account: VirtualAccount) => void;
}

const machine = "build-cluster";
const definition = (): string => readFileSync(new URL(`../statemachine/${machine}.asl.json`, import.meta.url), "utf8");

/** A virtual account in which machines can be started, one after another or together. */
export class Stage {
  readonly account: VirtualAccount;
  readonly #logs: Written[] = [];

  private constructor(account: VirtualAccount) {
    this.account = account;
  }

  static async open({ request, seed, faults = [], onEvent, prepare }: RehearseOptions): Promise<Stage> {
    const version = (request as { kubernetesVersion?: unknown } | null)?.kubernetesVersion;
    const kubernetes = typeof version === "string" ? version : "";
    const stage = new Stage(new VirtualAccount({ seed, faults, kubernetes, ...(onEvent && { onEvent }) }));
    await stage.#deploy();
    prepare?.(stage.account);
    return stage;
  }

  /** The shipped machine and every shipped handler, as the stack would deploy them. */
  async #deploy(): Promise<void> {
    const { world, deployment } = this.account;
    world.stepFunctions.addMachine(machine, substitute(definition(), deployment));
    for (const [name, step] of await loadSteps()) {
      const arn = `arn:aws:lambda:${deployment.region}:${deployment.account}:function:${functionName(name)}:live`;
      world.stepFunctions.addFunction(arn, async (event, { state, execution, life }) => {
        const aws = this.account.clientsFor({ kind: "function", step: name, state, execution, life });
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
  async build(request: unknown, name: string): Promise<{ execution: Execution; outcome: Outcome }> {
    const { clock } = this.account.world.universe;
    const execution = this.account.world.stepFunctions.start(machine, name, request as Json);
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

/** Runs one build from an empty account to its end, and tells everything that was found out. */
export async function rehearse(options: RehearseOptions): Promise<Rehearsal> {
  const stage = await Stage.open(options);
  const { world } = stage.account;
  const before = world.inventory();
  const { execution, outcome } = await stage.build(options.request, `rehearsal-${options.seed}`);
  const { events } = execution.history;
  const state = events.findLast(({ type }) => type.endsWith("StateEntered"))?.details["name"];
  const byOperation: Record<string, number> = {};
  for (const { operation } of world.door.calls) byOperation[operation] = (byOperation[operation] ?? 0) + 1;
  const path = criticalPath(events);
  return {
    status: outcome.status === "SUCCEEDED" ? "ready" : state === "RequestRefused" ? "refused" : "failed",
    seed: options.seed,
    error:
      outcome.status === "SUCCEEDED"
        ? null
        : { name: outcome.error ?? outcome.status, cause: messageOf(outcome.cause ?? ""), state: failedState(events) },
    execution: {
      machine,
      transitions: execution.transitions + execution.retries,
      virtualSeconds: (world.universe.clock.now() - execution.startedAt) / 1000,
      ownSeconds: path.filter(({ on }) => on === "own").reduce((sum, { seconds }) => sum + seconds, 0),
      criticalPath: path,
      largestStateBytes: execution.largestStateBytes,
    },
    calls: {
      total: world.door.calls.length,
      throttled: world.door.calls.filter(({ code }) => code !== null && isThrottling(code)).length,
      byOperation,
    },
    inventory: { before, after: world.inventory() },
    cluster: clusterOf(stage, events),
    certificate: certificateOf(stage, outcome),
    audit: {
      secretLeaks: secretLeaks(world.nodes.secrets(), stage.written()),
      breaches: world.ec2.breaches(),
      foreignTouched: world.ec2.foreignTouched(),
    },
    history: events,
    callRecords: world.door.calls,
  };
}

/** The message that Lambda wrapped into a Cause. */
function messageOf(cause: string): string {
  try {
    const { errorMessage } = JSON.parse(cause) as { errorMessage?: string };
    return errorMessage ?? cause;
  } catch {
    return cause;
  }
}

/** The state in which things went wrong: the last one that ended in an error before the machine turned to its end. */
function failedState(events: readonly HistoryEvent[]): string {
  const end = events.findIndex(({ type, details }) => type === "TaskStateEntered" && details["name"] === "RecordFailure");
  const story = end === -1 ? events : events.slice(0, end);
  const failure = story.findLast(({ type }) => /^LambdaFunction(Failed|TimedOut)$/.test(type));
  const byId = new Map(events.map((event) => [event.id, event]));
  for (let event = failure; event !== undefined; event = byId.get(event.previousEventId)) {
    if (event.type.endsWith("StateEntered")) return String(event.details["name"]);
  }
  return "";
}

/** What a step gave back, from the history: the last output of that state. */
function outputOf(events: readonly HistoryEvent[], state: string): Record<string, unknown> | null {
  const event = events.findLast(({ type, details }) => type.endsWith("StateExited") && details["name"] === state);
  return event === undefined ? null : (JSON.parse(String(event.details["output"])) as Record<string, unknown>);
}

function clusterOf({ account }: Stage, events: readonly HistoryEvent[]): Rehearsal["cluster"] {
  const locked = outputOf(events, "AcquireLock") as {
    lock?: { cluster: string; generation: number };
    plan?: { apiEndpoint: string | null };
  } | null;
  if (locked?.lock === undefined) return null;
  const prepared = outputOf(events, "PrepareNodes") as { prepared?: { api: { endpoint: string } } } | null;
  const { cluster: name, generation } = locked.lock;
  return {
    name,
    generation,
    apiEndpoint: prepared?.prepared?.api.endpoint ?? "",
    nodes: account.world.nodes.describe(`${name}-g${generation}`),
  };
}

function certificateOf({ account }: Stage, outcome: Outcome): Rehearsal["certificate"] {
  const key = (outcome.output as { certificate?: { key: string } } | undefined)?.certificate?.key;
  const keys = account.world.s3.inventory().map(({ id }) => id.slice(account.deployment.bucket.length + 1));
  const found = key ?? keys.find((candidate) => candidate.endsWith("/certificate.json"));
  const body = found === undefined ? undefined : account.world.s3.object(account.deployment.bucket, found)?.body;
  return body === undefined ? null : (JSON.parse(body) as Rehearsal["certificate"]);
}
