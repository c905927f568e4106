import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { rehearse } from "../../rehearsal/rehearse.ts";
import { Stage } from "../../rehearsal/stage.ts";
import type { FaultRule } from "../../rehearsal/world/fault-rule.ts";
import type { InventoryItem } from "../../rehearsal/world/service.ts";

const seed = 13;
const orchid = { name: "orchid", workers: { count: 1 }, verify: { volume: false } };
const harness = { kind: "harness" } as const;

/** What outlives a cluster on purpose, or lingers in answers only. */
const isResidue = ({ type, id, facts }: InventoryItem): boolean =>
  !(type === "object" && /\/(?:clusters|evidence)\//.test(id)) && facts["state"] !== "terminated";
const keysOf = (items: readonly InventoryItem[]) => items.filter(isResidue).map(({ type, id }) => `${type} ${id}`);

async function built(request: unknown = orchid, faults: readonly FaultRule[] = []) {
  const stage = await Stage.open({ request, seed, faults, scripts: "quick" });
  const { world } = stage.account;
  const before = keysOf(world.inventory());
  const { outcome } = await stage.run("build-cluster", request, "build");
  const call = (service: "ec2" | "elb" | "elbClassic" | "ssm", operation: string, input: Record<string, unknown>) =>
    world.universe.clock.run(world.door.send(service, operation, input, harness)) as Promise<Record<string, never>>;
  const vpcId = () => world.ec2.state.vpcs.all().find(({ tags }) => tags.has("cloister:cluster"))?.id ?? "";
  const subnetId = () => world.ec2.state.subnets.all().find(({ tags }) => tags.has("cloister:cluster"))?.id ?? "";
  return { stage, world, before, outcome, call, vpcId, subnetId };
}

const clusterTag = { Key: "kubernetes.io/cluster/orchid-g1", Value: "owned" };
const row = (stage: Stage) => {
  const { s3 } = stage.account.world;
  const body = s3.object(stage.account.deployment.bucket, "clusters/orchid/record.json")?.body ?? "{}";
  return (JSON.parse(body) as { generations: Record<string, { state: string; volumes: string[] | null; left: unknown }> })
    .generations["1"];
};

describe("a destroy", () => {
  test("of a ready cluster leaves the account as it was, and the record says gone", async () => {
    const { stage, world, before, outcome: ready } = await built();
    assert.equal(ready.status, "SUCCEEDED");
    const { outcome } = await stage.run("destroy-cluster", { name: "orchid" }, "destroy");
    assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
    assert.deepEqual(keysOf(world.inventory()), before);
    assert.equal(row(stage)?.state, "gone");
    assert.deepEqual(world.ec2.foreignTouched(), []);
  });

  test("of three control planes in public and private subnets leaves nothing either", async () => {
    const request = {
      ...orchid,
      network: { zones: 3, publicSubnets: true },
      controlPlane: { count: 3 },
    };
    const { stage, world, before } = await built(request);
    const { outcome } = await stage.run("destroy-cluster", { name: "orchid" }, "destroy");
    assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
    assert.deepEqual(keysOf(world.inventory()), before);
  });

  test("twice in a row: the second has nothing to do and says so, without a call that changes anything", async () => {
    const { stage, world } = await built();
    await stage.run("destroy-cluster", { name: "orchid" }, "first");
    const calls = world.door.calls.length;
    const { outcome } = await stage.run("destroy-cluster", { name: "orchid" }, "second");
    assert.equal(outcome.status, "SUCCEEDED");
    assert.match((outcome.output as { why: string }).why, /generation 1 is gone/);
    assert.deepEqual(
      world.door.calls.slice(calls).filter(({ mutates }) => mutates),
      [],
    );
  });

  test("of an unknown name ends well and says so, without a call that changes anything", async () => {
    const result = await rehearse({ request: { name: "nobody" }, act: "destroy", buildsFirst: false, seed });
    assert.equal(result.status, "destroyed");
    assert.equal(result.summary, "there is no cluster nobody");
    assert.deepEqual(
      result.callRecords.filter(({ mutates }) => mutates),
      [],
    );
  });

  test("with a field that it does not know is refused before anything is read", async () => {
    const { stage, world } = await built();
    const calls = world.door.calls.length;
    const { outcome } = await stage.run("destroy-cluster", { name: "orchid", force: true }, "destroy");
    assert.equal(outcome.error, "InvalidRequestError");
    assert.match(outcome.cause ?? "", /force: unknown field/);
    assert.equal(world.door.calls.length, calls);
  });

  test("of a protected cluster is refused with the way to unprotect it, and nothing is touched", async () => {
    const { stage, world } = await built({ ...orchid, protected: true });
    const before = keysOf(world.inventory());
    const { outcome } = await stage.run("destroy-cluster", { name: "orchid" }, "destroy");
    assert.equal(outcome.error, "ConflictError");
    assert.match(outcome.cause ?? "", /unprotect it/);
    assert.deepEqual(keysOf(world.inventory()), before);
  });

  test("sweeps what controllers made and leaked: load balancers of both kinds, target groups, groups, rules", async () => {
    const { stage, world, before, call, vpcId, subnetId } = await built();
    const { GroupId } = await call("ec2", "CreateSecurityGroup", {
      GroupName: "k8s-elb-a1",
      Description: "leaked before it was tagged",
      VpcId: vpcId(),
    });
    const nodeGroup = world.ec2.state.groups.all().find(({ name }) => name === "orchid-g1-load-balancer")?.id;
    const rule = { IpProtocol: "tcp", FromPort: 30_000, ToPort: 30_000, UserIdGroupPairs: [{ GroupId }] };
    await call("ec2", "AuthorizeSecurityGroupIngress", { GroupId: nodeGroup, IpPermissions: [rule] });
    const shared = { Subnets: [subnetId()], SecurityGroups: [GroupId], Tags: [clusterTag] };
    await call("elb", "CreateLoadBalancer", { ...shared, Name: "a0123456789", Type: "network", Scheme: "internal" });
    const listener = { Protocol: "TCP", LoadBalancerPort: 80, InstanceProtocol: "TCP", InstancePort: 30_000 };
    await call("elbClassic", "CreateLoadBalancer", {
      ...shared,
      LoadBalancerName: "a9876543210",
      Scheme: "internal",
      Listeners: [listener],
    });
    await call("elb", "CreateTargetGroup", {
      Name: "k8s-leaked",
      Protocol: "TCP",
      Port: 30_000,
      VpcId: vpcId(),
      TargetType: "instance",
      Tags: [clusterTag],
    });
    const { outcome } = await stage.run("destroy-cluster", { name: "orchid" }, "destroy");
    assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
    assert.deepEqual(keysOf(world.inventory()), before);
  });

  test("leaves what somebody else put into the VPC, and ends in ResourcesLeftBehind with its name", async () => {
    const { stage, world, call, subnetId } = await built();
    const { Instances } = (await call("ec2", "RunInstances", {
      ImageId: stage.account.world.ec2.state.images.all()[0]?.id,
      InstanceType: "m7i.large",
      SubnetId: subnetId(),
      MinCount: 1,
      MaxCount: 1,
    })) as unknown as { Instances: { InstanceId: string }[] };
    const foreign = Instances[0]?.InstanceId ?? "";
    const startedAt = world.universe.clock.now();
    const { outcome } = await stage.run("destroy-cluster", { name: "orchid" }, "destroy");
    assert.deepEqual([outcome.status, outcome.error], ["FAILED", "ResourcesLeftBehind"]);
    assert.match(outcome.cause ?? "", new RegExp(`instance ${foreign}, not ours`));
    assert.equal(world.ec2.state.instances.get(foreign).state, "running");
    assert.equal(row(stage)?.state, "left");
    // It is named long before the deletion's own patience is over.
    assert.ok(world.universe.clock.now() - startedAt < 900_000);
  });

  for (const onDestroy of ["delete", "retain"] as const) {
    test(`under onDestroy "${onDestroy}" what pods stored is ${onDestroy === "delete" ? "gone too" : "kept, listed and priced"}`, async () => {
      const { stage, world, before, call } = await built({ ...orchid, storage: { onDestroy } });
      const Tags = [
        clusterTag,
        { Key: "ebs.csi.aws.com/cluster", Value: "true" },
        { Key: "Name", Value: "orchid-g1-dynamic-pvc-1" },
      ];
      const volume = (await call("ec2", "CreateVolume", {
        AvailabilityZone: "us-west-2a",
        Size: 10,
        VolumeType: "gp3",
        TagSpecifications: [{ ResourceType: "volume", Tags }],
      })) as unknown as { VolumeId: string };
      await call("ec2", "CreateSnapshot", {
        VolumeId: volume.VolumeId,
        TagSpecifications: [{ ResourceType: "snapshot", Tags }],
      });
      const { outcome } = await stage.run("destroy-cluster", { name: "orchid" }, "destroy");
      assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
      const kept = keysOf(world.inventory()).filter((key) => !before.includes(key));
      if (onDestroy === "delete") return assert.deepEqual(kept, []);
      assert.equal(kept.length, 2, kept.join());
      assert.match((outcome.output as { summary: string }).summary, /volume vol-\w+ .*10 GiB, 0\.80 USD a month/);
      assert.equal(row(stage)?.volumes?.length, 2);
      // A person may still decide otherwise.
      const again = await stage.run("destroy-cluster", { name: "orchid", volumes: "delete" }, "again");
      assert.equal(again.outcome.status, "SUCCEEDED", again.outcome.cause);
      assert.deepEqual(keysOf(world.inventory()), before);
    });
  }

  test("lets a control plane that answers give its Services up first", async () => {
    const request = { ...orchid, verify: { volume: false, loadBalancer: true } };
    const { stage } = await built(request);
    const { execution } = await stage.run("destroy-cluster", { name: "orchid" }, "destroy");
    const output = execution.history.events.find(
      ({ type, details }) => type === "LambdaFunctionSucceeded" && String(details["output"]).includes('"answered":true'),
    );
    assert.ok(output !== undefined, "release-resources was answered");
  });

  test("with a dead API server goes on without it", async () => {
    const { stage, world, before } = await built();
    for (const node of world.nodes.nodes.values()) node.cluster = null;
    const { outcome } = await stage.run("destroy-cluster", { name: "orchid" }, "destroy");
    assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
    assert.deepEqual(keysOf(world.inventory()), before);
  });

  test("waits for what goes by itself a little later, and then finds the account clean", async () => {
    const { stage, world, before } = await built();
    const { clock } = world.universe;
    const [vpcs, all] = [{ ResourceType: "vpc" }, { CidrBlock: "10.99.0.0/16" }];
    stage.account.afterStep.set("delete-parameters", async (output) => {
      const Tags = ["cluster", "generation"].map((tag) => ({
        Key: `cloister:${tag}`,
        Value: tag === "cluster" ? "orchid" : "1",
      }));
      const made = await world.door.send("ec2", "CreateVpc", { ...all, TagSpecifications: [{ ...vpcs, Tags }] }, harness);
      const { VpcId } = (made as { Vpc: { VpcId: string } }).Vpc;
      // Longer than the pause between the two looks of the audit.
      clock.after(100, () => void world.door.send("ec2", "DeleteVpc", { VpcId }, harness));
      return output;
    });
    const { outcome } = await stage.run("destroy-cluster", { name: "orchid" }, "destroy");
    assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
    assert.deepEqual(keysOf(world.inventory()), before);
  });

  test("an action that a role lacks is named at the end, and everything else is removed", async () => {
    const faults = Array.from({ length: 40 }, (_, index) => ({
      operation: "DeleteVpcEndpoints",
      code: "UnauthorizedOperation",
      nth: index + 1,
      after: false,
    }));
    const { stage, world } = await built(orchid, faults);
    const { outcome } = await stage.run("destroy-cluster", { name: "orchid" }, "destroy");
    assert.equal(outcome.error, "ResourcesLeftBehind");
    assert.match(outcome.cause ?? "", /endpoint vpce-/);
    const left = world.inventory().filter(({ tags }) => tags["cloister:cluster"] === "orchid");
    assert.ok(!left.some(({ type, facts }) => type === "instance" && facts["state"] !== "terminated"));
  });
});

describe("a build that fails", () => {
  /** Points of no success, from the first thing made to the last step before the commit. */
  const faults: readonly (readonly [operation: string, code: string, nth: number, error: string])[] = [
    ["CreateSubnet", "SubnetLimitExceeded", 1, "QuotaError"],
    ["CreateSecurityGroup", "UnauthorizedOperation", 2, "AccessError"],
    ["CreateVpcEndpoint", "VpcEndpointLimitExceeded", 3, "QuotaError"],
    ["RunInstances", "VcpuLimitExceeded", 2, "QuotaError"],
    ["SendCommand", "AccessDeniedException", 1, "AccessError"],
    ["SendCommand", "AccessDeniedException", 9, "AccessError"],
  ];
  for (const [operation, code, nth, error] of faults) {
    test(`at call ${nth} of ${operation} is rolled back: the first cause stays, the account is as it was`, async () => {
      const { stage, world, before, outcome } = await built(orchid, [{ operation, code, nth, after: false }]);
      assert.deepEqual([outcome.status, outcome.error], ["FAILED", error]);
      assert.deepEqual(keysOf(world.inventory()), before);
      assert.equal(row(stage)?.state, "gone");
      const again = await stage.run("build-cluster", orchid, "again");
      assert.equal(again.outcome.status, "SUCCEEDED", again.outcome.cause);
      assert.equal((again.outcome.output as { generation: number }).generation, 2);
    });
  }

  test("whose roll-back fails too says both, and what is left", async () => {
    const denied = Array.from({ length: 90 }, (_, index) => ({
      operation: "DeleteSubnet",
      code: "UnauthorizedOperation",
      nth: index + 1,
      after: false,
    }));
    const first = { operation: "RunInstances", code: "VcpuLimitExceeded", nth: 1, after: false };
    const { outcome, stage } = await built(orchid, [first, ...denied]);
    assert.equal(outcome.error, "ResourcesLeftBehind");
    assert.match(outcome.cause ?? "", /VcpuLimitExceeded[\s\S]*roll-back failed[\s\S]*subnet-/);
    assert.doesNotMatch(
      outcome.cause ?? "",
      /StateMachineArn/,
      "the child's end in its own words, not all that Step Functions tells of it",
    );
    assert.equal(row(stage)?.state, "left");
  });

  test("on a ready cluster rolls nothing back", async () => {
    // As many as a build of one control plane sends.
    const commands = 12;
    const faults = [{ operation: "SendCommand", code: "AccessDeniedException", nth: commands + 1, after: false }];
    const { stage, world, outcome: ready } = await built(orchid, faults);
    assert.equal(ready.status, "SUCCEEDED", ready.cause);
    const before = keysOf(world.inventory());
    const sent = world.door.calls.filter(({ operation }) => operation === "SendCommand").length;
    assert.equal(sent, commands, "the next command is the failing one");
    const { outcome } = await stage.run("build-cluster", orchid, "again");
    assert.equal(outcome.error, "AccessError");
    assert.deepEqual(keysOf(world.inventory()), before);
  });
});
