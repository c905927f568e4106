import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { CreateVpcCommand, DescribeVpcsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { Door } from "../../rehearsal/world/door.ts";
import { Ec2 } from "../../rehearsal/world/ec2/ec2.ts";
import { addVpc } from "../../rehearsal/world/ec2/vpcs.ts";
import { type FaultRule, faultRuleText, readFaultRule } from "../../rehearsal/world/fault-rule.ts";
import { killCodes, orphanCodes } from "../../rehearsal/world/life.ts";
import { Bench, call, chain } from "./machine.ts";

const client = new EC2Client({ region: "sim-1", credentials: { accessKeyId: "sim", secretAccessKey: "sim" } });
const create = (block: number) => new CreateVpcCommand({ CidrBlock: `10.${block}.0.0/16` });
const rule = (text: string): FaultRule => {
  const read = readFaultRule(text);
  assert.ok(read !== null, text);
  return read;
};

/** A bench whose function `work` makes two VPCs, one after the other, and then says so. */
function open(...faults: string[]) {
  const said: string[] = [];
  const bench: Bench = new Bench({
    work: async (_event, { state, execution, life }) => {
      const ec2 = door.bind(Object.create(client) as EC2Client, "ec2", {
        kind: "function",
        step: "work",
        state,
        execution,
        life,
      });
      await ec2.send(create(1));
      said.push("between");
      await ec2.send(create(2));
      said.push("done");
      return { made: 2 };
    },
    stuck: async (_event, { state, execution, life }) => {
      const ec2 = door.bind(Object.create(client) as EC2Client, "ec2", {
        kind: "function",
        step: "stuck",
        state,
        execution,
        life,
      });
      for (let block = 1; ; block++) {
        await bench.universe.clock.sleep(25);
        await ec2.send(create(block));
      }
    },
    bystander: async () => bench.universe.clock.sleep(20),
  });
  const ec2 = new Ec2(bench.universe);
  const door = new Door(bench.universe.clock, bench.universe.chance, [ec2], faults.map(rule));
  const vpcs = () => ec2.inventory().filter(({ type }) => type === "vpc").length;
  const later = (seconds: number) => bench.universe.clock.run(bench.universe.clock.sleep(seconds));
  return { bench, door, said, vpcs, later, ec2 };
}

describe("a Lambda that dies", () => {
  test("before its call leaves no effect of it, after it leaves one, and goes on in neither case", async () => {
    for (const [suffix, left] of [
      ["", 0],
      [":after", 1],
    ] as const) {
      const { bench, said, vpcs, later, door } = open(`Make/CreateVpc:Lambda.Unknown:1:kill${suffix}`);
      const { error } = await bench.run(chain({ Make: call("work") }));
      await later(600);
      assert.deepEqual([error, vpcs(), said], ["Lambda.Unknown", left, []], suffix);
      assert.deepEqual(
        door.calls.map(({ code, struck }) => [code, struck?.kind]),
        [["Lambda.Unknown", "kill"]],
      );
    }
  });

  test("by hanging is found out at the function's timeout", async () => {
    const { bench, vpcs } = open("CreateVpc:Sandbox.Timedout:2:kill");
    const { error } = await bench.run(chain({ Make: { ...call("work"), TimeoutSeconds: 70 } }));
    assert.deepEqual([error, vpcs()], ["Sandbox.Timedout", 1]);
    assert.ok(bench.seconds() >= 60 && bench.seconds() < 63, `${bench.seconds()} s`);
  });

  test("of its timeout makes nothing more, but for what it had sent", async () => {
    const { bench, vpcs, later } = open();
    const { error } = await bench.run(chain({ Make: { ...call("stuck"), TimeoutSeconds: 70 } }));
    const made = vpcs();
    await later(600);
    assert.deepEqual([error, made, vpcs()], ["Sandbox.Timedout", 2, 2]);
  });

  test("tells its state one of the names by which Lambdas die", async () => {
    for (const code of killCodes) {
      const { bench, said } = open(`CreateVpc:${code}:1:kill:after`);
      const { error, cause } = await bench.run(chain({ Make: { ...call("work"), TimeoutSeconds: 70 } }));
      assert.deepEqual([error, JSON.parse(String(cause)).errorType, said], [code, code, []]);
    }
  });

  test("once is tried again by its state, whose second try is not meant by the rule", async () => {
    const { bench, vpcs } = open("Make/CreateVpc:Runtime.ExitError:2:kill");
    const Retry = [{ ErrorEquals: ["Runtime.ExitError"], MaxAttempts: 1 }];
    const { status, execution } = await bench.run(chain({ Make: { ...call("work"), Retry } }));
    assert.deepEqual([status, execution.retries, vpcs()], ["SUCCEEDED", 1, 3]);
  });

  test("of a death that no Lambda knows is a gap", async () => {
    const { bench } = open("CreateVpc:Throttling:1:kill");
    await assert.rejects(bench.run(chain({ Make: call("work") })), { name: "SimulationGap" });
  });
});

describe("an orphan", () => {
  test("goes on to its end however its state was ended", async () => {
    for (const code of orphanCodes) {
      const { bench, said, vpcs, later, door } = open(`Make/CreateVpc:${code}:2:orphan`);
      const Branches = [chain({ Make: call("work") }), chain({ Beside: call("bystander") })];
      const { status, error } = await bench.run(chain({ All: { Type: "Parallel", Branches } }));
      const told = { "Branch.Stopped": "Lambda.Unknown", "Execution.Stopped": "Cloister.Planned" }[code as string] ?? code;
      assert.deepEqual([status === "ABORTED", error], [code === "Execution.Stopped", told]);
      assert.deepEqual([vpcs(), said], [1, ["between"]], code);
      await later(60);
      assert.deepEqual([vpcs(), said], [2, ["between", "done"]], code);
      assert.ok(door.calls.every(({ site }) => site.isInBranch));
    }
  });

  test("has had its effect already when the rule says after", async () => {
    const { bench, said, vpcs } = open("CreateVpc:Lambda.Unknown:1:orphan:after");
    await bench.run(chain({ Make: call("work") }));
    assert.deepEqual([vpcs(), said], [1, []]);
  });

  test("outlives a branch that its neighbour ended, and is heard by nobody", async () => {
    const { bench, vpcs, later } = open("Make/CreateVpc:Branch.Stopped:1:orphan");
    const Branches = [chain({ Make: call("work"), Never: call("work") }), chain({ Beside: call("bystander") })];
    const { error, execution } = await bench.run(chain({ All: { Type: "Parallel", Branches } }));
    assert.deepEqual([error, vpcs()], ["Lambda.Unknown", 0]);
    await later(60);
    assert.equal(vpcs(), 2);
    assert.ok(!execution.history.events.some(({ details }) => details["name"] === "Never"));
  });

  test("of a stopped branch needs a branch", async () => {
    const { bench } = open("CreateVpc:Branch.Stopped:1:orphan");
    await assert.rejects(bench.run(chain({ Make: call("work") })), { name: "SimulationGap" });
  });

  test("never outlives its function's timeout", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const bench = new Bench({}, seed);
      const ec2 = new Ec2(bench.universe);
      const door = new Door(bench.universe.clock, bench.universe.chance, [ec2], [rule("CreateVpc:Lambda.Unknown:1:orphan")]);
      bench.stepFunctions.addFunction(String(call("late").Resource), async (_event, { state, execution, life }) => {
        const caller = { kind: "function", step: "late", state, execution, life } as const;
        for (let block = 1; block < 5; block++) await door.send("ec2", "CreateVpc", create(block).input as never, caller);
      });
      await bench.run(chain({ Make: call("late") }));
      const begun = bench.seconds();
      await bench.universe.clock.run(bench.universe.clock.sleep(300));
      for (const { at } of door.calls) assert.ok(at <= Date.parse("2026-11-24T00:00:00Z") + (begun + 61) * 1000, `seed ${seed}`);
    }
  });
});

