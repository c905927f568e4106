import assert from "node:assert/strict";
import { test } from "node:test";
import { LiveView, type Screen } from "../../rehearsal/report/live.ts";
import type { HistoryEvent } from "../../rehearsal/world/asl/history.ts";

const cause = JSON.stringify({ errorMessage: "0 of 5 endpoints answer, and this goes on for long" });
const rows: readonly (readonly [at: number, type: string, details?: Record<string, unknown>])[] = [
  [0, "ExecutionStarted"],
  [0, "TaskStateEntered", { name: "WaitForDns" }],
  [0, "LambdaFunctionScheduled"],
  [1, "LambdaFunctionFailed", { error: "NotReadyError", cause }],
  [6, "LambdaFunctionScheduled"],
  [7, "LambdaFunctionFailed", { error: "NotReadyError", cause }],
  [72, "LambdaFunctionScheduled"],
  [73, "LambdaFunctionSucceeded"],
  [73, "TaskStateExited", { name: "WaitForDns" }],
];
const history: HistoryEvent[] = rows.map(([at, type, details = {}], index) => {
  return { execution: "run", id: index + 1, previousEventId: index, timestamp: at * 1000, type, details };
});

function shown(screen: Partial<Screen>): string {
  let text = "";
  const view = new LiveView({
    ...{ isTerminal: false, hasColour: false, columns: 80, ...screen },
    write: (more) => {
      text += more;
    },
  });
  for (const event of history) view.add(event);
  return text;
}
const esc = "\u001b";

test("without a terminal a wait is said once and its end once, in plain lines", () => {
  const lines = shown({}).trimEnd().split("\n");
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /^ {2}0:01 {2}… WaitForDns +1 s {2}0 of 5 endpoints answer/);
  assert.match(lines[1] ?? "", /^ {2}1:13 {2}✓ WaitForDns +1 min 13 s$/);
  assert.ok(!lines.join("").includes(esc));
});

test("a terminal's running line is drawn again in its place and never wider than the terminal", () => {
  const text = shown({ isTerminal: true, columns: 60 });
  assert.ok(text.includes(`${esc}[1A${esc}[0J`));
  const lines = text
    .replaceAll(new RegExp(`${esc}\\[\\d+[AJ]`, "g"), "")
    .trimEnd()
    .split("\n");
  assert.ok(lines.length > 2);
  for (const line of lines) assert.ok(line.length < 60, line);
});

test("colour is there when it is wanted, and only then", () => {
  assert.ok(shown({ isTerminal: true, hasColour: true }).includes(`${esc}[32m`));
  assert.ok(!shown({ isTerminal: true, hasColour: false }).includes(`${esc}[32m`));
});
