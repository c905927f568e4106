import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { Stage } from "../../rehearsal/stage.ts";

const small = { workers: { count: 1 }, verify: { volume: false } };
const arm = {
  controlPlane: { instanceType: "m7g.large" },
  workers: { count: 1, instanceType: "m7g.large" },
  images: { ami: "/cloister/_ami/arm64", bundle: "/cloister/_bundle/arm64" },
};
const aster = { ...small, name: "aster" };
const orchid = { ...small, name: "orchid", workers: { count: 1, instanceType: "m7i.xlarge" }, rebuild: { on: ["schedule"] } };
const violet = { ...small, name: "violet", rebuild: { on: ["image", "schedule"] } };
const yarrow = { ...small, ...arm, name: "yarrow", rebuild: { on: ["image"] } };
/** Its line is the deployment's own, by name. */
const zinnia = { ...small, name: "zinnia", images: { ami: "/cloister/_ami/default" }, rebuild: { on: ["image"] } };

const line = { default: "/cloister/_ami/default", arm64: "/cloister/_ami/arm64" } as const;
const newImages = ["ami-0fedcba9876543210", "ami-0fedcba9876543211"] as const;

const certified = (object: { readonly body: string } | undefined) =>
  JSON.parse(object?.body ?? "{}") as { readonly images?: unknown };

/** An account in which these are ready, in another order than that of their names. */
async function grown(seed: number, requests: readonly { readonly name: string }[]) {
  const stage = await Stage.open({ request: requests[0], seed, scripts: "quick" });
  const { world, deployment } = stage.account;
  // Each has two generations in the end.
  stage.account.quota("L-F678F1CE", 20);
  world.ec2.state.quotas.vpcs = 20;
  for (const request of requests.toReversed())
    assert.equal((await stage.run("build-cluster", request, request.name)).outcome.status, "SUCCEEDED");
  const object = (key: string) => world.s3.object(deployment.bucket, key);
  const current = (name: string): unknown =>
    (JSON.parse(object(`clusters/${name}/record.json`)?.body ?? "{}") as { current?: number }).current;
  let runs = 0;
  return {
    stage,
    rebuilds: () => [...world.stepFunctions.executions.values()].filter(({ machine }) => machine === "rebuild-cluster"),
    current: () => requests.map(({ name }) => current(name)),
    imagesOf: (name: string) => certified(object(`evidence/${name}/g${current(name)}/certificate.json`)).images,
    /** A run as the rule for images starts it; gives how many it picked. */
    async changed(parameter: string): Promise<unknown> {
      const { outcome } = await stage.run("rebuild-fleet", { trigger: "image", parameter }, `image-${++runs}`);
      assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
      return (outcome.output as { count: number }).count;
    },
  };
}

describe("a run over all clusters by the schedule", () => {
  test("rebuilds those that list it one after another, and one that fails does not stop the rest", async () => {
    const { stage, rebuilds, current } = await grown(51, [aster, orchid, violet]);
    for (const zone of ["us-west-2a", "us-west-2b", "us-west-2c"]) stage.account.withdraw("m7i.xlarge", zone);
    const { outcome } = await stage.run("rebuild-fleet", { trigger: "schedule" }, "sunday");
    assert.deepEqual(
      [outcome.status, outcome.output],
      ["SUCCEEDED", { trigger: "schedule", parameter: null, cluster: null, rebuild: null, count: 2 }],
    );
    assert.deepEqual(current(), [1, 1, 2]);
    const told = rebuilds().map(({ input, outcome }) => `${(input as { name: string }).name} ${outcome?.status}`);
    assert.deepEqual(told, ["orchid FAILED", "violet SUCCEEDED"]);
    for (const [index, { startedAt }] of rebuilds().entries())
      assert.ok(index === 0 || startedAt >= (rebuilds()[index - 1]?.endedAt ?? Number.POSITIVE_INFINITY), "two at once");
  });
});

