import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { CreateVpcCommand, EC2Client, EC2ServiceException } from "@aws-sdk/client-ec2";
import { Chance } from "../../rehearsal/world/chance.ts";
import { SimClock } from "../../rehearsal/world/clock.ts";
import { Door } from "../../rehearsal/world/door.ts";
import type { FaultRule } from "../../rehearsal/world/fault-rule.ts";
import type { Service } from "../../rehearsal/world/service.ts";

const start = "2026-11-24T00:00:00Z";

describe("the virtual clock", () => {
  test("what falls due at the same instant runs in the order in which it was asked for", async () => {
    const clock = new SimClock(start);
    const order: string[] = [];
    clock.after(2, () => order.push("second"));
    clock.after(1, () => order.push("first"));
    clock.after(2, () => order.push("third"));
    await clock.run(clock.sleep(3));
    assert.deepEqual(order, ["first", "second", "third"]);
    assert.equal(clock.iso(), "2026-11-24T00:00:03.000Z");
  });

  test("time stands still while work outside of it goes on, and moves while that work sleeps", async () => {
    const clock = new SimClock(start);
    const seen: string[] = [];
    clock.after(1, () => seen.push("due"));
    const work = clock.hold(async (outside) => {
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      seen.push(`held ${clock.iso()}`);
      await outside(() => clock.sleep(5));
      seen.push(`slept ${clock.iso()}`);
    });
    await clock.run(work);
    assert.deepEqual(seen, ["held 2026-11-24T00:00:00.000Z", "due", "slept 2026-11-24T00:00:05.000Z"]);
  });

  test("work that waits for several things at one time does not let time move while other work goes on", async () => {
    const clock = new SimClock(start);
    const waiting = clock.hold((outside) => Promise.all([1, 2, 3].map((seconds) => outside(() => clock.sleep(seconds)))));
    const working = clock.hold(async () => {
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      return clock.iso();
    });
    const [, seen] = await clock.run(Promise.all([waiting, working]));
    assert.deepEqual([seen, clock.iso()], [start.replace("Z", ".000Z"), "2026-11-24T00:00:03.000Z"]);
  });

  test("time that follows another clock runs what falls due until then, what that leads to included, and nothing later", async () => {
    const clock = new SimClock(start);
    const seen: string[] = [];
    const work = async () => {
      await clock.sleep(10);
      seen.push("ten");
      await clock.sleep(5);
      seen.push("fifteen");
      await clock.sleep(1);
      seen.push("sixteen");
    };
    const done = work();
    await clock.reach(Date.parse(start) + 15_500);
    assert.deepEqual([seen, clock.iso()], [["ten", "fifteen"], "2026-11-24T00:00:15.500Z"]);
    await clock.reach(Date.parse(start));
    assert.equal(clock.iso(), "2026-11-24T00:00:15.500Z", "it never goes back");
    await clock.run(done);
  });

  test("a world in which nothing can happen any more is an error, not a hang", async () => {
    await assert.rejects(new SimClock(start).run(new Promise(() => {})), /stands still/);
  });
});

describe("seeded chance", () => {
  test("a draw depends on the seed and the subject, not on what was drawn before", () => {
    const [a, b] = [new Chance(7), new Chance(7)];
    b.seconds("nlb.active", "other");
    assert.equal(a.seconds("nlb.active", "orchid"), b.seconds("nlb.active", "orchid"));
    assert.notEqual(a.seconds("nlb.active", "orchid"), new Chance(8).seconds("nlb.active", "orchid"));
  });

  test("2,000 draws have the p50 and p95 of the table", () => {
    const draws = Array.from({ length: 2000 }, (_, seed) =>
      new Chance(seed).seconds("vpcEndpoint.interface.available", "ssm"),
    ).sort((x, y) => x - y);
    const at = (share: number) => draws[Math.floor(draws.length * share)] ?? 0;
    assert.ok(Math.abs(at(0.5) - 105) < 5, `p50 is ${at(0.5)}`);
    assert.ok(Math.abs(at(0.95) - 180) < 15, `p95 is ${at(0.95)}`);
  });
});

describe("the door", () => {
  function world(faults: FaultRule[] = []) {
    const clock = new SimClock(start);
    const made: string[] = [];
    const run = ({ CidrBlock }: { CidrBlock: string }) => {
      made.push(CidrBlock);
      return { Vpc: { CidrBlock } };
    };
    const service: Service = {
      name: "ec2",
      operations: { CreateVpc: { fields: ["CidrBlock"], mutates: true, run } },
      inventory: () => [],
    };
    const door = new Door(clock, new Chance(1), [service], faults);
    const caller = { kind: "function", step: "create-network", state: "CreateNetwork", execution: "e" } as const;
    const ec2 = door.bind(new EC2Client({ region: "us-west-2" }), "ec2", caller);
    return { clock, door, ec2, made };
  }
  const create = new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" });

  test("a throttled call is sent again by the client, as the SDK does, and takes effect once", async () => {
    const { clock, door, ec2, made } = world([{ operation: "CreateVpc", code: "RequestLimitExceeded", nth: 1, after: false }]);
    const { Vpc } = await clock.run(ec2.send(create));
    assert.equal(Vpc?.CidrBlock, "10.0.0.0/16");
    assert.deepEqual(made, ["10.0.0.0/16"]);
    assert.deepEqual(
      door.calls.map(({ code }) => code),
      ["RequestLimitExceeded", null],
    );
  });

  test("a lost answer leaves its effect behind", async () => {
    const { clock, ec2, made } = world([{ operation: "CreateVpc", code: "VpcLimitExceeded", nth: 1, after: true }]);
    await assert.rejects(clock.run(ec2.send(create)), EC2ServiceException);
    assert.deepEqual(made, ["10.0.0.0/16"]);
  });

  test("the third throttle in a row reaches the handler", async () => {
    const faults = [1, 2, 3].map((nth) => ({ operation: "CreateVpc", code: "RequestLimitExceeded", nth, after: false }));
    const { clock, ec2, made } = world(faults);
    await assert.rejects(clock.run(ec2.send(create)), { name: "RequestLimitExceeded" });
    assert.deepEqual(made, []);
  });

  test("a lasting failure meets every try of one call, and no other call", async () => {
    const rule = { operation: "CreateVpc", code: "RequestLimitExceeded", nth: 1, after: false, kind: "lasting" } as const;
    const { clock, door, ec2, made } = world([rule]);
    await assert.rejects(clock.run(ec2.send(create)), { name: "RequestLimitExceeded" });
    assert.deepEqual(made, []);
    await clock.run(ec2.send(create));
    assert.deepEqual(
      door.calls.map(({ code, struck }) => [code, struck]),
      [...Array(3).fill(["RequestLimitExceeded", rule]), [null, null]],
    );
  });

  test("a lasting loss of answers takes effect at every try", async () => {
    const { clock, ec2, made } = world([{ operation: "CreateVpc", code: "TimeoutError", nth: 1, after: true, kind: "lasting" }]);
    await assert.rejects(clock.run(ec2.send(create)), { name: "TimeoutError" });
    assert.equal(made.length, 3);
  });

  test("a field or an operation the world does not know throws", async () => {
    const { clock, door, ec2 } = world();
    await assert.rejects(
      clock.run(ec2.send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16", InstanceTenancy: "dedicated" }))),
      /does not know InstanceTenancy/,
    );
    await assert.rejects(clock.run(door.send("ec2", "DeleteVpc", {}, { kind: "harness" })), /no operation DeleteVpc/);
  });
});
