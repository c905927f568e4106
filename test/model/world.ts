import type { Answers, Change, ClusterRecord, decide, Intent, Row } from "../../functions/domain/cluster-record.ts";
import { ClusterRequest } from "../../functions/domain/cluster-request.ts";
import { ClusterName, ExecutionArn } from "../../functions/domain/ids.ts";
import type { Because, Hold, Lock, Parent, TeardownLock } from "../../functions/domain/lock.ts";

/** What a build makes: a VPC has neither client token nor unique name, nodes have a token, a script runs on the nodes and writes `join`. */
export type Part = "vpc" | "nodes" | "script";

/** A request, by what matters here. All but `other` ask for the same cluster. */
const asked = {
  rollback: { name: "orchid", onFailure: "rollback" },
  keep: { name: "orchid", onFailure: "keep" },
  replace: { name: "orchid", onFailure: "rollback", rebuild: { strategy: "replace" } },
  protected: { name: "orchid", onFailure: "rollback", protected: true },
  other: { name: "orchid", onFailure: "rollback", kubernetesVersion: "1.37.2" },
} as const;
export type Asks = keyof typeof asked;
const asks = new WeakMap<object, Asks>((Object.keys(asked) as Asks[]).map((key) => [asked[key], key]));
const parsed = Object.fromEntries(Object.entries(asked).map(([key, request]) => [key, ClusterRequest.parse(request)]));
export const requestOf = (key: Asks) => ({ asked: asked[key], request: parsed[key] as ClusterRequest });
export const asksOf = (row: Pick<Row, "asked">): Asks | "-" => (row.asked === null ? "-" : (asks.get(row.asked) ?? "-"));

/** What an execution is started with, by whoever starts it. */
export interface Order {
  readonly machine: "build" | "destroy" | "rebuild" | "change";
  readonly asks: Asks;
  /** Something outside of the model makes its last part fail. */
  readonly isFated: boolean;
  readonly generation: number | null;
  readonly because: Because | null;
  readonly byPerson: boolean;
  readonly parent: Parent | null;
  readonly change: Change | null;
}
export const order = (machine: Order["machine"], fields: Partial<Order> = {}): Order => ({
  machine,
  asks: "rollback",
  isFated: false,
  generation: null,
  because: null,
  byPerson: false,
  parent: null,
  change: null,
  ...fields,
});

export interface Execution {
  readonly id: string;
  readonly order: Order;
  readonly startedBy: string | null;
  /** `due`: it may start at any time, or never. */
  readonly status: "due" | "running" | "ended";
  /** The state it is in; of one that ended, where. */
  readonly at: string;
  readonly isAborted: boolean;
  /** Redriven, and nothing was written since: somebody may have looked when it was dead and swap only now. */
  readonly isUnnoticed: boolean;
  readonly hold: Lock | TeardownLock | Hold | null;
  readonly renewal: Answers["rebuild"] | null;
  readonly child: string | null;
  /** Whether its present state has started a child, whose name is then used. */
  readonly hasStarted: boolean;
  /** Whether the last child ended well; of a destroy, whether the audit found nothing. */
  readonly isWell: boolean;
}

/** Something in the account. `by` tells two of a kind apart; `asks` is what its maker was asked for. */
export interface Thing {
  readonly generation: number;
  readonly part: "vpc" | "nodes" | "join" | "balancer";
  readonly by: string;
  readonly asks: Asks | "-";
}

/** What has passed the fence, or needs none, and has not taken effect yet. What no state waits for any more is an orphan. */
export interface Call {
  readonly who: string;
  readonly isAwaited: boolean;
  readonly number: number;
  readonly kind: "create" | "claim" | "drop" | "send" | "write" | "erase" | "swap" | "ask";
  readonly generations: readonly number[];
  readonly thing: Thing | null;
  readonly intent: { readonly at: string; readonly ordered: Intent } | null;
}

