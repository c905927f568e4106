import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { machineText, substitute } from "../../rehearsal/lambdas.ts";
import { Stage } from "../../rehearsal/stage.ts";
import type { FaultRule } from "../../rehearsal/world/fault-rule.ts";

const seed = 17;
const orchid = { name: "orchid", workers: { count: 1 }, verify: { volume: false } };

interface Recorded {
  readonly current: number | null;
  readonly lock: { readonly holders: readonly unknown[] };
  readonly generations: Readonly<Record<string, { readonly state: string; readonly destroyAfter: string | null }>>;
}

async function rebuilt(request: object = orchid, input: object = {}, faults: readonly FaultRule[] = []) {
  const stage = await Stage.open({ request, seed, faults, scripts: "quick" });
  const { world, deployment } = stage.account;
  const first = await stage.run("build-cluster", request, "build");
  assert.equal(first.outcome.status, "SUCCEEDED", first.outcome.cause);
  const { outcome, execution } = await stage.run("rebuild-cluster", { name: "orchid", ...input }, "rebuild");
  const body = world.s3.object(deployment.bucket, "clusters/orchid/record.json")?.body ?? "{}";
  const record = JSON.parse(body) as Recorded;
  const states = Object.fromEntries(Object.entries(record.generations).map(([generation, { state }]) => [generation, state]));
  const nodes = (generation: number) => world.nodes.describe(`orchid-g${generation}`).filter(({ ready }) => ready).length;
  return { stage, world, outcome, execution, record, states, nodes };
}

