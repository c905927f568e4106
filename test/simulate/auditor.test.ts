import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { courses, smallest as smallestRequest } from "../../rehearsal/simulate/courses.ts";
import { casesOf, judge } from "../../rehearsal/simulate/exhaustive.ts";
import { plantings } from "../../rehearsal/simulate/plantings.ts";
import { type Tale, tell } from "../../rehearsal/simulate/run.ts";
import { smallest } from "../../rehearsal/simulate/shrink.ts";
import { storm } from "../../rehearsal/simulate/storm.ts";
import type { Stage } from "../../rehearsal/stage.ts";
import type { HistoryEvent } from "../../rehearsal/world/asl/history.ts";
import { type FaultRule, faultRuleText } from "../../rehearsal/world/fault-rule.ts";

const request = { name: "orchid", workers: { count: 1 }, verify: { volume: false } };
const ec2 = (stage: Stage, operation: string, input: Record<string, unknown>) => {
  const { door, universe } = stage.account.world;
  const caller = { kind: "function", step: "planted", state: "Planted", execution: "planted" } as const;
  return universe.clock.run(door.send("ec2", operation, input, caller));
};
const vpcOf = (stage: Stage) => stage.account.world.ec2.state.vpcs.all().find(({ tags }) => tags.has("cloister:cluster"))?.id;

async function violations(story: Tale["story"]): Promise<string[]> {
  const verdict = await tell({ seed: 1, request, faults: [], story });
  return verdict.violations.map(({ invariant, detail }) => `${invariant}: ${detail}`);
}
const build = (stage: Stage) => stage.run("build-cluster", request, "build");
/** What our steps give whatever they make. */
const tags = (generation: string) =>
  Object.entries({
    "cloister:cluster": "orchid",
    "cloister:generation": generation,
    "cloister:role": "vpc",
    "cloister:execution": "planted",
  }).map(([Key, Value]) => ({ Key, Value }));

describe("the auditor", () => {
  test("finds nothing wrong with a build, its rebuild and its end", async () => {
    const found = await violations(async (stage) => {
      await build(stage);
      await stage.run("rebuild-cluster", { name: "orchid" }, "rebuild");
      await stage.run("destroy-cluster", { name: "orchid" }, "destroy");
    });
    assert.deepEqual(found, []);
  });

  test("sees what is made for a generation that is gone, though the sweep removes it in the end", async () => {
    const found = await violations(async (stage) => {
      await build(stage);
      await stage.run("destroy-cluster", { name: "orchid" }, "destroy");
      await ec2(stage, "CreateVpc", {
        CidrBlock: "10.50.0.0/16",
        TagSpecifications: [{ ResourceType: "vpc", Tags: tags("1") }],
      });
    });
    assert.deepEqual(found, ["2: CreateVpc made something for generation 1 of orchid, which is gone"]);
  });

  test("sees what is left behind without a tag", async () => {
    const found = await violations(async (stage) => {
      await ec2(stage, "CreateVpc", { CidrBlock: "10.50.0.0/16" });
    });
    assert.ok(
      found.some((line) => /^2: vpc vpc-\w+ was left behind$/.test(line)),
      found.join("\n"),
    );
  });

  test("sees a way out that was open for a moment", async () => {
    const found = await violations(async (stage) => {
      await build(stage);
      const { InternetGateway } = (await ec2(stage, "CreateInternetGateway", {
        TagSpecifications: [{ ResourceType: "internet-gateway", Tags: tags("1") }],
      })) as {
        InternetGateway: { InternetGatewayId: string };
      };
      const gateway = { InternetGatewayId: InternetGateway.InternetGatewayId };
      await ec2(stage, "AttachInternetGateway", { ...gateway, VpcId: vpcOf(stage) });
      const table = stage.account.world.ec2.state.routeTables.all().find((one) => one.tags.has("cloister:cluster"))?.id;
      const route = { RouteTableId: table, DestinationCidrBlock: "0.0.0.0/0" };
      await ec2(stage, "CreateRoute", { ...route, GatewayId: gateway.InternetGatewayId });
      await ec2(stage, "DeleteRoute", route);
      await ec2(stage, "DetachInternetGateway", { ...gateway, VpcId: vpcOf(stage) });
      await ec2(stage, "DeleteInternetGateway", gateway);
    });
    assert.ok(found.length > 0 && found.every((line) => /^6: .* has a route to 0\.0\.0\.0\/0/.test(line)), found.join("\n"));
  });

  test("sees that a build says ready with a node too many", async () => {
    const found = await violations(async (stage) => {
      stage.account.afterStep.set("certify-isolation", () => {
        const { state } = stage.account.world.ec2;
        const own = state.volumes.all().find((one) => one.tags.has("cloister:cluster"));
        if (own !== undefined) state.volumes.add({ ...own, id: "vol-0123456789abcdef0", tags: new Map(own.tags) });
      });
      await build(stage);
    });
    assert.ok(found.includes("3: build says ready with 3 of 2 volume"), found.join("\n"));
  });

  test("sees somebody else's thing go", async () => {
    const found = await violations(async (stage) => {
      const { vpcs, subnets } = stage.account.world.ec2.state;
      const foreign = vpcs.all()[0]?.id;
      for (const subnet of subnets.all()) if (subnet.vpcId === foreign) await ec2(stage, "DeleteSubnet", { SubnetId: subnet.id });
    });
    assert.ok(
      found.some((line) => line.startsWith("5: ")),
      found.join("\n"),
    );
  });
});

