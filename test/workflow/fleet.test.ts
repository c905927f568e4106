import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { Stage } from "../../rehearsal/stage.ts";

const small = { workers: { count: 1 }, verify: { volume: false } };
const requests = [
  { ...small, name: "aster" },
  { ...small, name: "orchid", workers: { count: 1, instanceType: "m7i.xlarge" }, rebuild: { on: ["schedule"] } },
  { ...small, name: "violet", rebuild: { on: ["image", "schedule"] } },
];

/** An account in which these are ready, in another order than that of their names. */
async function grown(seed: number) {
  const stage = await Stage.open({ request: requests[0], seed, scripts: "quick" });
  const { world, deployment } = stage.account;
  for (const request of requests.toReversed())
    assert.equal((await stage.run("build-cluster", request, request.name)).outcome.status, "SUCCEEDED");
  const current = (name: string): unknown =>
    (JSON.parse(world.s3.object(deployment.bucket, `clusters/${name}/record.json`)?.body ?? "{}") as { current?: number })
      .current;
  const rebuilds = () => [...world.stepFunctions.executions.values()].filter(({ machine }) => machine === "rebuild-cluster");
  return { stage, rebuilds, current: () => requests.map(({ name }) => current(name)) };
}

describe("a run over all clusters", () => {
  test("rebuilds those that list its trigger one after another, and one that fails does not stop the rest", async () => {
    const { stage, rebuilds, current } = await grown(51);
    for (const zone of ["us-west-2a", "us-west-2b", "us-west-2c"]) stage.account.withdraw("m7i.xlarge", zone);
    const { outcome } = await stage.run("rebuild-fleet", { trigger: "schedule" }, "sunday");
    assert.deepEqual([outcome.status, outcome.output], ["SUCCEEDED", { trigger: "schedule", cluster: null, count: 2 }]);
    assert.deepEqual(current(), [1, 1, 2]);
    const told = rebuilds().map(({ input, outcome }) => `${(input as { name: string }).name} ${outcome?.status}`);
    assert.deepEqual(told, ["orchid FAILED", "violet SUCCEEDED"]);
    for (const [index, { startedAt }] of rebuilds().entries())
      assert.ok(index === 0 || startedAt >= (rebuilds()[index - 1]?.endedAt ?? Number.POSITIVE_INFINITY), "two at once");
  });

  test("by a new default image rebuilds who lists it, from that image", async () => {
    const { stage, current } = await grown(52);
    const { world, deployment } = stage.account;
    const [old = assert.fail()] = world.ec2.state.images.all();
    const image = "ami-0fedcba9876543210";
    world.ec2.seedImage({ id: image, name: "cloister-node-2", architecture: "x86_64", tags: Object.fromEntries(old.tags) });
    world.nodes.images.set(image, world.nodes.images.get(old.id) ?? assert.fail());
    world.ssm.parameters.seed(deployment.defaultImageParameter, image);
    const { outcome } = await stage.run("rebuild-fleet", { trigger: "image" }, "new-image");
    assert.equal(outcome.status, "SUCCEEDED");
    assert.deepEqual(current(), [1, 1, 2]);
    const certificate = JSON.parse(world.s3.object(deployment.bucket, "evidence/violet/g2/certificate.json")?.body ?? "{}");
    assert.equal((certificate as { image?: string }).image, image);
  });

  test("that cannot go on says so: an unknown trigger, or more clusters than one run takes", async () => {
    const stage = await Stage.open({ request: requests[2], seed: 53, scripts: "quick" });
    const unknown = await stage.run("rebuild-fleet", { trigger: "whim" }, "unknown");
    assert.deepEqual([unknown.outcome.status, unknown.outcome.error], ["FAILED", "InvalidRequestError"]);
    await stage.run("build-cluster", requests[2], "build");
    const full = await stage.run("rebuild-fleet", { trigger: "schedule", cluster: "orchid", count: 200 }, "full");
    assert.deepEqual([full.outcome.status, full.outcome.error], ["FAILED", "QuotaError"]);
    assert.match(full.outcome.cause ?? "", /violet is the next/);
  });
});
