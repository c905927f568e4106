import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import validate from "asl-validator";
import { catalogue } from "../../functions/catalogue.ts";
import { type DocumentName, documents, timeoutSeconds } from "../../functions/domain/documents.ts";
import { fleetMax } from "../../functions/domain/rebuild.ts";
import * as errors from "../../functions/errors.ts";
import type { State } from "../../rehearsal/world/asl/definition.ts";
import { catchersOf, isNested, type MachineFile, machines, retriersOf, statesOf } from "./machines.ts";
import type { Machine } from "./path-walker.ts";

const ours = new Set(
  Object.values(errors)
    .filter((Kind) => Kind !== errors.StepError)
    .map((Kind) => new (Kind as new (message: string) => Error)("").name),
);
const awsOwn = /^(States|Lambda|Sandbox|Runtime|StepFunctions)\./;
/** Step Functions ends an execution at 25,000 events; this is the margin that style.md 5 asks for. */
const eventsMax = 10_000;
/** Where a machine goes round: the state that counts, and how often it lets go on. */
const rounds: Readonly<Record<string, { readonly state: string; readonly most: number }>> = {
  "rebuild-fleet.asl.json": { state: "PickCluster", most: fleetMax },
};
/** Scheduled, started, ended. */
const eventsPerAttempt = 3;

test("there are machines to check, and they have Tasks", () => {
  assert.ok(machines.length >= 1);
  const tasks = machines.flatMap(({ machine }) => statesOf(machine)).filter(({ state }) => state.Type === "Task");
  assert.ok(tasks.length >= 35, `${tasks.length} Tasks`);
});

test("every step of the catalogue has its file, and every state of its row stands in a machine", () => {
  const names = new Set(machines.flatMap(({ machine }) => statesOf(machine)).map(({ name }) => name));
  assert.ok(catalogue.length >= 20);
  for (const { name, states } of catalogue) {
    assert.ok(existsSync(new URL(`../../functions/steps/${name}.ts`, import.meta.url)), `functions/steps/${name}.ts`);
    for (const state of states) assert.ok(names.has(state), `${name} is called by ${state}, which no machine has`);
  }
});

for (const file of machines) describe(file.file, () => checkMachine(file));

function checkMachine({ file, machine }: MachineFile): void {
  const states = statesOf(machine);

  test("asl-validator finds nothing", () => {
    const result = validate(machine);
    assert.ok(result.isValid, result.errorsText());
  });

  test("no name of a state comes twice, branches included", () => {
    const names = states.map(({ name }) => name);
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    );
  });

  test("Choices ask, Waits pause, and no name is longer than Step Functions takes", () => {
    for (const { name, state } of states) {
      assert.ok(name.length <= 80, name);
      if (state.Type === "Choice") assert.match(name, /^(Is|Are)[A-Z]/);
      if (state.Type === "Wait") assert.match(name, /^Pause/);
    }
  });

  test("a value that looks like a path is read as one", () => {
    for (const { name, state } of states) {
      for (const field of ["Parameters", "ResultSelector"]) assert.deepEqual(unread(state[field]), [], `${name}.${field}`);
    }
  });

  test("the longest possible history stays far below Step Functions' limit", () => {
    const counted = rounds[file];
    // A machine that goes round does so by the one state that counts.
    assertNoWayBack(counted === undefined ? machine : without(machine, counted.state));
    const times = (name: string) => (counted !== undefined && reachable(machine, name).has(name) ? counted.most : 1);
    const worst = 2 + states.reduce((sum, { name, state }) => sum + eventsOf(state) * times(name), 0);
    assert.ok(worst > states.length * 2 && worst < eventsMax, `${worst} events`);
  });

  for (const { name, state, isTopLevel } of states) {
    if (state.Type === "Task") test(`${name}: names, timeout, retries`, () => checkTask(name, state));
    if (state.Type === "Task" || state.Type === "Parallel") {
      test(`${name}: catches where it must, and nowhere else`, () => checkCatch(file, name, state, isTopLevel));
    }
  }
}

