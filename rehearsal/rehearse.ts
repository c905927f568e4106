import { secretLeaks } from "./audit.ts";
import { criticalPath } from "./report/critical-path.ts";
import { failedState, firstCause } from "./report/failure.ts";
import { readableCause } from "./report/waterfall.ts";
import type { Rehearsal } from "./result.ts";
import { Stage, type StageOptions } from "./stage.ts";
import type { Execution } from "./world/asl/execution.ts";
import type { HistoryEvent } from "./world/asl/history.ts";
import type { Outcome } from "./world/asl/host.ts";
import { isThrottling } from "./world/fault.ts";

/** What is rehearsed. All but a build need a cluster, which is built first, in the same account. */
export type Act = "build" | "destroy" | "rebuild" | "resume";

interface Scene {
  readonly machine: string;
  /** What becomes of the first build: it must be ready, or kept for the resume; null where there is none. */
  readonly first: Outcome["status"] | null;
  input(request: unknown): unknown;
}

const scenes: Readonly<Record<Act, Scene>> = {
  build: { machine: "build-cluster", first: null, input: (request) => request },
  destroy: { machine: "destroy-cluster", first: "SUCCEEDED", input: (request) => ({ name: nameOf(request) }) },
  rebuild: { machine: "rebuild-cluster", first: "SUCCEEDED", input: (request) => ({ name: nameOf(request) }) },
  resume: { machine: "build-cluster", first: "FAILED", input: (request) => request },
};

const nameOf = (request: unknown): unknown => (request as { name?: unknown } | null)?.name;

export interface RehearseOptions extends StageOptions {
  readonly act?: Act;
  /** False: the act meets an account in which nothing was built before. */
  readonly buildsFirst?: boolean;
  /** Called when the first build is over, with its virtual seconds. */
  readonly onFirst?: (seconds: number, outcome: Outcome) => void;
}

/** The first build did not end as the act needs it. */
export class PrologueError extends Error {}

async function prologue(stage: Stage, scene: Scene, { request, seed, onFirst }: RehearseOptions): Promise<void> {
  const kept = scene.first === "FAILED" ? { ...(request as object), onFailure: "keep" } : request;
  const { execution, outcome } = await stage.run("build-cluster", kept, `prologue-${seed}`);
  onFirst?.(((execution.endedAt ?? 0) - execution.startedAt) / 1000, outcome);
  if (outcome.status === scene.first) return;
  throw new PrologueError(
    scene.first === "FAILED"
      ? "the first build became ready: a --fault must make it fail, so that there is something to resume"
      : `the first build failed: ${outcome.error}: ${readableCause(outcome.cause)}`,
  );
}

/** Runs one act to its end, and tells everything that was found out. */
export async function rehearse(options: RehearseOptions): Promise<Rehearsal> {
  const scene = scenes[options.act ?? "build"];
  let isOpen = false;
  const stage = await Stage.open({ ...options, onEvent: (event) => (isOpen ? options.onEvent?.(event) : undefined) });
  const { world } = stage.account;
  if (scene.first !== null && options.buildsFirst !== false) await prologue(stage, scene, options);
  isOpen = true;
  const before = world.inventory();
  const firstCall = world.door.calls.length;
  const { execution, outcome } = await stage.run(scene.machine, scene.input(options.request), `rehearsal-${options.seed}`);
  const calls = world.door.calls.slice(firstCall);
  const { events } = execution.history;
  const byOperation: Record<string, number> = {};
  for (const { operation } of calls) byOperation[operation] = (byOperation[operation] ?? 0) + 1;
  const path = criticalPath(events);
  const history = historyOf(stage, execution);
  const cluster = clusterOf(stage, history);
  return {
    status: statusOf(execution, outcome),
    seed: options.seed,
    error: outcome.status === "SUCCEEDED" ? null : { ...firstCause(outcome), state: failedState(history) },
    execution: {
      machine: execution.machine,
      transitions: chain(stage, execution).reduce((sum, { transitions, retries }) => sum + transitions + retries, 0),
      virtualSeconds: (world.universe.clock.now() - execution.startedAt) / 1000,
      ownSeconds: path.filter(({ on }) => on === "own").reduce((sum, { seconds }) => sum + seconds, 0),
      criticalPath: path,
      largestStateBytes: execution.largestStateBytes,
    },
    calls: {
      total: calls.length,
      throttled: calls.filter(({ code }) => code !== null && isThrottling(code)).length,
      byOperation,
    },
    inventory: { before, after: world.inventory() },
    cluster,
    certificate: cluster === null ? null : certificateOf(stage, cluster),
    audit: {
      secretLeaks: secretLeaks(world.nodes.secrets(), stage.written()),
      breaches: world.ec2.breaches(),
      foreignTouched: world.ec2.foreignTouched(),
    },
    summary: summaryOf(outcome),
    history,
    callRecords: calls,
  };
}

function statusOf({ machine, history }: Execution, { status }: Outcome): Rehearsal["status"] {
  if (status === "SUCCEEDED") return machine === "destroy-cluster" ? "destroyed" : "ready";
  const last = history.events.findLast(({ type }) => type.endsWith("StateEntered"))?.details["name"];
  return last === "RequestRefused" ? "refused" : "failed";
}

/** A destroy's output: what the audit found, or why there was nothing to do. */
function summaryOf({ output }: Outcome): string {
  const { summary, why } = (output ?? {}) as { summary?: string; why?: string };
  return summary ?? why ?? "";
}

/** The execution and what it started. */
const chain = ({ account }: Stage, { startedAt }: Execution): readonly Execution[] =>
  [...account.world.stepFunctions.executions.values()].filter((other) => other.startedAt >= startedAt);

/** All their events, in the order in which they happened. */
const historyOf = (stage: Stage, execution: Execution): readonly HistoryEvent[] =>
  chain(stage, execution)
    .flatMap(({ history }) => history.events)
    .sort((a, b) => a.timestamp - b.timestamp);

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

/** The evidence of the generation, if its build came that far. */
function certificateOf({ account }: Stage, { name, generation }: NonNullable<Rehearsal["cluster"]>): Rehearsal["certificate"] {
  const key = `evidence/${name}/g${generation}/certificate.json`;
  const body = account.world.s3.object(account.deployment.bucket, key)?.body;
  return body === undefined ? null : (JSON.parse(body) as Rehearsal["certificate"]);
}
