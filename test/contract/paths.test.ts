import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import type { State } from "../../rehearsal/world/asl/definition.ts";
import { machines, signaturesOf, statesOf, stepsByState } from "./machines.ts";
import { type Machine, walkMachine } from "./path-walker.ts";
import { opaque } from "./shape.ts";

const signatures = signaturesOf(await stepsByState());
const build = machines.find(({ file }) => file === "build-cluster.asl.json")?.machine ?? { StartAt: "", States: {} };

/** The machine with some fields of one state, at any depth, replaced. */
function broken(machine: Machine, name: string, fields: Readonly<Record<string, unknown>>): Machine {
  const text = JSON.stringify(machine, (key, value: unknown) => (key === name ? { ...(value as State), ...fields } : value));
  assert.notEqual(text, JSON.stringify(machine), `${name} was not changed`);
  return JSON.parse(text) as Machine;
}

const problemsOf = (machine: Machine) => [...walkMachine(machine, opaque, signatures).problems];

for (const { file, machine } of machines) {
  describe(`on every way through ${file}`, () => {
    const walk = walkMachine(machine, opaque, signatures);

    test("each state comes at least once, and paths are read", () => {
      assert.deepEqual(
        statesOf(machine).flatMap(({ name }) => (walk.visited.has(name) ? [] : [name])),
        [],
      );
      assert.ok(walk.reads > Math.min(30, statesOf(machine).length), `${walk.reads} reads`);
    });

    test("what a state reads was written before, and what a step takes is handed over", () => {
      assert.deepEqual([...walk.problems], []);
    });
  });
}

describe("the walker finds", () => {
  test("a slot that nobody writes any more", () => {
    const problems = problemsOf(broken(build, "CreateNetwork", { ResultPath: null }));
    assert.ok(problems.includes("CreateEndpoints reads $.network"), problems.join("\n"));
  });

  test("a slot that is written on one of two ways only", () => {
    const problems = problemsOf(broken(build, "UseControlPlaneName", { ResultPath: null }));
    assert.deepEqual(problems, ["PrepareNodes reads $[2].api"]);
  });

  test("a Catch that throws the first cause away", () => {
    const [first] = (build.States["WaitForNodes"]?.["Catch"] ?? []) as { Next: string }[];
    const problems = problemsOf(broken(build, "WaitForNodes", { Catch: [{ ...first, ResultPath: null }] }));
    assert.deepEqual(problems, ["LockLost reads $.failure.Error", "LockLost reads $.failure.Cause"]);
  });

  test("a result that replaces the whole state", () => {
    const problems = problemsOf(broken(build, "WaitForNodes", { ResultPath: "$" }));
    assert.ok(problems.includes("CheckDns reads $.lock"), problems.join("\n"));
  });

  test("a field of a script's output that the script does not print", () => {
    const problems = problemsOf(
      broken(build, "BootstrapCluster", {
        ResultSelector: { "join.$": "$[0].captured.output.token", "networking.$": "$[0].networking" },
      }),
    );
    assert.deepEqual(problems, ["BootstrapCluster reads $[0].captured.output.token"]);
  });

  test("a field of something that may be null", () => {
    const problems = problemsOf(broken(build, "UseCertificateOnRecord", { InputPath: "$.lock.certificate.key" }));
    assert.deepEqual(problems, ["UseCertificateOnRecord reads $.lock.certificate.key"]);
  });

  test("a field of the context object that Step Functions does not have", () => {
    const parameters = { "input.$": "$", "execution.$": "$$.Execution.Arn" };
    assert.deepEqual(problemsOf(broken(build, "ValidateRequest", { Parameters: parameters })), [
      "ValidateRequest reads $$.Execution.Arn",
    ]);
  });

  test("a parameter that the step does not take, and one that it lacks", () => {
    const problems = problemsOf(broken(build, "ReleaseLock", { Parameters: { "owner.$": "$.lock" } }));
    assert.deepEqual(problems, [
      "ReleaseLock lacks Parameters.lock",
      "ReleaseLock hands over owner, which release-lock does not take",
    ]);
  });

  test("an argument of States.Format that was never written", () => {
    const summary = { "parameter.$": "States.Format('/cloister/{}', $.request.title)" };
    assert.deepEqual(problemsOf(broken(build, "SummarizeCluster", { Parameters: summary })), [
      "SummarizeCluster reads $.request.title",
    ]);
  });
});
