import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { SimulationGap } from "../../rehearsal/world/service.ts";
import { Bench, call, chain, failing, named, run, typesOf } from "./machine.ts";

const caught = (...errors: string[]) => ({ Catch: [{ ErrorEquals: errors, ResultPath: "$.failure", Next: "Caught" }] });
const rescue = { Caught: { Type: "Pass", End: true } };
const retry = (errors: string[], fields = {}) => ({
  Retry: [{ ErrorEquals: errors, IntervalSeconds: 1, BackoffRate: 1, ...fields }],
});

describe("an error", () => {
  test("of a function has its name, and the cause that Lambda writes", async () => {
    const states = { A: { ...call("f"), ...caught("States.ALL"), End: true }, ...rescue };
    const { output } = await run(states, { kept: 1 }, { f: failing("CapacityError") });
    const Cause = JSON.stringify({ errorType: "CapacityError", errorMessage: "as planned", trace: [] });
    assert.deepEqual(output, { kept: 1, failure: { Error: "CapacityError", Cause } });
  });

  test("goes to the first Catch that names it", async () => {
    const Catch = [
      { ErrorEquals: ["Other"], Next: "Wrong" },
      { ErrorEquals: ["Mine"], Next: "Right" },
      { ErrorEquals: ["States.ALL"], Next: "Wrong" },
    ];
    const states = { A: { ...call("f"), Catch, End: true }, Right: { Type: "Succeed" }, Wrong: { Type: "Fail" } };
    assert.equal((await run(states, {}, { f: failing("Mine") })).status, "SUCCEEDED");
  });

  test("of a missing path is seen by no Catch, neither States.ALL nor its own name", async () => {
    for (const name of ["States.ALL", "States.Runtime"]) {
      const states = { A: { ...call("f"), Parameters: { "x.$": "$.missing" }, ...caught(name), End: true }, ...rescue };
      const { status, error } = await run(states, {}, { f: failing() });
      assert.deepEqual([status, error], ["FAILED", "States.Runtime"], name);
    }
  });

  test("of a missing path is not retried either", async () => {
    const states = {
      A: { Type: "Parallel", ...retry(["States.ALL"]), Branches: [chain({ B: { Type: "Pass", InputPath: "$.no" } })] },
    };
    const { execution, error } = await run(states);
    assert.deepEqual([error, execution.retries], ["States.Runtime", 0]);
  });

  test("shown by a Fail state comes from where its paths point", async () => {
    const { status, error, cause } = await run(
      { End: { Type: "Fail", ErrorPath: "$.e", CausePath: "$.c" } },
      { e: "First", c: "why" },
    );
    assert.deepEqual([status, error, cause], ["FAILED", "First", "why"]);
  });

  test("that nobody catches ends the execution without an exit of its state", async () => {
    const { execution } = await run({ A: call("f") }, {}, { f: failing("Mine") });
    assert.deepEqual(typesOf(execution).slice(-2), ["LambdaFunctionFailed", "ExecutionFailed"]);
  });

  test("for a payload over 256 KiB is States.DataLimitExceeded", async () => {
    const f = async () => "x".repeat(262_144);
    assert.equal((await run({ A: call("f") }, {}, { f })).error, "States.DataLimitExceeded");
    const most = async () => "x".repeat(262_142);
    const { status, execution } = await run({ A: call("f") }, {}, { f: most });
    assert.deepEqual([status, execution.largestStateBytes], ["SUCCEEDED", 262_144]);
  });

  test("of the simulator is nobody's failed state", async () => {
    const f = async () => {
      throw new SimulationGap("unknown field");
    };
    await assert.rejects(run({ A: { ...call("f"), ...caught("States.ALL"), End: true }, ...rescue }, {}, { f }), SimulationGap);
  });
});

