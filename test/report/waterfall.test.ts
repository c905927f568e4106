import assert from "node:assert/strict";
import { test } from "node:test";
import { readableCause, visits, waitedUntil } from "../../rehearsal/report/waterfall.ts";
import type { HistoryEvent } from "../../rehearsal/world/asl/history.ts";

type Row = readonly [id: number, previous: number, at: number, type: string, details?: Record<string, unknown>];

const historyOf = (rows: readonly Row[]): HistoryEvent[] =>
  rows.map(([id, previousEventId, at, type, details = {}]) => ({
    execution: "run",
    id,
    previousEventId,
    timestamp: at * 1000,
    type,
    details,
  }));

const cause = (errorMessage: string): string => JSON.stringify({ errorType: "NotReadyError", errorMessage, trace: [] });

/** Two branches that run into each other: one waits once, the other is tried twice. */
const sideBySide: readonly Row[] = [
  [1, 0, 0, "ExecutionStarted"],
  [2, 1, 1, "ParallelStateEntered", { name: "Both" }],
  [3, 2, 1, "ParallelStateStarted"],
  [4, 3, 2, "TaskStateEntered", { name: "Right" }],
  [5, 3, 3, "TaskStateEntered", { name: "Left" }],
  [6, 5, 3, "LambdaFunctionScheduled"],
  [7, 4, 3, "LambdaFunctionScheduled"],
  [8, 6, 4, "LambdaFunctionFailed", { error: "NotReadyError", cause: cause("1 of 2 endpoints") }],
  [9, 7, 4, "LambdaFunctionFailed", { error: "TransientError", cause: cause("try again") }],
  [10, 8, 9, "LambdaFunctionScheduled"],
  [11, 9, 9, "LambdaFunctionScheduled"],
  [12, 10, 10, "LambdaFunctionSucceeded"],
  [13, 12, 10, "TaskStateExited", { name: "Left" }],
  [14, 11, 11, "LambdaFunctionSucceeded"],
  [15, 14, 11, "TaskStateExited", { name: "Right" }],
  [16, 13, 12, "TaskStateEntered", { name: "LeftAgain" }],
  [17, 16, 12, "LambdaFunctionScheduled"],
  [18, 17, 13, "LambdaFunctionSucceeded"],
  [19, 18, 13, "TaskStateExited", { name: "LeftAgain" }],
  [20, 19, 13, "ParallelStateSucceeded"],
  [21, 20, 13, "ParallelStateExited", { name: "Both" }],
  [22, 21, 14, "SucceedStateEntered", { name: "Ready" }],
  [23, 22, 14, "SucceedStateExited", { name: "Ready" }],
  [24, 23, 14, "ExecutionSucceeded"],
];

test("events of branches that run at once go to the state they belong to", () => {
  const found = visits(historyOf(sideBySide));
  const rows = found.map(({ name, depth, branch, outcome, attempts }) => [name, depth, branch, outcome, attempts.length]);
  assert.deepEqual(rows, [
    ["Both", 0, null, "done", 1],
    ["Right", 1, "Right", "retried", 2],
    ["Left", 1, "Left", "done", 2],
    ["LeftAgain", 1, "Left", "done", 1],
    ["Ready", 0, null, "done", 0],
  ]);
});

test("a wait ends with the attempt after the last NotReadyError and is told in the step's words", () => {
  const [, right, left] = visits(historyOf(sideBySide));
  assert.ok(left !== undefined && right !== undefined);
  assert.deepEqual([left.waitingFor, waitedUntil(left), left.exitedAt], ["1 of 2 endpoints", 9000, 10_000]);
  assert.deepEqual([right.waitingFor, waitedUntil(right)], [null, null]);
});

test("when one branch fails, the other is stopped and the Parallel state has failed", () => {
  const failure = { error: "CommandFailedError", cause: cause("kubeadm: no") };
  const found = visits(
    historyOf([
      ...sideBySide.slice(0, 8),
      [9, 7, 6, "LambdaFunctionFailed", failure],
      [10, 9, 6, "ParallelStateFailed", failure],
      [11, 10, 6, "ParallelStateExited", { name: "Both" }],
      [12, 11, 7, "FailStateEntered", { name: "BuildFailed" }],
      [13, 12, 7, "ExecutionFailed", failure],
    ]),
  );
  const rows = found.map(({ name, outcome, exitedAt }) => [name, outcome, exitedAt]);
  assert.deepEqual(rows, [
    ["Both", "failed", 6000],
    ["Right", "failed", 6000],
    ["Left", "stopped", 6000],
    ["BuildFailed", "failed", 7000],
  ]);
});

test("a run that goes on has a running visit with no end", () => {
  const last = visits(historyOf(sideBySide.slice(0, 18))).at(-1);
  assert.deepEqual([last?.name, last?.outcome, last?.exitedAt], ["LeftAgain", "running", null]);
});

test("a cause that is not Lambda's JSON is shown as it is", () => {
  assert.deepEqual([cause("no"), "plain", "{}", undefined].map(readableCause), ["no", "plain", "{}", ""]);
});