describe("a rule's place", () => {
  test("is a state's own call, wherever that stands among everybody's", async () => {
    const { bench, door } = open("Second/CreateVpc:VpcLimitExceeded:1");
    await bench.run(chain({ First: call("work"), Second: call("work") }));
    assert.deepEqual(
      door.calls.map(({ site, code }) => [site.state, site.nthInState, site.nth, code]),
      [
        ["First", 1, 1, null],
        ["First", 2, 2, null],
        ["Second", 1, 3, "VpcLimitExceeded"],
      ],
    );
  });

  test("is met also where the service refuses, for a refusal can be lost like an answer", async () => {
    for (const kind of ["kill", "orphan"]) {
      const { bench, door, ec2 } = open(`CreateVpc:Lambda.Unknown:1:${kind}:after`);
      for (let block = 100; block < 105; block++) addVpc(ec2.state, `10.${block}.0.0/16`, new Map());
      assert.equal((await bench.run(chain({ Make: call("work") }))).error, "Lambda.Unknown");
      assert.deepEqual(
        door.calls.map(({ code, struck }) => [code, struck?.kind]),
        [[kind === "kill" ? "Lambda.Unknown" : "VpcLimitExceeded", kind]],
      );
    }
  });

  test("is never the rehearsal's own look, which is not counted either", async () => {
    const { bench, door } = open("DescribeVpcs:InternalError:1");
    const look = door.bind(Object.create(client) as EC2Client, "ec2", { kind: "harness" });
    await bench.universe.clock.run(look.send(new DescribeVpcsCommand({})));
    assert.deepEqual(door.calls, []);
  });

  test("is read from a text, which it gives back", () => {
    for (const text of [
      "RunInstances:InsufficientInstanceCapacity:1",
      "CreateNetwork/CreateVpc:Lambda.Unknown:2:kill:after",
      "CreateVpc:States.Timeout:1:orphan",
      "CreateVpc:SlowDown:1:lasting",
      "GetObject:NoSuchKey:3:after",
    ])
      assert.equal(faultRuleText(rule(text)), text);
    assert.deepEqual(rule("CreateVpc:Throttling"), { operation: "CreateVpc", code: "Throttling", nth: 1, after: false });
    for (const text of ["CreateVpc", "a/CreateVpc:X:1", "CreateVpc:X:1:maim", "CreateVpc:X:-1"])
      assert.equal(readFaultRule(text), null, text);
  });
});