describe("a Retry", () => {
  test("counts for each retrier over the whole visit, and its intervals grow to the longest one", async () => {
    const at: number[] = [];
    const left = ["A", "B", "A", "A"];
    const bench: Bench = new Bench({
      f: async () => {
        at.push(bench.seconds());
        const name = left.shift();
        if (name !== undefined) throw named(name);
      },
    });
    const Retry = [
      { ErrorEquals: ["A"], IntervalSeconds: 2, BackoffRate: 3, MaxAttempts: 3, MaxDelaySeconds: 10 },
      { ErrorEquals: ["B"], IntervalSeconds: 100, BackoffRate: 1, MaxAttempts: 1 },
    ];
    assert.equal((await bench.run(chain({ S: { ...call("f"), Retry } }))).status, "SUCCEEDED");
    const gaps = at.slice(1).map((time, index) => Math.round(time - (at[index] ?? 0)));
    assert.deepEqual(gaps, [2, 100, 6, 10]);
  });

  test("that is used up leaves the error to the Catch", async () => {
    const states = { A: { ...call("f"), ...retry(["Mine"], { MaxAttempts: 2 }), ...caught("Mine"), End: true }, ...rescue };
    const { status, execution } = await run(states, {}, { f: failing("Mine", "Mine", "Mine") });
    assert.deepEqual([status, execution.retries], ["SUCCEEDED", 2]);
    assert.equal(typesOf(execution).filter((type) => type === "LambdaFunctionFailed").length, 3);
  });

  test("that says nothing tries three times, after 1, 2 and 4 seconds", async () => {
    const bench = new Bench({ f: failing("Mine", "Mine", "Mine", "Mine") });
    const { error, execution } = await bench.run(chain({ A: { ...call("f"), Retry: [{ ErrorEquals: ["Mine"] }] } }));
    assert.deepEqual([error, execution.retries], ["Mine", 3]);
    assert.ok(bench.seconds() > 7 && bench.seconds() < 10, `${bench.seconds()} s`);
  });

  test("with zero attempts does not retry", async () => {
    const { execution } = await run({ A: { ...call("f"), ...retry(["Mine"], { MaxAttempts: 0 }) } }, {}, { f: failing("Mine") });
    assert.equal(execution.retries, 0);
  });

  test("starts to count anew when the state is entered again", async () => {
    const f = failing("Mine", "Mine", "Again", "Mine", "Mine");
    const states = {
      A: {
        ...call("f"),
        ...retry(["Mine"], { MaxAttempts: 2 }),
        Catch: [{ ErrorEquals: ["Again"], Next: "A" }],
        End: true,
      },
    };
    assert.equal((await run(states, {}, { f })).status, "SUCCEEDED");
  });

  test("on States.TaskFailed is not meant for a timeout", async () => {
    const slow = async () => new Promise(() => {});
    const states = { A: { ...call("slow"), TimeoutSeconds: 5, ...retry(["States.TaskFailed"]) } };
    const { error, execution } = await run(states, {}, { slow });
    assert.deepEqual([error, execution.retries], ["States.Timeout", 0]);
  });

  test("with full jitter waits a part of the interval, the same in every run of a seed", async () => {
    const wait = async (seed: number) => {
      const bench = new Bench({ f: failing("Mine") }, seed);
      await bench.run(chain({ A: { ...call("f"), ...retry(["Mine"], { IntervalSeconds: 1000, JitterStrategy: "FULL" }) } }));
      return bench.seconds();
    };
    const [one, again, other] = [await wait(1), await wait(1), await wait(2)];
    assert.ok(one < 1000 && other < 1000);
    assert.equal(one, again);
    assert.ok(Math.abs(one - other) > 1, `${one} and ${other}`);
  });
});

