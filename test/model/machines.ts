import type { Answers, Intent } from "../../functions/domain/cluster-record.ts";
import type { Lock, TeardownLock } from "../../functions/domain/lock.ts";
import { arnOf, asksOf, cluster, type Execution, type Order, order, type Part, requestOf, type World } from "./world.ts";

export type Answer = Answers[keyof Answers];

/** What a state of a machine does, in small. A name in quotes is the state that comes next. */
export type State =
  | {
      /** One compare-and-swap of the record. */
      readonly kind: "swap";
      intent(one: Execution, world: World): Intent;
      next(one: Execution, answer: Answer): Execution;
      /** Where a LockLostError leads, where any other refusal does, and where giving up does. */
      readonly lost: string;
      readonly refused: string;
      readonly caught: string;
    }
  | { readonly kind: "make"; readonly part: Part; readonly caught: string }
  | { readonly kind: "erase"; readonly next: string; readonly caught: string }
  | { readonly kind: "audit"; readonly nth: 1 | 2; readonly next: string }
  | { readonly kind: "pause"; readonly before: "destroy" | "resume" }
  | { readonly kind: "child"; readonly suffix: string; ordered(one: Execution): Order; next(one: Execution): string }
  | { readonly kind: "choice"; next(one: Execution): string }
  | { readonly kind: "end"; readonly isWell: boolean };

export type Machine = Readonly<Record<string, State>>;

const at = (one: Execution, state: string): Execution => ({ ...one, at: state });
const end = (isWell: boolean): State => ({ kind: "end", isWell });
const swap = (
  spec: Pick<Extract<State, { kind: "swap" }>, "intent" | "next" | "caught"> & { lost?: string; refused?: string },
): State => ({ kind: "swap", lost: "LockLost", refused: spec.caught, ...spec });

export const lockOf = (one: Execution): Lock => one.hold as Lock;
export const teardownOf = (one: Execution): TeardownLock => one.hold as TeardownLock;
const renewalOf = (one: Execution): Answers["rebuild"] => one.renewal as Answers["rebuild"];

const release = (next: (one: Execution) => string, caught: string): State =>
  swap({ intent: (one) => ({ kind: "release", lock: lockOf(one) }), next: (one) => at(one, next(one)), caught });

const retake = (next: string, caught: string, lost = "LockLost"): State =>
  swap({
    intent: (one) => ({ kind: "retake", lock: lockOf(one) }),
    next: (one, answer) => ({ ...one, hold: { ...lockOf(one), ...(answer as Answers["retake"]) }, at: next }),
    lost,
    caught,
  });

/** The states that make the plan's parts, in their order, and what follows on them. */
const makers: Readonly<Record<Part, string>> = { vpc: "CreateNetwork", nodes: "LaunchNodes", script: "KubeadmInit" };
export const nextPart = (parts: readonly Part[], done: Part | null): string => {
  const next = parts[done === null ? 0 : parts.indexOf(done) + 1];
  return next === undefined ? "VerifyCluster" : makers[next];
};
const make = (part: Part): State => ({ kind: "make", part, caught: "RecordFailure" });

const afterFailure = { yes: "RollBack", kept: "BuildKept", no: "ClusterUnhealthy" } as const;

const build = (parts: readonly Part[], asksWhetherDue: boolean): Machine => ({
  AcquireLock: swap({
    intent: ({ order: { asks, parent } }) => ({ kind: "acquire", name: cluster, ...requestOf(asks), parent }),
    next(one, answer) {
      const hold = answer as Answers["acquire"];
      const next = { new: nextPart(parts, null), resumed: "PauseForOrphans", ready: "VerifyCluster" }[hold.origin];
      return { ...one, hold, at: next };
    },
    lost: "RequestRefused",
    caught: "RequestRefused",
  }),
  PauseForOrphans: { kind: "pause", before: "resume" },
  CreateNetwork: make("vpc"),
  LaunchNodes: make("nodes"),
  KubeadmInit: make("script"),
  VerifyCluster: {
    kind: "choice",
    next: (one) => (one.order.isFated ? "RecordFailure" : lockOf(one).origin === "ready" ? "ReleaseLock" : "CommitGeneration"),
  },
  CommitGeneration: swap({
    intent: (one) => ({
      kind: "commit",
      lock: lockOf(one),
      certificate: { key: "evidence/orchid/certificate.json", sha256: "0".repeat(64), isolated: true },
    }),
    next: (one) => at(one, "ReleaseLock"),
    caught: "RecordFailure",
  }),
  ReleaseLock: release(() => "ClusterReady", "ClusterReady"),
  RecordFailure: swap({
    intent: (one) => ({ kind: "fail", lock: lockOf(one) }),
    next: (one, answer) => at(one, afterFailure[asksWhetherDue ? (answer as Answers["fail"]).rollBack : "yes"]),
    caught: "BuildFailed",
  }),
  RollBack: {
    kind: "child",
    suffix: "rolls-back",
    ordered(one) {
      const { number: lockNumber, generation } = lockOf(one);
      return order("destroy", { generation, because: "rollBack", parent: { execution: arnOf(one.id), lockNumber, generation } });
    },
    next: ({ isWell }) => (isWell ? "BuildFailed" : "ResourcesLeftBehind"),
  },
  ClusterReady: end(true),
  BuildKept: end(false),
  BuildFailed: end(false),
  ClusterUnhealthy: end(false),
  ResourcesLeftBehind: end(false),
  RequestRefused: end(false),
  LockLost: end(false),
});

