import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import type { Json } from "../../rehearsal/world/asl/paths.ts";
import { call, chain, run } from "./machine.ts";

const echo = async (event: Json) => event;

describe("the data that states hand on", () => {
  test("a result is written into its slot, and null drops it", async () => {
    const states = {
      Keep: { ...call("echo"), Parameters: { "b.$": "$.a" }, ResultPath: "$.deep.slot" },
      Drop: { ...call("echo"), ResultPath: null },
    };
    assert.deepEqual((await run(states, { a: 1 }, { echo })).output, { a: 1, deep: { slot: { b: 1 } } });
  });

  test("a result at $ replaces everything, and adds no field of that name", async () => {
    assert.deepEqual((await run({ A: { ...call("f"), ResultPath: "$" } }, { a: 1 }, { f: async () => ({ b: 2 }) })).output, {
      b: 2,
    });
  });

  test("a Pass hands on a Result of false and of zero", async () => {
    const states = {
      False: { Type: "Pass", Result: false, ResultPath: "$.no" },
      Zero: { Type: "Pass", Result: 0, ResultPath: "$.zero" },
    };
    assert.deepEqual((await run(states, { a: 1 })).output, { a: 1, no: false, zero: 0 });
  });

  test("InputPath comes first, then Parameters, ResultSelector, ResultPath and OutputPath", async () => {
    const state = {
      ...call("echo"),
      InputPath: "$.in",
      Parameters: { "x.$": "$.x", fixed: [1, { "y.$": "$.y" }] },
      ResultSelector: { "picked.$": "$.fixed[1].y" },
      ResultPath: "$.out",
      OutputPath: "$.out",
    };
    assert.deepEqual((await run({ A: state }, { in: { x: 1, y: 2 } }, { echo })).output, { picked: 2 });
  });

  test("a null path means an empty object", async () => {
    assert.deepEqual((await run({ A: { ...call("echo"), InputPath: null } }, { a: 1 }, { echo })).output, {});
    assert.deepEqual((await run({ A: { Type: "Pass", OutputPath: null } }, { a: 1 })).output, {});
  });

  test("a Choice, a Wait and a Succeed have InputPath and OutputPath too", async () => {
    const states = {
      Ask: {
        Type: "Choice",
        InputPath: "$.in",
        Choices: [{ Variable: "$.x", NumericEquals: 1, Next: "Pause" }],
        OutputPath: "$.more",
      },
      Pause: { Type: "Wait", Seconds: 1, InputPath: "$.c" },
      Done: { Type: "Succeed", OutputPath: "$.d" },
    };
    assert.equal((await run(states, { in: { x: 1, more: { c: { d: "end" } } } })).output, "end");
  });

  test("a function's undefined becomes null, and it cannot change the state behind its back", async () => {
    const spoil = async (event: Json) => {
      (event as { list: number[] }).list.push(9);
    };
    assert.deepEqual((await run({ A: { ...call("spoil"), ResultPath: "$.r" } }, { list: [1] }, { spoil })).output, {
      list: [1],
      r: null,
    });
  });

  test("States.Format fills its places, and a value with a backslash stays as it is", async () => {
    const state = { Type: "Pass", Parameters: { "x.$": "States.Format('/{}/g{}', $.name, $.n)" } };
    assert.deepEqual((await run({ A: state }, { name: "C:\\tmp", n: 3 })).output, { x: "/C:\\tmp/g3" });
  });

  test("States.StringToJson reads what a text holds, backslashes and all; what is no JSON is an intrinsic failure", async () => {
    const state = { Type: "Pass", Parameters: { "x.$": "States.StringToJson($.text)" } };
    const value = { cause: '{"errorMessage":"C:\\tmp"}', list: [1, null] };
    assert.deepEqual((await run({ A: state }, { text: JSON.stringify(value) })).output, { x: value });
    assert.equal((await run({ A: state }, { text: "{" })).error, "States.IntrinsicFailure");
    assert.equal((await run({ A: state }, { text: 7 })).error, "States.IntrinsicFailure");
  });

  test("what lies at a path with null is null, and a path through null leads nowhere", async () => {
    assert.deepEqual((await run({ A: { Type: "Pass", Parameters: { "a.$": "$.a" } } }, { a: null })).output, { a: null });
    assert.equal((await run({ A: { Type: "Pass", Parameters: { "a.$": "$.a.b" } } }, { a: null })).error, "States.Runtime");
  });
});