/** How often what may still go wrong. */
export interface Faults {
  /** A swap or call took effect, its answer was lost, and the step tries again or gives up. */
  readonly lost: number;
  readonly abort: number;
  /** A second attempt begins while the first still runs; of a child, somebody starts a copy with the same input. */
  readonly twice: number;
  readonly redrive: number;
  /** A state gives up for reasons outside of the model; what it had under way goes on. */
  readonly fails: number;
  /** DescribeExecution does not know a young execution yet. */
  readonly young: number;
  /** A command is reported as terminal while its script goes on. */
  readonly zombie: number;
}
export const noFaults: Faults = { lost: 0, abort: 0, twice: 0, redrive: 0, fails: 0, young: 0, zombie: 0 };

export interface World {
  readonly record: ClusterRecord | null;
  readonly executions: readonly Execution[];
  readonly things: readonly Thing[];
  readonly calls: readonly Call[];
  /** By generation: the highest number in the nodes' fence file, and of the scripts that began there, which nothing else may overtake. */
  readonly nodes: Readonly<Record<number, number>>;
  readonly faults: Faults;
  readonly days: number;
  readonly daysLeft: number;
  readonly sweeps: number;
  readonly sweepsLeft: number;
  readonly watchesLeft: number;
  /** How often the cluster itself may ask for something beside the plan. */
  readonly asksLeft: number;
  /** Generations that were current once. */
  readonly served: readonly number[];
}

/** The rules that are not in `decide` but in the machines' steps, the watcher and the sweep; and `decide` itself. */
export interface Protocol {
  readonly decide: typeof decide;
  /** Whether a step's call may go out (lifecycle 4). */
  fence(record: ClusterRecord | null, hold: Hold): boolean;
  readonly pausesBefore: { readonly destroy: boolean; readonly resume: boolean };
  /** A resume waits until each earlier command is terminal. */
  readonly awaitsCancelled: boolean;
  /** The row's `made`. */
  readonly claims: boolean;
  /** Exactly the plan, each once, before a commit. */
  readonly counts: boolean;
  readonly numbersOnNodes: boolean;
  /** One script at a time on a node, and a second look at the number right before it writes. */
  readonly locksNodes: boolean;
  readonly looksBeforeWriting: boolean;
  readonly audits: 1 | 2;
  readonly retakes: boolean;
  /** Whether a roll-back is due is asked of the record (the Choice IsRollBackDue). */
  readonly asksWhetherDue: boolean;
  /** Whether the watcher and the sweep look at the record before they start a destroy. */
  readonly looksFirst: boolean;
  readonly sweepTakes: (row: Row | undefined) => boolean;
  readonly sweepNamesAnew: boolean;
}

export const cluster = ClusterName.parse("orchid");
const arns = new Map<string, ExecutionArn>();
export function arnOf(id: string): ExecutionArn {
  const known = arns.get(id);
  if (known !== undefined) return known;
  const arn = ExecutionArn.parse(`arn:aws:states:us-west-2:111122223333:execution:machine:${id}`);
  arns.set(id, arn);
  return arn;
}
export const idOf = (arn: string): string => arn.slice(arn.lastIndexOf(":") + 1);

const start = Date.parse("2026-11-24T12:00:00Z");
/** A day here is an hour longer than the usual graces, which so end in one. No execution lives that long (its machine's timeout is 4 h). */
export const nowOf = (world: Pick<World, "days">): Date => new Date(start + world.days * 25 * 3_600_000);

export const executionOf = (world: World, id: string): Execution | undefined => world.executions.find((one) => one.id === id);
export const put = (world: World, execution: Execution): World => ({
  ...world,
  executions: world.executions.map((one) => (one.id === execution.id ? execution : one)),
});
export const spent = (world: World, fault: keyof Faults): World => ({
  ...world,
  faults: { ...world.faults, [fault]: world.faults[fault] - 1 },
});
export const firstStates = {
  build: "AcquireLock",
  destroy: "AcquireTeardownLock",
  rebuild: "AcquireRebuildLock",
  change: "ChangeRecord",
} as const;
export const begun = (id: string, ordered: Order, startedBy: string | null, status: Execution["status"]): Execution => ({
  id,
  order: ordered,
  startedBy,
  status,
  at: firstStates[ordered.machine],
  isAborted: false,
  isUnnoticed: false,
  hold: null,
  renewal: null,
  child: null,
  hasStarted: false,
  isWell: false,
});