/** The second look's other half: its step looks, and then swaps. */
const verdict = "AuditResidueAgain (verdict)";

const destroy: Machine = {
  AcquireTeardownLock: swap({
    intent: ({ order: { generation, because, byPerson, parent } }, { things }) => ({
      kind: "destroy",
      name: cluster,
      generation,
      because,
      volumes: null,
      parent,
      byPerson,
      tagged: [...new Set(things.map((thing) => thing.generation))].sort(),
    }),
    next(one, answer) {
      const { lock } = answer as Answers["destroy"];
      return lock === null ? at(one, "NothingToDestroy") : { ...one, hold: lock, at: "PauseForOrphans" };
    },
    lost: "RequestRefused",
    caught: "RequestRefused",
  }),
  PauseForOrphans: { kind: "pause", before: "destroy" },
  // All of TerminateNodes to DeleteParameters. What fails there is what the audit finds.
  DeleteNetwork: { kind: "erase", next: "AuditResidue", caught: "AuditResidue" },
  AuditResidue: { kind: "audit", nth: 1, next: "AuditResidueAgain" },
  AuditResidueAgain: { kind: "audit", nth: 2, next: verdict },
  [verdict]: swap({
    intent: (one) => {
      const left = one.isWell ? [] : ["something"];
      const { generations } = teardownOf(one);
      const residue = Object.fromEntries(generations.map((generation) => [generation, { left, volumes: [] }]));
      return { kind: "finish", lock: teardownOf(one), residue };
    },
    next: (one) => at(one, "ReleaseTeardownLock"),
    caught: "DestroyFailed",
  }),
  ReleaseTeardownLock: release(({ isWell }) => (isWell ? "ClusterDestroyed" : "ResourcesLeftBehind"), "ResourcesLeftBehind"),
  ClusterDestroyed: end(true),
  NothingToDestroy: end(true),
  ResourcesLeftBehind: end(false),
  DestroyFailed: end(false),
  RequestRefused: end(false),
  LockLost: end(false),
};

const parentOf = (one: Execution) => {
  const { generation } = renewalOf(one);
  return { execution: arnOf(one.id), lockNumber: lockOf(one).number, generation };
};

const rebuild: Machine = {
  AcquireRebuildLock: swap({
    intent: ({ order: { asks } }) => ({
      kind: "rebuild",
      name: cluster,
      asked: asks === "rollback" ? null : requestOf(asks).asked,
      parent: null,
      trigger: "person",
    }),
    next(one, answer) {
      const renewal = answer as Answers["rebuild"];
      const isReplacing = renewal.strategy === "replace" && renewal.previous !== null;
      return { ...one, renewal, hold: renewal.hold, at: isReplacing ? "DestroyReplaced" : "BuildNext" };
    },
    lost: "RequestRefused",
    caught: "RequestRefused",
  }),
  DestroyReplaced: {
    kind: "child",
    suffix: "replaced",
    ordered: (one) => order("destroy", { generation: renewalOf(one).previous, parent: parentOf(one) }),
    next: ({ isWell }) => (isWell ? "RetakeLockToBuild" : "RetakeLockOfFailure"),
  },
  RetakeLockToBuild: retake("BuildNext", "RetakeLockOfFailure"),
  BuildNext: {
    kind: "child",
    suffix: "build",
    ordered(one) {
      const asks = asksOf(renewalOf(one));
      return order("build", { asks: asks === "-" ? "rollback" : asks, isFated: one.order.isFated, parent: parentOf(one) });
    },
    next: ({ isWell }) => (isWell ? "RetakeLock" : "RetakeLockOfFailure"),
  },
  RetakeLock: retake("SwitchCurrent", "RetakeLockOfFailure"),
  SwitchCurrent: swap({
    intent(one) {
      const { generation, previous, graceHours } = renewalOf(one);
      return { kind: "switch", hold: lockOf(one), generation, previous, graceHours };
    },
    next: (one) => at(one, "ReleaseRebuildLock"),
    caught: "RetakeLockOfFailure",
  }),
  ReleaseRebuildLock: release(() => "ClusterRebuilt", "ClusterRebuilt"),
  RetakeLockOfFailure: retake("ReleaseLockOfFailure", "RebuildFailed", "RebuildFailed"),
  ReleaseLockOfFailure: release(() => "RebuildFailed", "RebuildFailed"),
  ClusterRebuilt: end(true),
  RebuildFailed: end(false),
  RequestRefused: end(false),
  LockLost: end(false),
};

const change: Machine = {
  ChangeRecord: swap({
    intent: ({ order: ordered }) => ({
      kind: "change",
      name: cluster,
      change: ordered.change ?? { kind: "promote" },
    }),
    next: (one) => at(one, "Changed"),
    caught: "ChangeRefused",
  }),
  Changed: end(true),
  ChangeRefused: end(false),
  LockLost: end(false),
};

/** The machines of the product, in small, for a plan of these parts. */
export const machinesFor = (parts: readonly Part[], asksWhetherDue: boolean) => ({
  build: build(parts, asksWhetherDue),
  destroy,
  rebuild,
  change,
});
export type Machines = ReturnType<typeof machinesFor>;