describe("the context object", () => {
  test("names the execution, the state and the machine", async () => {
    const state = { Type: "Pass", Parameters: { "e.$": "$$.Execution", "s.$": "$$.State", "m.$": "$$.StateMachine.Id" } };
    const { output, execution } = await run({ Look: state }, { a: 1 });
    const { e, s, m } = output as { e: Record<string, Json>; s: Record<string, Json>; m: string };
    assert.deepEqual(e, { Id: execution.arn, Name: "run", Input: { a: 1 }, StartTime: "2026-11-24T00:00:00.000Z" });
    assert.equal(s["Name"], "Look");
    assert.equal(s["RetryCount"], 0);
    assert.equal(m, "arn:aws:states:sim-1:111122223333:stateMachine:machine");
  });

  test("its input is the execution's, inside a branch as well", async () => {
    const branch = chain({ Inner: { Type: "Pass", Parameters: { "root.$": "$$.Execution.Input.b" } } });
    const states = { All: { Type: "Parallel", Parameters: { other: true }, Branches: [branch] } };
    assert.deepEqual((await run(states, { b: 7 })).output, [{ root: 7 }]);
  });

  test("counts the retries, while the time of entry stays", async () => {
    const seen: Json[] = [];
    const f = async (event: Json) => {
      seen.push(event);
      if (seen.length < 3) throw new Error("again");
    };
    const state = {
      ...call("f"),
      Parameters: { "n.$": "$$.State.RetryCount", "at.$": "$$.State.EnteredTime" },
      Retry: [{ ErrorEquals: ["Error"], IntervalSeconds: 5 }],
    };
    const { execution } = await run({ A: state }, {}, { f });
    const entered = execution.history.events.find(({ type }) => type === "TaskStateEntered")?.timestamp ?? 0;
    const at = new Date(entered).toISOString();
    assert.deepEqual(
      seen,
      [0, 1, 2].map((n) => ({ n, at })),
    );
  });
});

describe("a Choice", () => {
  const chosen = async (rule: Readonly<Record<string, unknown>>, input: Json): Promise<string> => {
    const states = {
      Ask: { Type: "Choice", Choices: [{ ...rule, Next: "Yes" }], Default: "No" },
      Yes: { Type: "Pass", Result: "yes", End: true },
      No: { Type: "Pass", Result: "no", End: true },
    };
    const { output, error } = await run(states, input);
    return String(output ?? error);
  };
  const v = { Variable: "$.v" };
  const cases: readonly [string, Readonly<Record<string, unknown>>, Json, string][] = [
    ["IsPresent false matches what is not there", { ...v, IsPresent: false }, {}, "yes"],
    ["IsPresent false does not match what is there", { ...v, IsPresent: false }, { v: 1 }, "no"],
    ["IsPresent false reaches below what is not there", { Variable: "$.v.w", IsPresent: false }, {}, "yes"],
    ["null is present", { ...v, IsPresent: true }, { v: null }, "yes"],
    ["IsNull false matches a value", { ...v, IsNull: false }, { v: 1 }, "yes"],
    ["IsNull true matches null", { ...v, IsNull: true }, { v: null }, "yes"],
    ["IsNull of what is not there is an error", { ...v, IsNull: true }, {}, "States.Runtime"],
    ["a text is no number", { ...v, NumericGreaterThan: 1 }, { v: "2" }, "no"],
    ["a number is no text", { ...v, StringEquals: "2" }, { v: 2 }, "no"],
    ["a text is no truth", { ...v, BooleanEquals: true }, { v: "true" }, "no"],
    ["the bound itself is not above it", { ...v, NumericGreaterThan: 2 }, { v: 2 }, "no"],
    ["the bound itself is at least itself", { ...v, NumericGreaterThanEquals: 2 }, { v: 2 }, "yes"],
    [
      "And stops before it reads what is missing",
      {
        And: [
          { ...v, IsPresent: true },
          { ...v, NumericEquals: 1 },
        ],
      },
      {},
      "no",
    ],
    [
      "Or takes either",
      {
        Or: [
          { ...v, NumericEquals: 1 },
          { ...v, NumericEquals: 2 },
        ],
      },
      { v: 2 },
      "yes",
    ],
    ["a pattern's star stands for anything", { ...v, StringMatches: "{*}" }, { v: "{a\n}" }, "yes"],
    ["a pattern is of the whole text", { ...v, StringMatches: "{*}" }, { v: "{a}." }, "no"],
    ["a pattern's other signs stand for themselves", { ...v, StringMatches: "a.*" }, { v: "abc" }, "no"],
    ["Not turns it round", { Not: { ...v, StringEquals: "a" } }, { v: "b" }, "yes"],
    ["comparing what is missing is an error", { ...v, StringEquals: "a" }, {}, "States.Runtime"],
  ];
  for (const [claim, rule, input, expected] of cases) test(claim, async () => assert.equal(await chosen(rule, input), expected));

  test("without a match and without a Default is an error of its own", async () => {
    const states = { Ask: { Type: "Choice", Choices: [{ ...v, NumericEquals: 1, Next: "Yes" }] }, Yes: { Type: "Succeed" } };
    const { status, error } = await run(states, { v: 2 });
    assert.deepEqual([status, error], ["FAILED", "States.NoChoiceMatched"]);
  });
});