function checkTask(name: string, state: State): void {
  const { TimeoutSeconds: timeout } = state as { TimeoutSeconds?: unknown };
  assert.ok(typeof timeout === "number" && timeout > 0, "a Task without its own timeout");
  if (!isNested(state)) {
    const row = catalogue.find(({ states }) => states.includes(name));
    assert.ok(row, "no row of the catalogue lists this state");
    assert.equal(state["Resource"], `\${${row.arn}}`);
    // The function's own limit is 60 s: Lambda gives up before the state does.
    assert.ok(timeout > 60, `${timeout} s`);
  }
  const retriers = retriersOf(state);
  assert.ok(retriers.length > 0, "a Task without retries");
  for (const { ErrorEquals } of retriers) {
    assert.ok(!ErrorEquals.includes("States.ALL"), "retries by default");
    for (const error of ErrorEquals) assert.ok(ours.has(error) || awsOwn.test(error), `${error} is thrown by nobody`);
  }
  if (isNested(state)) return;
  const infrastructure = retriers.find(({ ErrorEquals }) => ErrorEquals.includes("TransientError"));
  for (const error of ["States.Timeout", "Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown"]) {
    assert.ok(infrastructure?.ErrorEquals.includes(error), `${error} is not retried`);
  }
  const wait = retriers.find(({ ErrorEquals }) => ErrorEquals.includes("NotReadyError"));
  if (wait === undefined) return;
  assert.deepEqual(wait.ErrorEquals, ["NotReadyError"]);
  assert.equal(wait.BackoffRate, 1, "a wait that grows");
  assert.ok(wait.IntervalSeconds > 0 && wait.MaxAttempts > 0, "interval and count are written out");
  // A retrier's count spans the whole visit, so a long wait needs more of them (style.md 5).
  assert.equal(infrastructure?.MaxAttempts, Math.floor(wait.MaxAttempts / 2));
  const { document } = (state["Parameters"] ?? {}) as { document?: DocumentName };
  if (document === undefined) return;
  // A command is never left behind by the state that waits for it (lifecycle 4): four control planes join one after another at most.
  const expiry =
    timeoutSeconds(document, name === "AwaitCommandJoinControlPlanes" ? 4 : 1) + documents[document].executionSeconds;
  assert.ok(expiry < wait.IntervalSeconds * wait.MaxAttempts, `${document} may outlive its wait`);
}

/** What these throw has its own way out: nothing exists yet, the cluster is ready already, or the failure is being recorded. */
const ownWay: Readonly<Record<string, string>> = {
  ValidateRequest: "RequestRefused",
  AcquireLock: "RequestRefused",
  ReleaseLock: "SummarizeCluster",
  RecordFailure: "BuildFailed",
  RollBack: "IsRollBackEndNested",
  AcquireTeardownLock: "RequestRefused",
  ReleaseTeardownLock: "IsAccountClean",
  PrepareRebuild: "RequestRefused",
  AcquireRebuildLock: "RequestRefused",
  DestroyReplaced: "RetakeLockOfFailure",
  BuildNext: "RetakeLockOfFailure",
  AnnounceCluster: "ReleaseRebuildLock",
  ReleaseRebuildLock: "SummarizeRebuild",
  RetakeLockOfFailure: "IsFirstCauseNested",
  ReleaseLockOfFailure: "IsFirstCauseNested",
  PickCluster: "ClustersLeftOut",
  RebuildCluster: "PickCluster",
};
/** Where a machine turns when one of its states fails. A destroy goes on: what a deletion could not do, the audit judges. */
const onFailure: Readonly<Record<string, (name: string, state: State) => unknown>> = {
  "build-cluster.asl.json": () => "RecordFailure",
  "rebuild-cluster.asl.json": () => "RetakeLockOfFailure",
  "destroy-cluster.asl.json": (name, { Next }) =>
    ({ ReleaseResources: "TerminateNodes", AuditResidueAgain: "DestroyFailed" })[name] ?? Next,
};

function checkCatch(file: string, name: string, state: State, isTopLevel: boolean): void {
  const catchers = catchersOf(state);
  if (!isTopLevel && state.Type === "Task") {
    assert.deepEqual(catchers, [], "a branch cannot be left");
    return;
  }
  for (const { ErrorEquals } of catchers) {
    for (const error of ErrorEquals) assert.ok(ours.has(error) || awsOwn.test(error), `${error} is thrown by nobody`);
  }
  assert.deepEqual(catchers.at(-1)?.ErrorEquals, ["States.ALL"]);
  const own = ownWay[name];
  // Whoever lost the lock may not write: no RecordFailure, no roll-back (lifecycle 4).
  const expected =
    own === undefined
      ? ["LockLostError to LockLost", `States.ALL to ${onFailure[file]?.(name, state)}`]
      : [`States.ALL to ${own}`];
  assert.deepEqual(
    catchers.map(({ ErrorEquals, Next }) => `${ErrorEquals.join()} to ${Next}`),
    expected,
  );
}

