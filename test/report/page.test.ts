import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { branchesOf, type Machine } from "../../rehearsal/report/flow.ts";
import { reportPage } from "../../rehearsal/report/page.ts";
import type { Rehearsal } from "../../rehearsal/result.ts";
import type { Definition } from "../../rehearsal/world/asl/definition.ts";

const machine = readFileSync(new URL("../../statemachine/build-cluster.asl.json", import.meta.url), "utf8");
const definition = JSON.parse(machine) as Definition;
const evil = `<script>alert("x")</script><img src=x onerror='y'>`;
const cause = JSON.stringify({ errorType: "CommandFailedError", errorMessage: evil, trace: [] });
const failure = { error: "CommandFailedError", cause };

const rows: readonly (readonly [seconds: number, type: string, details: Record<string, unknown>])[] = [
  [0, "ExecutionStarted", {}],
  [1, "TaskStateEntered", { name: "CheckDns" }],
  [1, "LambdaFunctionScheduled", {}],
  [2, "LambdaFunctionFailed", { error: "NotReadyError", cause }],
  [30, "LambdaFunctionScheduled", {}],
  [31, "LambdaFunctionFailed", failure],
  [31, "TaskStateExited", { name: "CheckDns" }],
  [32, "FailStateEntered", { name: "BuildFailed" }],
  [32, "ExecutionFailed", failure],
];

const item = (type: string, id: string) => ({ type, id, tags: { Name: evil }, facts: { state: evil } });
/** A run in which everything that a run can say is hostile. */
const rehearsal: Rehearsal = {
  status: "failed",
  seed: 7,
  error: { name: evil, cause, state: evil },
  execution: {
    machine: evil,
    transitions: 4,
    virtualSeconds: 32,
    ownSeconds: 3,
    criticalPath: [{ state: "CheckDns", seconds: 31, on: "node" }],
    largestStateBytes: 1,
  },
  calls: { total: 1, throttled: 1, byOperation: { [evil]: 1 } },
  inventory: {
    before: [item("vpc", "vpc-theirs")],
    after: [item("vpc", "vpc-theirs"), item("vpc", "vpc-ours"), item(evil, evil)],
  },
  cluster: { name: evil, generation: 1, apiEndpoint: evil, nodes: [{ name: evil, role: evil, ready: false, providerID: evil }] },
  certificate: {
    isolated: false,
    checks: [
      { name: "names", passed: true, evidence: evil },
      { name: "routes", passed: false, evidence: evil },
    ],
    notVerified: ["what nobody looked at", evil],
  },
  summary: evil,
  audit: { secretLeaks: [evil], breaches: [evil], foreignTouched: [evil] },
  history: rows.map(([seconds, type, details], index) => {
    return { execution: "run", id: index + 1, previousEventId: index, timestamp: seconds * 1000, type, details };
  }),
  callRecords: [
    {
      ...{ at: 0, service: "ec2", operation: evil, mutates: true, caller: { kind: "harness" }, code: evil, struck: null },
      site: { operation: evil, nth: 1, state: null, nthInState: 0, isInBranch: false },
    },
  ],
};
const page = reportPage({ rehearsal, definition, cost: [{ what: evil, count: 1, perMonth: 2, run: 3 }] });

test("nothing that a run says becomes markup", () => {
  assert.ok(!/<script|<img|onerror='/i.test(page));
  assert.ok(page.includes("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"));
});

test("the page loads nothing", () => {
  // The one address in it is the name of SVG's namespace, which no browser fetches.
  const addresses = [...page.matchAll(/https?:\/\/[^"'\s<)]+/g)].map(([address]) => address);
  assert.deepEqual([...new Set(addresses)], ["http://www.w3.org/2000/svg"]);
  assert.ok(!/\s(src|href)=["']|@import|url\(|<link|<iframe/i.test(page));
});

test("every state of the machine is on the page, inside of Parallel states too", () => {
  const names = ({ States }: Machine): string[] =>
    Object.entries(States).flatMap(([name, state]) => [name, ...branchesOf(state).flatMap(names)]);
  const missing = names(definition).filter((name) => !page.includes(`>${name}</text>`));
  assert.deepEqual(missing, []);
});

test("the cause is shown without Lambda's wrapping", () => {
  assert.match(page, /<pre>&lt;script&gt;/);
  assert.ok(!page.includes("errorMessage"));
});

test("failed checks come before passed ones", () => {
  const [routes, names] = [page.indexOf("<strong>routes</strong>"), page.indexOf("<strong>names</strong>")];
  assert.ok(routes > 0 && routes < names);
});

test("what was not verified stands with the certificate", () => {
  assert.ok(page.indexOf("what nobody looked at") > page.indexOf("Certificate of isolation"));
});

test("what was there before the run is not among what it created", () => {
  assert.ok(page.includes("Created: 2 resources") && page.includes("vpc-ours") && !page.includes("vpc-theirs"));
});

test("the time until the last look is drawn as waiting for a node or for AWS, by the state's name", () => {
  const bar = (row: string): string | undefined =>
    new RegExp(`>${row}</span><div class="track"><u class="(\\w+)"`).exec(page)?.[1];
  assert.equal(bar("CheckDns"), "aws");
  const awaited = rehearsal.history.map((event) =>
    "name" in event.details ? { ...event, details: { ...event.details, name: "AwaitCommandCheckDns" } } : event,
  );
  const other = reportPage({ rehearsal: { ...rehearsal, history: awaited }, definition, cost: [] });
  assert.match(
    other,
    />AwaitCommandCheckDns<\/span><div class="track"><u class="node" style="left:0%;width:93.55%"><\/u><u class="bad"/,
  );
});
