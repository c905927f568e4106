import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { rehearse } from "../../rehearsal/rehearse.ts";
import { Stage } from "../../rehearsal/stage.ts";

const seed = 11;
const orchid = { name: "orchid", workers: { count: 1 }, verify: { volume: false } };
const threePlanes = { ...orchid, network: { zones: 3 }, controlPlane: { count: 3 } };

describe("a build", () => {
  test("one control plane and two workers, all defaults: ready, certified, and nothing leaks", async () => {
    const result = await rehearse({ request: { name: "orchid" }, seed });
    assert.equal(result.status, "ready", result.error?.cause);
    assert.deepEqual(
      result.cluster?.nodes.map(({ role, ready }) => [role, ready]),
      [
        ["control-plane", true],
        ["worker", true],
        ["worker", true],
      ],
    );
    for (const { providerID } of result.cluster?.nodes ?? [])
      assert.match(providerID, /^aws:\/\/\/us-west-2[ab]\/i-[0-9a-f]{17}$/);
    assert.equal(result.certificate?.isolated, true);
    assert.ok((result.certificate?.checks.length ?? 0) >= 10);
    assert.deepEqual(result.audit, { secretLeaks: [], breaches: [], foreignTouched: [] });
    assert.ok(result.execution.largestStateBytes < 32_768);
  });

  test("three control planes stand behind an internal load balancer in three zones", async () => {
    const result = await rehearse({ request: threePlanes, seed, scripts: "quick" });
    assert.equal(result.status, "ready", result.error?.cause);
    assert.match(result.cluster?.apiEndpoint ?? "", /\.elb\.us-west-2\.amazonaws\.com:6443$/);
    const planes = result.cluster?.nodes.filter(({ role }) => role === "control-plane") ?? [];
    assert.deepEqual(
      new Set(planes.map(({ providerID }) => providerID.split("/")[3])),
      new Set(["us-west-2a", "us-west-2b", "us-west-2c"]),
    );
  });

  test("every supported version becomes ready", async () => {
    for (const kubernetesVersion of ["1.35.7", "1.37.2"]) {
      assert.equal((await rehearse({ request: { ...orchid, kubernetesVersion }, seed, scripts: "quick" })).status, "ready");
    }
  });

  test("the smoke test's volume and load balancer are gone when the build is over", async () => {
    const result = await rehearse({
      request: { ...orchid, verify: { volume: true, loadBalancer: true } },
      seed,
      scripts: "quick",
    });
    assert.equal(result.status, "ready", result.error?.cause);
    const left = result.inventory.after.filter(({ type, tags }) => type === "load-balancer" || "CSIVolumeName" in tags);
    assert.deepEqual(left, []);
  });

  test("the same request again verifies the cluster and changes nothing", async () => {
    const stage = await Stage.open({ request: orchid, seed, scripts: "quick" });
    assert.equal((await stage.run("build-cluster", orchid, "first")).outcome.status, "SUCCEEDED");
    const { world } = stage.account;
    const before = world.inventory();
    const calls = world.door.calls.length;
    const { outcome } = await stage.run("build-cluster", { ...orchid, keepHours: 3 }, "second");
    assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
    const mutations = world.door.calls.slice(calls).filter(({ mutates, caller }) => mutates && caller.kind === "function");
    // The record is taken and released, the scripts that look are sent.
    assert.deepEqual(new Set(mutations.map(({ operation }) => operation)), new Set(["PutObject", "SendCommand"]));
    const facts = (items: ReturnType<typeof world.inventory>) =>
      items.filter(({ type }) => type !== "object").map(({ type, id }) => `${type}/${id}`);
    assert.deepEqual(facts(world.inventory()), facts(before));
  });

  test("a name that is being worked on is refused, and nothing is created for the second", async () => {
    const stage = await Stage.open({ request: orchid, seed, scripts: "quick" });
    const { world } = stage.account;
    const first = world.stepFunctions.start("build-cluster", "first", orchid);
    await world.universe.clock.run(world.universe.clock.sleep(60));
    const { outcome } = await stage.run("build-cluster", orchid, "second");
    assert.equal(outcome.error, "ConflictError");
    assert.match(outcome.cause ?? "", /being worked on by .*:first/);
    assert.equal((await world.universe.clock.run(first.done)).status, "SUCCEEDED");
    assert.equal(world.inventory().filter(({ type, tags }) => type === "vpc" && "cloister:cluster" in tags).length, 1);
  });

  test("takes its image and its bundle from the lines that it names, and is the same request when they have moved on", async () => {
    const file = new URL("../../statemachine/examples/orchid-arm64.json", import.meta.url);
    const request = JSON.parse(readFileSync(file, "utf8")) as object;
    const stage = await Stage.open({ request, seed, scripts: "quick" });
    const { world, deployment } = stage.account;
    const certificate = (): unknown =>
      JSON.parse(world.s3.object(deployment.bucket, "evidence/orchid-arm64/g1/certificate.json")?.body ?? "{}");
    assert.equal((await stage.run("build-cluster", request, "first")).outcome.status, "SUCCEEDED");
    const { images, bundle } = certificate() as { images: unknown; bundle: { key: string } };
    assert.deepEqual([images, bundle.key], [[world.ssm.parameters.secret("/cloister/_ami/arm64")], "1.36.3/arm64/bundle.json"]);
    stage.account.newImage("/cloister/_ami/arm64", "ami-0fedcba9876543210", "arm64");
    const { outcome } = await stage.run("build-cluster", request, "second");
    assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
    assert.equal((outcome.output as { generation: number }).generation, 1);
    assert.deepEqual((certificate() as { images: unknown }).images, images);
  });

  test("another request for a ready cluster is refused with the word rebuild", async () => {
    const stage = await Stage.open({ request: orchid, seed, scripts: "quick" });
    await stage.run("build-cluster", orchid, "first");
    const { outcome } = await stage.run("build-cluster", { ...orchid, workers: { count: 2 } }, "second");
    assert.equal(outcome.error, "ConflictError");
    assert.match(outcome.cause ?? "", /rebuild/);
  });

  test("a build that fails and is to be kept ends with its first cause and says exactly what it left", async () => {
    const faults = [{ operation: "CreateVpcEndpoint", code: "VpcEndpointLimitExceeded", nth: 3, after: false }];
    const result = await rehearse({ request: { ...orchid, onFailure: "keep" }, seed, faults });
    assert.deepEqual([result.status, result.error?.name, result.error?.state], ["failed", "QuotaError", "CreateEndpoints"]);
    for (const { type, id } of result.inventory.after.filter(
      ({ type, tags }) => ["vpc", "subnet"].includes(type) && "cloister:cluster" in tags,
    )) {
      assert.ok(result.error?.cause.includes(id), `${type} ${id} is not named`);
    }
    assert.match(result.error?.cause ?? "", /Kept until/);
  });

  test("a verification that is sent twice, because the answer to SendCommand was lost, does not get into its own way", async () => {
    const faults = [{ state: "VerifyCluster", operation: "SendCommand", code: "TimeoutError", nth: 1, after: true }];
    const result = await rehearse({ request: orchid, seed, faults, scripts: "quick" });
    assert.equal(result.status, "ready", result.error?.cause);
  });

  for (const operation of ["CreateVpc", "RunInstances", "CreateVpcEndpoint", "SendCommand", "PutObject"]) {
    test(`an answer of ${operation} that is lost leaves one of each thing, and the build ends well`, async () => {
      const faults = [{ operation, code: "InternalError", nth: 1, after: true }];
      const result = await rehearse({ request: orchid, seed, faults, scripts: "quick" });
      assert.equal(result.status, "ready", result.error?.cause);
      const ours = result.inventory.after.filter(({ tags }) => tags["cloister:cluster"] === "orchid");
      const count = (type: string) => ours.filter((item) => item.type === type && item.facts["state"] !== "terminated").length;
      assert.deepEqual([count("vpc"), count("instance"), count("vpc-endpoint")], [1, 2, 5]);
    });
  }

  test("no stock in the first zone places the workers in the next", async () => {
    const result = await rehearse({
      request: orchid,
      seed,
      scripts: "quick",
      prepare: (account) => void account.world.ec2.state.capacity.set("m7i.large/us-west-2a", 1),
    });
    assert.equal(result.status, "ready", result.error?.cause);
    assert.match(result.cluster?.nodes.find(({ role }) => role === "worker")?.providerID ?? "", /us-west-2b/);
  });

  test("the same seed tells the same story, to the last event", async () => {
    const tell = () => rehearse({ request: orchid, seed, scripts: "quick" });
    const [one, two] = [await tell(), await tell()];
    assert.deepEqual(one.history, two.history);
  });
});