describe("time", () => {
  test("runs out for a Task, whose function goes on to its end unheard", async () => {
    const done: string[] = [];
    const bench: Bench = new Bench({
      slow: async () => {
        await bench.universe.clock.sleep(30);
        done.push("slow");
        return "late";
      },
    });
    const states = { A: { ...call("slow"), TimeoutSeconds: 10, ...caught("States.Timeout"), Next: "Caught" }, ...rescue };
    const { output, execution } = await bench.run(chain(states), {});
    assert.deepEqual(output, { failure: { Error: "States.Timeout", Cause: "" } });
    assert.ok(typesOf(execution).includes("LambdaFunctionTimedOut"));
    const before = execution.history.events.length;
    assert.deepEqual(done, []);
    await bench.universe.clock.run(bench.universe.clock.sleep(60));
    assert.deepEqual([done, execution.history.events.length], [["slow"], before]);
  });

  test("runs out for a function after 60 seconds, as its runtime says it", async () => {
    const bench = new Bench({ stuck: async () => new Promise(() => {}) });
    const { error, cause } = await bench.run(chain({ A: { ...call("stuck"), TimeoutSeconds: 70 } }));
    assert.equal(error, "Sandbox.Timedout");
    assert.match(String(cause), /timed out after 60/);
    assert.ok(bench.seconds() >= 60 && bench.seconds() < 63, `${bench.seconds()} s`);
  });

  test("runs out for a machine, and no Catch runs", async () => {
    const states = { A: { ...call("slow"), ...caught("States.ALL"), Next: "Caught" }, ...rescue };
    const bench = new Bench({ slow: async () => new Promise(() => {}) });
    const { status, execution } = await bench.run({ ...chain(states), TimeoutSeconds: 30 });
    assert.deepEqual([status, typesOf(execution).at(-1)], ["TIMED_OUT", "ExecutionTimedOut"]);
    assert.ok(!typesOf(execution).includes("PassStateEntered"));
  });

  test("stops for an execution that is stopped: no Catch, no later event", async () => {
    const bench: Bench = new Bench({ slow: async () => bench.universe.clock.sleep(20) });
    const execution = bench.start(chain({ A: { ...call("slow"), ...caught("States.ALL"), Next: "Caught" }, ...rescue }));
    bench.universe.clock.after(5, () => execution.stop("Mine", "a person"));
    const outcome = await bench.universe.clock.run(execution.done);
    assert.deepEqual(outcome, { status: "ABORTED", error: "Mine", cause: "a person" });
    const before = execution.history.events.length;
    await bench.universe.clock.run(bench.universe.clock.sleep(60));
    assert.equal(execution.history.events.length, before);
    assert.equal(typesOf(execution).at(-1), "ExecutionAborted");
  });

  test("is paid for a function's first call only", async () => {
    const bench = new Bench({ f: async () => ({}) });
    await bench.run(chain({ A: call("f"), B: call("f") }));
    const draws = [...bench.universe.chance.draws.keys()];
    assert.deepEqual(draws.filter((draw) => draw.startsWith("lambda.coldStart")).length, 1);
    assert.deepEqual(
      draws.filter((draw) => draw.startsWith("stepFunctions")),
      ["stepFunctions.transition/A/1", "stepFunctions.transition/B/1"],
    );
  });
});

describe("a Parallel", () => {
  test("gives each branch the same input, and its results in the order of the branches", async () => {
    const branch = (seconds: number, result: string) =>
      chain({
        [`Pause${result}`]: { Type: "Wait", Seconds: seconds },
        [result]: { Type: "Pass", Parameters: { [result]: 1, "x.$": "$.x" } },
      });
    const states = { All: { Type: "Parallel", Branches: [branch(9, "slow"), branch(1, "fast")] } };
    assert.deepEqual((await run(states, { x: 7 })).output, [
      { slow: 1, x: 7 },
      { fast: 1, x: 7 },
    ]);
  });

  test("whose branch fails enters no more states in the others, while what Lambda has begun goes on", async () => {
    const done: string[] = [];
    const bench: Bench = new Bench({
      bad: failing("Mine"),
      slow: async () => {
        await bench.universe.clock.sleep(20);
        done.push("slow");
      },
      never: async () => done.push("never"),
    });
    const branches = [chain({ Bad: call("bad") }), chain({ Slow: call("slow"), Never: call("never") })];
    const states = {
      All: { Type: "Parallel", Branches: branches, ...caught("Mine"), Next: "Caught" },
      Caught: { Type: "Wait", Seconds: 60 },
    };
    // The execution lives on: what stops the other branch is the failure, not the end of everything.
    const { status, output, execution } = await bench.run(chain(states), { kept: 1 });
    assert.equal(status, "SUCCEEDED");
    assert.equal((output as { failure: { Error: string } }).failure.Error, "Mine");
    assert.deepEqual(done, ["slow"]);
    assert.ok(!execution.history.events.some(({ details }) => details["name"] === "Never"));
  });

  test("is retried as a whole", async () => {
    const branches = [chain({ B: call("f") })];
    const { status, execution } = await run(
      { All: { Type: "Parallel", Branches: branches, ...retry(["Mine"]) } },
      {},
      { f: failing("Mine") },
    );
    assert.equal(status, "SUCCEEDED");
    assert.equal(typesOf(execution).filter((type) => type === "ParallelStateStarted").length, 2);
  });
});
