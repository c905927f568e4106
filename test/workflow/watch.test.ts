import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { MachineArn } from "../../functions/domain/ids.ts";
import { watchExecutions } from "../../functions/watch/watch-executions.ts";
import { machineArn } from "../../rehearsal/lambdas.ts";
import { Stage } from "../../rehearsal/stage.ts";
import type { Execution } from "../../rehearsal/world/asl/execution.ts";
import type { Json } from "../../rehearsal/world/asl/paths.ts";
import type { FaultRule } from "../../rehearsal/world/fault-rule.ts";
import type { InventoryItem } from "../../rehearsal/world/service.ts";

const orchid = { name: "orchid", workers: { count: 1 }, verify: { volume: false } };
const hour = 3600;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

interface Recorded {
  readonly current: number | null;
  readonly generations: Readonly<Record<string, { readonly state: string }>>;
}

const keysOf = (items: readonly InventoryItem[]) =>
  items
    .filter(
      ({ type, id, facts }) => !(type === "object" && /\/(?:clusters|evidence)\//.test(id)) && facts["state"] !== "terminated",
    )
    .map(({ type, id }) => `${type} ${id}`);

/** An account with the watcher and the sweep, as the stack sets them up. */
async function attended(seed: number, request: object = orchid, faults: readonly FaultRule[] = []) {
  const stage = await Stage.open({ request, seed, faults, scripts: "quick" });
  stage.attend();
  const { world, deployment } = stage.account;
  const before = keysOf(world.inventory());
  const record = () => JSON.parse(world.s3.object(deployment.bucket, "clusters/orchid/record.json")?.body ?? "{}") as Recorded;
  const states = () => Object.values(record().generations).map(({ state }) => state);
  /** Runs a machine until it enters the state, and aborts it there. */
  async function abortIn(machine: string, input: object, state: string): Promise<Execution> {
    const execution = world.stepFunctions.start(machine, "aborted", input as Json);
    const hasEntered = () => execution.history.events.some(({ details }) => details["name"] === state);
    // A state may last less than a second.
    while (!hasEntered() && execution.outcome === null) await stage.pass(0.1);
    assert.ok(hasEntered(), `${state} was never entered: ${execution.outcome?.cause}`);
    execution.stop("Abort", "by a person");
    await world.universe.clock.run(execution.done);
    return execution;
  }
  return { stage, world, before, record, states, abortIn };
}

describe("those who act alone", () => {
  for (const [seed, state] of [
    [1, "CreateNetwork"],
    [2, "PrepareNodes"],
    [3, "BootstrapCluster"],
    [4, "CertifyIsolation"],
  ] as const)
    test(`remove a build that was aborted in ${state}`, async () => {
      const { stage, world, before, states, abortIn } = await attended(seed);
      const aborted = await abortIn("build-cluster", orchid, state);
      assert.equal(aborted.outcome?.status, "ABORTED");
      await stage.pass(2 * hour);
      assert.deepEqual(states(), ["gone"]);
      assert.deepEqual(keysOf(world.inventory()), before);
    });

  test("end a roll-back that was aborted with its build", async () => {
    const faults = [{ operation: "RunInstances", code: "VcpuLimitExceeded", nth: 2, after: false }];
    const { stage, world, before, states, abortIn } = await attended(5, orchid, faults);
    await abortIn("build-cluster", orchid, "RollBack");
    for (const execution of world.stepFunctions.executions.values())
      if (execution.outcome === null) execution.stop("Abort", "too");
    await stage.pass(2 * hour);
    assert.deepEqual(states(), ["gone"]);
    assert.deepEqual(keysOf(world.inventory()), before);
  });

  test("end a destroy that was aborted half-way", async () => {
    const { stage, world, before, states, abortIn } = await attended(6);
    await stage.run("build-cluster", orchid, "build");
    await abortIn("destroy-cluster", { name: "orchid" }, "DeleteEndpoints");
    await stage.pass(2 * hour);
    assert.deepEqual(states(), ["gone"]);
    assert.deepEqual(keysOf(world.inventory()), before);
  });

  test("leave a kept build until its time is over, and remove it then", async () => {
    const kept = { ...orchid, onFailure: "keep", keepHours: 3 };
    const faults = [{ operation: "SendCommand", code: "AccessDeniedException", nth: 3, after: false }];
    const { stage, world, before, states } = await attended(7, kept, faults);
    assert.equal((await stage.run("build-cluster", kept, "build")).outcome.status, "FAILED");
    await stage.pass(2.8 * hour);
    assert.deepEqual(states(), ["kept"]);
    await stage.pass(1.2 * hour);
    assert.deepEqual(states(), ["gone"]);
    assert.deepEqual(keysOf(world.inventory()), before);
  });

  test("remove a retired generation after its grace, and never the one that serves", async () => {
    const { stage, world, record, states } = await attended(8);
    await stage.run("build-cluster", orchid, "build");
    const { outcome } = await stage.run("rebuild-cluster", { name: "orchid" }, "rebuild");
    assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
    await stage.pass(23 * hour);
    assert.deepEqual(states(), ["retired", "proved"]);
    await stage.pass(3 * hour);
    assert.deepEqual([record().current, ...states()], [2, "gone", "proved"]);
    assert.ok(world.nodes.describe("orchid-g2").every(({ ready }) => ready));
  });

  test("remove a proved generation whose rebuild died before its switch, and the old one serves on", async () => {
    const { stage, world, record, states, abortIn } = await attended(9);
    await stage.run("build-cluster", orchid, "build");
    await abortIn("rebuild-cluster", { name: "orchid" }, "RetakeLock");
    assert.deepEqual(states(), ["proved", "proved"]);
    await stage.pass(2 * hour);
    assert.deepEqual([record().current, ...states()], [1, "proved", "gone"]);
    assert.ok(world.nodes.describe("orchid-g1").every(({ ready }) => ready));
  });

  test("remove what bears our tags and stands in no record", async () => {
    const { stage, world, before } = await attended(10);
    const Tags = Object.entries({ "cloister:cluster": "orchid", "cloister:generation": "4" }).map(([Key, Value]) => ({
      Key,
      Value,
    }));
    const input = { CidrBlock: "10.77.0.0/16", TagSpecifications: [{ ResourceType: "vpc", Tags }] };
    await world.universe.clock.run(world.door.send("ec2", "CreateVpc", input, { kind: "harness" }));
    await stage.pass(2 * hour);
    assert.deepEqual(keysOf(world.inventory()), before);
  });

  test("try again, hours apart, what a destroy had to leave, until it is gone", async () => {
    const { stage, world, before, states } = await attended(15);
    await stage.run("build-cluster", orchid, "build");
    const vpc = world.ec2.state.vpcs.all().find(({ tags }) => tags.has("cloister:cluster"));
    const send = (operation: string, input: object) =>
      world.universe.clock.run(world.door.send("ec2", operation, { ...input }, { kind: "harness" }));
    const foreign = { GroupName: "somebody", Description: "of somebody else", VpcId: vpc?.id };
    const { GroupId } = (await send("CreateSecurityGroup", foreign)) as { GroupId: string };
    const { outcome } = await stage.run("destroy-cluster", { name: "orchid" }, "destroy");
    assert.equal(outcome.error, "ResourcesLeftBehind", outcome.cause);
    await stage.pass(2 * hour);
    assert.deepEqual(states(), ["left"], "the first try comes after an hour");
    await send("DeleteSecurityGroup", { GroupId });
    await stage.pass(5 * hour);
    assert.deepEqual(states(), ["gone"], "the second after four");
    assert.deepEqual(keysOf(world.inventory()), before);
    const tries = [...world.stepFunctions.executions.values()].filter(({ name }) => name.startsWith("orchid-abandoned-"));
    assert.equal(tries.length, 2);
  });

  test("touch nothing while everything is as it should be", async () => {
    const { stage, world, states } = await attended(11);
    await stage.run("build-cluster", orchid, "build");
    const standing = keysOf(world.inventory());
    await stage.pass(48 * hour);
    assert.deepEqual(states(), ["proved"]);
    assert.deepEqual(keysOf(world.inventory()), standing);
    assert.equal(world.stepFunctions.executions.size, 1, "no destroy was started");
  });
});

describe("the watcher", () => {
  /** A build that was aborted while nobody watched, and somebody else's that was refused meanwhile. */
  async function abandoned() {
    const stage = await Stage.open({ request: orchid, seed: 14, scripts: "quick" });
    const { account } = stage;
    const { stepFunctions, universe } = account.world;
    const build = stepFunctions.start("build-cluster", "aborted", orchid as Json);
    await stage.pass(60);
    const { execution: other } = await stage.run("build-cluster", orchid, "refused");
    build.stop("Abort", "by a person");
    await universe.clock.run(build.done);
    const aws = account.clientsFor({ kind: "function", step: "watch-executions", state: "WatchExecutions", execution: "" });
    const machines = { destroy: MachineArn.parse(machineArn("destroy-cluster", account.deployment)) };
    const hear = ({ arn }: Execution, status: string) => {
      const detail = { executionArn: arn, status, input: JSON.stringify(orchid) };
      return universe.clock.run(watchExecutions.execute({ detail }, aws, machines, silent));
    };
    const destroys = () => [...stepFunctions.executions.values()].filter(({ machine }) => machine === "destroy-cluster");
    return { build, other, hear, destroys };
  }

  for (const status of ["FAILED", "TIMED_OUT", "ABORTED"])
    test(`starts one destroy for ${status} of what the row names, however often it hears of it`, async () => {
      const { build, hear, destroys } = await abandoned();
      await hear(build, status);
      await hear(build, status);
      assert.equal(destroys().length, 1);
    });

  test("starts nothing for a beginning or a success, nor for an end of another execution than the row names", async () => {
    const { build, other, hear, destroys } = await abandoned();
    assert.equal(other.outcome?.error, "ConflictError");
    await hear(build, "RUNNING");
    await hear(build, "SUCCEEDED");
    await hear(other, "FAILED");
    assert.deepEqual(destroys(), []);
  });
});

describe("a person", () => {
  test("goes back to the generation before, then forth by another rebuild, and ends the grace sooner", async () => {
    const { stage, record, states } = await attended(12);
    await stage.run("build-cluster", orchid, "build");
    await stage.run("rebuild-cluster", { name: "orchid" }, "rebuild");
    await stage.change("orchid", { kind: "rollback" });
    assert.deepEqual([record().current, ...states()], [1, "proved", "retired"]);
    await stage.run("rebuild-cluster", { name: "orchid" }, "again");
    assert.deepEqual([record().current, ...states()], [3, "retired", "retired", "proved"]);
    await stage.change("orchid", { kind: "promote" });
    await stage.pass(2 * hour);
    assert.deepEqual([record().current, ...states()], [3, "gone", "gone", "proved"]);
  });

  test("cannot change the record while a chain works on the name", async () => {
    const { stage, world } = await attended(13);
    await stage.run("build-cluster", orchid, "build");
    const destroy = world.stepFunctions.start("destroy-cluster", "destroy", { name: "orchid" });
    await stage.pass(60);
    await assert.rejects(stage.change("orchid", { kind: "protect" }), { name: "ConflictError", message: /being worked on/ });
    await world.universe.clock.run(destroy.done);
  });
});
