import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { SimulationGap } from "../../rehearsal/world/service.ts";
import { Bench, call, chain, failing, run, typesOf } from "./machine.ts";

const nested = { Type: "Task", Resource: "arn:aws:states:::states:startExecution.sync:2" };
const childArn = "arn:aws:states:sim-1:111122223333:stateMachine:child";
const start = (fields = {}) => ({ ...nested, Parameters: { StateMachineArn: childArn, Input: { "n.$": "$.n" }, ...fields } });

describe("the history", () => {
  test("has Step Functions' events, each naming the one before it", async () => {
    const states = { A: { ...call("f"), Retry: [{ ErrorEquals: ["Mine"] }] }, B: { Type: "Pass" } };
    const { execution } = await run(states, { a: 1 }, { f: failing("Mine") });
    assert.deepEqual(typesOf(execution), [
      "ExecutionStarted",
      "TaskStateEntered",
      "LambdaFunctionScheduled",
      "LambdaFunctionStarted",
      "LambdaFunctionFailed",
      "LambdaFunctionScheduled",
      "LambdaFunctionStarted",
      "LambdaFunctionSucceeded",
      "TaskStateExited",
      "PassStateEntered",
      "PassStateExited",
      "ExecutionSucceeded",
    ]);
    const { events } = execution.history;
    assert.deepEqual(
      events.map(({ id }) => id),
      events.map((_, index) => index + 1),
    );
    assert.deepEqual(
      events.map(({ previousEventId }) => previousEventId),
      events.map((_, index) => index),
    );
    assert.equal(events[1]?.details["input"], '{"a":1}');
    assert.equal(events.at(-1)?.details["output"], '{"ok":true}');
  });

  test("follows each branch by itself, from the Parallel's start to its end", async () => {
    const branch = (name: string, seconds: number) => chain({ [name]: { Type: "Wait", Seconds: seconds } });
    const { execution } = await run({ All: { Type: "Parallel", Branches: [branch("PauseA", 5), branch("PauseB", 1)] } });
    const { events } = execution.history;
    const find = (type: string, name?: string) =>
      events.find((event) => event.type === type && (name === undefined || event.details["name"] === name));
    const started = find("ParallelStateStarted")?.id;
    assert.equal(find("WaitStateEntered", "PauseA")?.previousEventId, started);
    assert.equal(find("WaitStateEntered", "PauseB")?.previousEventId, started);
    assert.equal(find("WaitStateExited", "PauseB")?.previousEventId, find("WaitStateEntered", "PauseB")?.id);
    assert.equal(find("ParallelStateSucceeded")?.previousEventId, find("WaitStateExited", "PauseA")?.id);
  });

  test("is told event by event as it happens, and counts states and retries as transitions", async () => {
    const bench = new Bench({ f: failing("Mine") });
    const { execution } = await bench.run(chain({ A: { ...call("f"), Retry: [{ ErrorEquals: ["Mine"] }] } }));
    assert.deepEqual(bench.heard, execution.history.events);
    assert.deepEqual([execution.transitions, execution.retries], [1, 1]);
  });

  test("is the same, event by event, in every run of a seed", async () => {
    const once = async () =>
      (await run({ A: call("f"), B: { Type: "Wait", Seconds: 3 } }, {}, { f: failing() })).execution.history.events;
    assert.deepEqual(await once(), await once());
  });
});