describe("a run over all clusters by a new image", () => {
  test("rebuilds who lists it and draws from that line, named or not, from that image", async () => {
    const { stage, current, changed, imagesOf } = await grown(52, [aster, violet, yarrow, zinnia]);
    const [first, second] = newImages;
    stage.account.newImage(line.default, first);
    assert.equal(await changed(line.default), 2);
    assert.deepEqual(current(), [1, 2, 1, 2]);
    assert.deepEqual([imagesOf("violet"), imagesOf("zinnia")], [[first], [first]]);
    stage.account.newImage(line.arm64, second, "arm64");
    assert.equal(await changed(line.arm64), 1);
    assert.deepEqual(current(), [1, 2, 2, 2]);
    assert.deepEqual(imagesOf("yarrow"), [second]);
  });

  test("that is told twice, or written again, rebuilds nothing a second time", async () => {
    const { stage, rebuilds, changed } = await grown(53, [violet]);
    assert.equal(await changed(line.default), 0, "it was built from that image");
    stage.account.newImage(line.default, newImages[0]);
    assert.deepEqual([await changed(line.default), await changed(line.default)], [1, 0]);
    stage.account.newImage(line.default, newImages[0]);
    assert.equal(await changed(line.default), 0);
    assert.equal(rebuilds().length, 1);
  });

  test("that is told twice at the same moment rebuilds each once: the other rebuild meets the lock", async () => {
    const { stage, current, rebuilds } = await grown(62, [violet, zinnia]);
    const { stepFunctions, universe } = stage.account.world;
    stage.account.newImage(line.default, newImages[0]);
    const input = { trigger: "image", parameter: line.default };
    const runs = ["one", "other"].map((name) => stepFunctions.start("rebuild-fleet", name, input));
    for (const { done } of runs) assert.equal((await universe.clock.run(done)).status, "SUCCEEDED");
    assert.deepEqual(current(), [2, 2]);
    const ends = rebuilds().map(({ outcome }) => outcome?.error ?? outcome?.status);
    assert.deepEqual(
      ends.filter((end) => end !== "ConflictError"),
      ["SUCCEEDED", "SUCCEEDED"],
    );
  });

  test("whose rebuild failed is tried again when it is told again", async () => {
    const { stage, current, changed } = await grown(54, [violet]);
    const { images } = stage.account.world.ec2.state;
    stage.account.newImage(line.default, newImages[0]);
    images.remove(newImages[0]);
    assert.equal(await changed(line.default), 1);
    assert.deepEqual(current(), [1]);
    stage.account.newImage(line.default, newImages[0]);
    assert.equal(await changed(line.default), 1);
    assert.deepEqual(current(), [2]);
  });

  test("of a line that is gone by then rebuilds nothing", async () => {
    const { changed, rebuilds } = await grown(55, [violet]);
    assert.equal(await changed("/cloister/_ami/gone"), 0);
    assert.deepEqual(rebuilds(), []);
  });

  test("rebuilds a cluster whose build was resumed after its line had changed: its nodes run the image before", async () => {
    const kept = { ...violet, onFailure: "keep" };
    const faults = [{ operation: "SendCommand", code: "AccessDeniedException", nth: 3, after: false }];
    const stage = await Stage.open({ request: kept, seed: 56, faults, scripts: "quick" });
    const { world, deployment } = stage.account;
    const imagesOf = (generation: number): unknown =>
      certified(world.s3.object(deployment.bucket, `evidence/violet/g${generation}/certificate.json`)).images;
    const before = world.ssm.parameters.secret(line.default);
    assert.equal((await stage.run("build-cluster", kept, "kept")).outcome.error, "AccessError");
    stage.account.newImage(line.default, newImages[0]);
    assert.equal((await stage.run("build-cluster", kept, "resumed")).outcome.status, "SUCCEEDED");
    assert.deepEqual(imagesOf(1), [before], "the certificate tells of the nodes, not of the plan");
    await stage.run("rebuild-fleet", { trigger: "image", parameter: line.default }, "image");
    assert.deepEqual(imagesOf(2), [newImages[0]]);
  });

  test("rebuilds a cluster whose certificate is from before it named the nodes' images", async () => {
    const { stage, changed } = await grown(57, [violet]);
    const { world, deployment } = stage.account;
    const key = "evidence/violet/g1/certificate.json";
    const { images: _, ...old } = certified(world.s3.object(deployment.bucket, key));
    world.s3.put(deployment.bucket, key, JSON.stringify(old));
    assert.deepEqual([await changed(line.default), await changed(line.default)], [1, 0]);
  });
});

describe("a run over all clusters that cannot go on says so", () => {
  const images = (parameter: unknown) => ({ trigger: "image", parameter });
  const refused: readonly (readonly [what: string, input: object, path: string])[] = [
    ["a trigger that nobody knows", { trigger: "whim" }, "trigger"],
    ["an image of no line", { trigger: "image" }, "parameter"],
    ["a schedule with a line", { trigger: "schedule", parameter: line.default }, "parameter"],
    ["a cluster's own parameter", images("/cloister/orchid/g1/kubeconfig"), "parameter"],
    ["a line of bundles", images("/cloister/_bundle/default"), "parameter"],
    ["a parameter below a line", images("/cloister/_ami/default/next"), "parameter"],
    ["a line without a word", images("/cloister/_ami/"), "parameter"],
    ["a word that is too long", images(`/cloister/_ami/${"a".repeat(101)}`), "parameter"],
    ["a word with a quote in it", images('/cloister/_ami/a","cluster":"b'), "parameter"],
    ["a list", images([line.default]), "parameter"],
  ];
  test("of what is no trigger of ours, before it reads a record", async () => {
    const stage = await Stage.open({ request: violet, seed: 58, scripts: "quick" });
    for (const [index, [what, input, path]] of refused.entries()) {
      const { outcome } = await stage.run("rebuild-fleet", input, `refused-${index}`);
      assert.deepEqual([outcome.status, outcome.error], ["FAILED", "InvalidRequestError"], what);
      assert.match(outcome.cause ?? "", new RegExp(`\\\\n- ${path}: `), what);
    }
    assert.deepEqual(
      stage.account.world.door.calls.map(({ operation }) => operation),
      [],
    );
  });

  test("of more clusters than one run takes", async () => {
    const { stage } = await grown(59, [violet]);
    const { outcome } = await stage.run("rebuild-fleet", { trigger: "schedule", cluster: "orchid", count: 200 }, "full");
    assert.deepEqual([outcome.status, outcome.error], ["FAILED", "QuotaError"]);
    assert.match(outcome.cause ?? "", /violet is the next/);
  });
});