/** Values that begin like a path under a name without `.$`: they would be handed over as text. No linter finds these (facts, wire 4). */
function unread(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === "string" ? (/^(\$(?!\{)|States\.)/.test(inner) !== key.endsWith(".$") ? [key] : []) : unread(inner),
  );
}

/** Entered, exited, and what its attempts leave when every retrier is used up. */
function eventsOf(state: State): number {
  const attempts = retriersOf(state).reduce((sum, { MaxAttempts }) => sum + MaxAttempts, 1);
  return 2 + (state.Type === "Task" || state.Type === "Parallel" ? attempts * eventsPerAttempt : 0);
}

const nextsOf = (state: State): string[] => [
  ...["Next", "Default"].flatMap((field) => (typeof state[field] === "string" ? [state[field]] : [])),
  ...((state["Choices"] ?? []) as { Next: string }[]).map(({ Next }) => Next),
];
const waysOf = (state: State): string[] => [...nextsOf(state), ...catchersOf(state).map(({ Next }) => Next)];

/** Each state at most once in a run: otherwise adding up all states would prove nothing. */
function assertNoWayBack(machine: Machine): void {
  for (const name of Object.keys(machine.States)) assert.ok(!reachable(machine, name).has(name), `${name} leads back to itself`);
}

const without = ({ StartAt, States }: Machine, name: string): Machine => ({
  StartAt,
  States: Object.fromEntries(Object.entries(States).filter(([other]) => other !== name)),
});

/** Every state that can come after this one. */
function reachable({ States }: Machine, from: string): Set<string> {
  const found = new Set<string>();
  const open = [from];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = States[name];
    for (const next of state === undefined ? [] : waysOf(state)) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(next);
    }
  }
  return found;
}

for (const { file, machine } of machines) {
  test(`only Succeed and Fail end ${file}, and a failure shows its own cause`, () => {
    let ends = 0;
    for (const [name, state] of Object.entries(machine.States)) {
      assert.notEqual(state["End"], true, `${name} ends the execution by itself`);
      if (state.Type === "Succeed" || state.Type === "Fail") ends++;
      if (state.Type !== "Fail") continue;
      // What was left behind is an error of its own; every other end shows the one that led to it.
      if (name === "ResourcesLeftBehind") assert.equal(state["Error"], name);
      else assert.equal(typeof state["ErrorPath"], "string", `${name} has no ErrorPath`);
      assert.equal(typeof state["CausePath"], "string", `${name} has no CausePath`);
    }
    assert.ok(ends >= 2);
  });
}

describe("what acts on a cluster that another execution worked on", () => {
  /** The timeout of a step's function, in which it may still act, and what a call sent at its end takes to show (lifecycle 4). */
  const pauseSeconds = 60 + 60;
  for (const name of ["build-cluster.asl.json", "destroy-cluster.asl.json"])
    test(`${name} pauses for orphans first`, () => {
      const pause = machines.find(({ file }) => file === name)?.machine.States["PauseForOrphans"];
      assert.ok(Number(pause?.["Seconds"]) >= pauseSeconds, `${pause?.["Seconds"]} s`);
    });

  test("rolls back one generation, its own, and says why", () => {
    const { RollBack } = machines.find(({ file }) => file === "build-cluster.asl.json")?.machine.States ?? {};
    const parameters = RollBack?.["Parameters"] as { Input: Record<string, unknown> } | undefined;
    assert.equal(parameters?.Input["generation.$"], "$.lock.generation");
    assert.equal(parameters?.Input["because"], "rollBack");
  });
});

describe("the ends of build-cluster tell the truth", () => {
  const build = machines.find(({ file }) => file === "build-cluster.asl.json")?.machine ?? { StartAt: "", States: {} };

  test("no way from a caught error leads to ClusterReady, but the one from releasing the lock of a ready cluster", () => {
    let caught = 0;
    for (const [name, state] of Object.entries(build.States)) {
      for (const { Next } of catchersOf(state)) {
        caught++;
        assert.equal(Next === "ClusterReady" || reachable(build, Next).has("ClusterReady"), name === "ReleaseLock", name);
      }
    }
    assert.ok(caught >= 15, `${caught} catches`);
  });

  test("after the commit nothing records a failure", () => {
    const after = nextsOf(build.States["CommitGeneration"] as State);
    assert.deepEqual(after, ["ReleaseLock"]);
    for (const name of after) assert.ok(!reachable(build, name).has("RecordFailure"));
  });
});