describe("a nested execution", () => {
  const withChild = (child: unknown, functions = {}) => {
    const bench = new Bench(functions);
    bench.stepFunctions.addMachine("child", JSON.stringify(child));
    return bench;
  };

  test("gives its output parsed, and its input is the child's", async () => {
    const bench = withChild(chain({ Double: { Type: "Pass", Parameters: { "twice.$": "$.n" } } }));
    const { output, execution } = await bench.run(chain({ Child: start() }), { n: 4 });
    const { Status, Output, Input } = output as { Status: string; Output: unknown; Input: unknown };
    assert.deepEqual({ Status, Output, Input }, { Status: "SUCCEEDED", Output: { twice: 4 }, Input: { n: 4 } });
    assert.deepEqual(typesOf(execution).slice(2, -2), ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]);
  });

  test("that fails fails its Task with States.TaskFailed, and the cause tells the child's own", async () => {
    const bench = withChild(chain({ Bad: { Type: "Fail", Error: "Mine", Cause: "why" } }));
    const { error, cause, execution } = await bench.run(chain({ Child: start() }), { n: 4 });
    assert.equal(error, "States.TaskFailed");
    const { Status, Error: name, Cause } = JSON.parse(String(cause)) as Record<string, string>;
    assert.deepEqual([Status, name, Cause], ["FAILED", "Mine", "why"]);
    assert.equal(typesOf(execution).at(-2), "TaskFailed");
  });

  test("may take as long as it likes where the Task names no timeout", async () => {
    const bench = withChild(chain({ Pause: { Type: "Wait", Seconds: 100_000 } }));
    assert.equal((await bench.run(chain({ Child: start() }), { n: 4 })).status, "SUCCEEDED");
    assert.ok(bench.seconds() > 100_000);
  });

  test("that outlives its Task's timeout is a timeout", async () => {
    const bench = withChild(chain({ Pause: { Type: "Wait", Seconds: 50 } }));
    const { error, execution } = await bench.run(chain({ Child: { ...start(), TimeoutSeconds: 10 } }), { n: 4 });
    assert.deepEqual([error, typesOf(execution).at(-2)], ["States.Timeout", "TaskTimedOut"]);
  });

  test("of a name that a closed execution had is refused, and a retry without a name is another child", async () => {
    const bench = withChild(chain({ Bad: { Type: "Fail", Error: "Mine", Cause: "why" } }));
    const Retry = [{ ErrorEquals: ["States.TaskFailed"], MaxAttempts: 1 }];
    const { error } = await bench.run(chain({ Child: { ...start({ Name: "one" }), Retry } }), { n: 4 });
    assert.equal(error, "StepFunctions.ExecutionAlreadyExistsException");
    const execution = bench.start(chain({ Child: { ...start(), Retry } }), { n: 4 }, "second");
    assert.equal((await bench.universe.clock.run(execution.done)).error, "States.TaskFailed");
    assert.equal([...bench.stepFunctions.executions.keys()].filter((arn) => arn.includes(":child:")).length, 3);
  });
});

describe("a machine is refused when it is loaded", () => {
  const pass = { Type: "Pass", End: true };
  const choice = (rule: object) => ({ A: { Type: "Choice", Choices: [rule] }, B: pass });
  const refused: readonly [string, Readonly<Record<string, unknown>>][] = [
    ["for a type of state that is not modelled", { A: { Type: "Map", End: true } }],
    ["for a field that is not modelled", { A: { ...pass, Assign: {} } }],
    [
      "for a service integration that is not modelled",
      { A: { Type: "Task", Resource: "arn:aws:states:::sns:publish", End: true } },
    ],
    ["for a comparison that is not modelled", choice({ Variable: "$.a", StringLessThan: "a", Next: "B" })],
    ["for an escape in a pattern", choice({ Variable: "$.a", StringMatches: "a\\*", Next: "B" })],
    ["for two comparisons in one rule", choice({ Variable: "$.a", IsNull: true, StringEquals: "a", Next: "B" })],
    ["for a rule that compares nothing", choice({ Variable: "$.a", Next: "B" })],
    ["for a comparison with another type", choice({ Variable: "$.a", NumericEquals: "1", Next: "B" })],
    ["for an intrinsic function that is not modelled", { A: { ...pass, Parameters: { "x.$": "States.UUID()" } } }],
    ["for an escape in States.Format", { A: { ...pass, Parameters: { "x.$": "States.Format('it\\'s {}', $.a)" } } }],
    ["for a path with a filter", { A: { ...pass, InputPath: "$.a[?(@.b)]" } }],
    ["for a Next to nowhere", { A: { Type: "Pass", Next: "B" } }],
    ["for a state that neither ends nor goes on", { A: { Type: "Pass" } }],
    [
      "for a field of a retrier that is misspelt",
      { A: { ...call("f"), End: true, Retry: [{ ErrorEquals: ["X"], Interval: 1 }] } },
    ],
    [
      "for a States.ALL that is not last",
      { A: { ...call("f"), End: true, Retry: [{ ErrorEquals: ["States.ALL"] }, { ErrorEquals: ["X"] }] } },
    ],
    ["for a function's place that nothing was put into", { A: { Type: "Task", Resource: "$".concat("{StepArn}"), End: true } }],
  ];
  for (const [claim, States] of refused) {
    test(claim, () => {
      assert.throws(() => new Bench().stepFunctions.addMachine("m", JSON.stringify({ StartAt: "A", States })), SimulationGap);
    });
  }

  test("and not for what it knows", () => {
    const States = choice({ And: [{ Variable: "$.a", IsPresent: true }], Next: "B" });
    new Bench().stepFunctions.addMachine("m", JSON.stringify({ StartAt: "A", States }));
  });
});
