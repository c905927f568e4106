import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import type { StatusEvent } from "../../rehearsal/world/asl/status-events.ts";
import { Bench, call, chain, failing } from "./machine.ts";

const child = { Type: "Task", Resource: "arn:aws:states:::states:startExecution.sync:2" };
const childArn = "arn:aws:states:sim-1:111122223333:stateMachine:child";
const start = { ...child, Parameters: { StateMachineArn: childArn, Name: "kid", Input: {} } };

/** A parent whose child waits for a thousand seconds. */
function family(seed: number, states = chain({ Child: start })) {
  const bench = new Bench({ bad: failing("Mine") }, seed);
  bench.stepFunctions.addMachine("child", JSON.stringify(chain({ Pause: { Type: "Wait", Seconds: 1000 } })));
  const parent = bench.start(states);
  const later = (seconds: number) => bench.universe.clock.run(bench.universe.clock.sleep(seconds));
  const kid = () => bench.stepFunctions.executions.get("arn:aws:states:sim-1:111122223333:execution:child:kid");
  return { bench, parent, later, kid };
}

describe("the child of an aborted Task", () => {
  test("is stopped or goes on, by the seed, and never later than it would have ended", async () => {
    const ends = new Map<string, number>();
    for (let seed = 1; seed <= 40; seed++) {
      const { parent, later, kid } = family(seed);
      await later(10);
      parent.stop("", "a person");
      await later(30);
      const status = kid()?.outcome?.status ?? "RUNNING";
      ends.set(status, (ends.get(status) ?? 0) + 1);
      await later(2000);
      assert.equal(kid()?.outcome?.status, status === "RUNNING" ? "SUCCEEDED" : "ABORTED");
    }
    assert.deepEqual([...ends.keys()].sort(), ["ABORTED", "RUNNING"]);
    assert.ok(
      [...ends.values()].every((count) => count >= 10),
      JSON.stringify([...ends]),
    );
  });

  test("of a branch that its neighbour ended is as uncertain", async () => {
    const seen = new Set<string | undefined>();
    for (let seed = 1; seed <= 20; seed++) {
      const late = chain({ Pause: { Type: "Wait", Seconds: 60 }, Bad: call("bad") });
      const { parent, bench, later, kid } = family(
        seed,
        chain({ All: { Type: "Parallel", Branches: [chain({ Child: start }), late] } }),
      );
      assert.equal((await bench.universe.clock.run(parent.done)).error, "Mine");
      await later(30);
      seen.add(kid()?.outcome?.status);
    }
    assert.deepEqual(seen, new Set(["ABORTED", undefined]));
  });

  test("whose Task timed out is as uncertain, and one that has ended stays as it ended", async () => {
    const seen = new Set<string | undefined>();
    for (let seed = 1; seed <= 20; seed++) {
      const { bench, parent, later, kid } = family(seed, chain({ Child: { ...start, TimeoutSeconds: 30 } }));
      assert.equal((await bench.universe.clock.run(parent.done)).error, "States.Timeout");
      await later(2000);
      seen.add(kid()?.outcome?.status);
      parent.stop("", "too late");
      await later(30);
      assert.equal(parent.outcome?.status, "FAILED");
    }
    assert.deepEqual(seen, new Set(["ABORTED", "SUCCEEDED"]));
  });
});

describe("status events", () => {
  /** What a subscriber hears of `count` executions, each of which ends. */
  async function heard(count: number, seed = 1): Promise<StatusEvent[]> {
    const bench = new Bench({}, seed);
    const events: StatusEvent[] = [];
    bench.stepFunctions.onStatusChange((event) => events.push(event));
    const pass = chain({ A: { Type: "Pass" } });
    for (let n = 0; n < count; n++) await bench.universe.clock.run(bench.start(pass, { n }, `run-${n}`).done);
    await bench.universe.clock.run(bench.universe.clock.sleep(4000));
    return events;
  }

  test("tell of a begin and an end, as EventBridge words them", async () => {
    const bench = new Bench();
    const events: StatusEvent[] = [];
    bench.stepFunctions.onStatusChange((event) => events.push(event));
    const execution = bench.start(chain({ End: { Type: "Fail", Error: "Mine" } }), { n: 1 });
    await bench.universe.clock.run(execution.done);
    await bench.universe.clock.run(bench.universe.clock.sleep(4000));
    const ended = events.find(({ detail }) => detail.status === "FAILED");
    assert.ok(ended !== undefined && events.some(({ detail }) => detail.status === "RUNNING"));
    assert.equal(ended["detail-type"], "Step Functions Execution Status Change");
    const { startDate, stopDate, ...detail } = ended.detail;
    assert.deepEqual([startDate, stopDate], [execution.startedAt, execution.endedAt]);
    assert.deepEqual(detail, {
      executionArn: execution.arn,
      stateMachineArn: "arn:aws:states:sim-1:111122223333:stateMachine:machine",
      name: "run",
      status: "FAILED",
      input: '{"n":1}',
      output: null,
    });
  });

  test("are lost one time in twenty, and come twice and late more often than that", async () => {
    const events = await heard(500);
    const copies = Map.groupBy(events, ({ id }) => id);
    const share = (count: number) => count / 1000;
    assert.ok(Math.abs(1 - share(copies.size) - 0.05) < 0.02, `${1000 - copies.size} of 1000 lost`);
    const doubled = [...copies.values()].filter(({ length }) => length === 2).length;
    assert.ok(share(doubled) > 0.05 && share(doubled) < 0.15, `${doubled} doubled`);
  });

  test("may come in another order than things happened, the same in every run of a seed", async () => {
    const events = await heard(60);
    const ends = events.filter(({ detail }) => detail.status === "SUCCEEDED").map(({ detail }) => Number(detail.stopDate));
    assert.notDeepEqual(
      ends,
      ends.toSorted((a, b) => a - b),
    );
    assert.deepEqual(await heard(60), events);
  });
});

describe("a function that an event calls", () => {
  test("is tried three times in three minutes and then given up", async () => {
    const at: number[] = [];
    const bench: Bench = new Bench({
      watch: async () => {
        at.push(bench.seconds());
        throw new Error("no");
      },
    });
    await bench.universe.clock.run(bench.stepFunctions.lambda.deliver(call("watch").Resource, { a: 1 }, "watch"));
    assert.deepEqual(
      at.map((time) => Math.round((time - (at[0] ?? 0)) / 60)),
      [0, 1, 3],
    );
  });

  test("that succeeds is called once, with the event", async () => {
    const events: unknown[] = [];
    const bench = new Bench({ watch: async (event) => events.push(event) });
    await bench.universe.clock.run(bench.stepFunctions.lambda.deliver(call("watch").Resource, { a: 1 }, "watch"));
    assert.deepEqual(events, [{ a: 1 }]);
  });
});