describe("a storm", () => {
  test("is the same from the same seed", async () => {
    const [first, second] = [await storm(4), await storm(4)];
    assert.deepEqual(first.faults, second.faults);
    assert.equal(first.calls.length, second.calls.length);
    assert.deepEqual(first.violations, second.violations);
  });

  test("that breaks something is told with the fewest faults that still break it", async () => {
    const rule = (nth: number): FaultRule => ({ operation: "CreateVpc", code: "InternalError", nth, after: false });
    const broken = { invariant: 2, detail: "left", at: "" };
    const verdictOf = (faults: readonly FaultRule[]) => ({
      violations: [3, 11].every((wanted) => faults.some(({ nth }) => nth === wanted)) ? [broken] : [],
      executions: 1,
      succeeded: 0,
      faults,
      calls: [],
      planted: [],
      reasons: [],
    });
    const all = Array.from({ length: 20 }, (_, index) => rule(index + 1));
    const fewest = await smallest(verdictOf(all), async (faults) => verdictOf(faults));
    assert.deepEqual(
      fewest.map(({ nth }) => nth),
      [3, 11],
    );
  });
});

describe("a fault that fails a build", () => {
  test("is named by the look that it met, within seconds", async () => {
    const fatal = (await casesOf("build")).filter(({ rule }) => /^(?:AccessDenied|Unauthorized|VcpuLimit)/.test(rule.code));
    const chosen = fatal.filter((_, index) => index % Math.ceil(fatal.length / 20) === 0);
    const named: string[] = [];
    for (const one of chosen) {
      for (const { looks, seconds, state } of (await judge(one)).reasons) {
        named.push(state);
        assert.ok(looks === 0 && seconds < 5, `${faultRuleText(one.rule)}: ${seconds} s, ${looks} looks`);
      }
    }
    // What may be denied without harm, such as the look at a quota, becomes no reason.
    assert.ok(new Set(named).size >= 5, named.join());
  });
});

describe("what a simulation has to meet on purpose", () => {
  /** Every other life is on a course, one after another. */
  const livesOf = (place: number): readonly number[] => [1, 2, 3, 4, 5, 6].map((round) => 2 * (place + round * plantings.length));
  for (const [place, planting] of plantings.entries()) {
    test(`${planting} happens on its course, once, and breaks nothing`, async () => {
      const { planted, run } = courses[planting];
      const verdict = await tell({ seed: 1, request: smallestRequest, faults: planted, story: run });
      assert.deepEqual(verdict.violations, []);
      assert.deepEqual(verdict.planted, [planting]);
    });

    test(`${planting} happens in a storm too, in one of six lives`, async () => {
      let met: readonly string[] = [];
      for (const seed of livesOf(place)) if (!met.includes(planting)) met = (await storm(seed)).planted;
      assert.ok(met.includes(planting), met.join());
    });
  }

  test("a destroy that met a resume, an extension or a rollback before its lock ends well and takes nothing", async () => {
    for (const kind of ["resume", "extend", "rollback"] as const) {
      const spared: string[] = [];
      const trace = ({ type, details }: HistoryEvent) => {
        if (type === "SucceedStateEntered" && details["name"] === "NothingToDestroy") spared.push(kind);
      };
      const { planted, run } = courses[`${kind} before a destroy's lock`];
      await tell({ seed: 1, request: smallestRequest, faults: planted, story: run, trace });
      assert.deepEqual(spared, [kind]);
    }
  });
});