describe("a rebuild", () => {
  test("builds the next generation beside the one that serves, switches, and announces it", async () => {
    const { outcome, record, states, nodes, world } = await rebuilt();
    assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
    assert.deepEqual(states, { 1: "retired", 2: "proved" });
    assert.equal(record.current, 2);
    assert.deepEqual(record.lock.holders, [], "the lock is free");
    assert.deepEqual([nodes(1), nodes(2)], [2, 2], "both generations stand");
    const grace = Date.parse(record.generations["1"]?.destroyAfter ?? "") - world.universe.clock.now();
    assert.ok(grace > 23 * 3_600_000 && grace <= 24 * 3_600_000, `${grace} ms`);
    assert.deepEqual(
      world.events.events.map(({ detailType, detail }) => [detailType, (detail as { generation: number }).generation]),
      [["Cluster Proved", 2]],
    );
    assert.deepEqual(world.ec2.breaches(), []);
  });

  test("whose build fails ends in the build's first cause, by its name; it is rolled back and the old generation serves on", async () => {
    // The first build launches its nodes with two calls.
    const faults = [{ operation: "RunInstances", code: "VcpuLimitExceeded", nth: 3, after: false }];
    const { outcome, record, states, nodes } = await rebuilt(orchid, {}, faults);
    assert.deepEqual([outcome.status, outcome.error], ["FAILED", "QuotaError"]);
    assert.match(outcome.cause ?? "", /^\{"errorType":"QuotaError","errorMessage":"[^"]*VcpuLimitExceeded/);
    assert.deepEqual(states, { 1: "proved", 2: "gone" });
    assert.equal(record.current, 1);
    assert.deepEqual(record.lock.holders, []);
    assert.equal(nodes(1), 2);
  });

  test("whose build somebody aborted says so by the abort's own words", async () => {
    const stage = await Stage.open({ request: orchid, seed, scripts: "quick" });
    const { stepFunctions, universe } = stage.account.world;
    await stage.run("build-cluster", orchid, "build");
    const rebuild = stepFunctions.start("rebuild-cluster", "rebuild", { name: "orchid" });
    const child = () => [...stepFunctions.executions.values()].find(({ name }) => /^orchid-g2-.*-build$/.test(name));
    while (child() === undefined) await stage.pass(1);
    child()?.stop("Abort", "by a person");
    const outcome = await universe.clock.run(rebuild.done);
    assert.deepEqual(outcome, { status: "FAILED", error: "Abort", cause: "by a person" });
  });

  test("whose build runs out of its time, and so gives no reason, shows all that is known of that build", async () => {
    const stage = await Stage.open({ request: orchid, seed, scripts: "quick" });
    const { world, deployment } = stage.account;
    await stage.run("build-cluster", orchid, "build");
    const text = substitute(machineText("build-cluster"), deployment);
    const short = { ...(JSON.parse(text) as object), TimeoutSeconds: 60 };
    world.stepFunctions.addMachine("build-cluster", JSON.stringify(short));
    const { outcome } = await stage.run("rebuild-cluster", { name: "orchid" }, "rebuild");
    assert.deepEqual([outcome.status, outcome.error], ["FAILED", "States.TaskFailed"]);
    assert.match(outcome.cause ?? "", /"Status":"TIMED_OUT"/);
  });

  test("under strategy replace destroys the old generation first", async () => {
    const { outcome, record, states, nodes } = await rebuilt({ ...orchid, rebuild: { strategy: "replace" } });
    assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
    assert.deepEqual(states, { 1: "gone", 2: "proved" });
    assert.equal(record.current, 2);
    assert.equal(nodes(2), 2);
  });

  test("under strategy replace names what its destroy could not remove, and builds nothing", async () => {
    const request = { ...orchid, rebuild: { strategy: "replace" } };
    const stage = await Stage.open({ request, seed, scripts: "quick" });
    const { world } = stage.account;
    await stage.run("build-cluster", request, "build");
    const VpcId = world.ec2.state.vpcs.all().find(({ tags }) => tags.has("cloister:cluster"))?.id;
    const foreign = { GroupName: "somebody", Description: "of somebody else", VpcId };
    await world.universe.clock.run(world.door.send("ec2", "CreateSecurityGroup", foreign, { kind: "harness" }));
    const { outcome } = await stage.run("rebuild-cluster", { name: "orchid" }, "rebuild");
    assert.equal(outcome.error, "ResourcesLeftBehind");
    assert.match(outcome.cause ?? "", /^2 left of orchid .*security-group sg-\w+ \(somebody\), not ours/);
    const builds = [...world.stepFunctions.executions.values()].filter(({ machine }) => machine === "build-cluster");
    assert.equal(builds.length, 1);
  });

  test("by a trigger that the request lists needs no person", async () => {
    const request = { ...orchid, rebuild: { on: ["event"] } };
    const { outcome, record } = await rebuilt(request, { trigger: "event" });
    assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
    assert.equal(record.current, 2);
  });

  test("with another request builds that one", async () => {
    const { outcome, nodes } = await rebuilt(orchid, { request: { ...orchid, workers: { count: 2 } } });
    assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
    assert.deepEqual([nodes(1), nodes(2)], [2, 3]);
  });

  for (const [what, input, words] of [
    ["an unknown name", { name: "nobody" }, /nobody is not ready/],
    ["an unknown field", { force: true }, /force: unknown field/],
    ["a request that is not valid", { request: { name: "orchid", controlPlane: { count: 2 } } }, /controlPlane\.count/],
    ["a trigger that the request does not list", { trigger: "event" }, /rebuild\.on does not list it/],
    ["a request for another name", { request: { name: "violet" } }, /is for violet/],
  ] as const)
    test(`of ${what} is refused before anything changes`, async () => {
      const { outcome, record, world } = await rebuilt(orchid, input);
      assert.equal(outcome.error, "InvalidRequestError");
      assert.match(outcome.cause ?? "", words);
      assert.deepEqual([record.current, Object.keys(record.generations)], [1, ["1"]]);
      const changes = world.door.calls.filter(
        ({ mutates, caller }) => mutates && caller.kind === "function" && caller.execution.includes("rebuild-cluster"),
      );
      assert.deepEqual(changes, []);
    });

  test("of a request that no longer validates is refused before anything changes", async () => {
    const stage = await Stage.open({ request: orchid, seed, scripts: "quick" });
    await stage.run("build-cluster", orchid, "build");
    for (const { id } of stage.account.world.ec2.state.images.all()) stage.account.world.ec2.state.images.remove(id);
    const { outcome } = await stage.run("rebuild-cluster", { name: "orchid" }, "rebuild");
    assert.equal(outcome.error, "InvalidRequestError");
    assert.match(outcome.cause ?? "", /images\.ami/);
  });
});
