import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { Stage } from "../../rehearsal/stage.ts";
import type { VirtualAccount } from "../../rehearsal/virtual-account.ts";
import { after, orchid, script, threePlanes } from "./ablation.ts";

const request = { name: "orchid", onFailure: "keep" };

describe("the same request after a build that was kept", () => {
  test("goes on where it stopped, after a pause, and ends with one cluster", async () => {
    const faults = [{ operation: "SendCommand", code: "AccessDeniedException", nth: 3, after: false }];
    const stage = await Stage.open({ request, seed: 3, faults, scripts: "quick" });
    const { world } = stage.account;
    const first = await stage.run("build-cluster", request, "first");
    assert.equal(first.outcome.error, "AccessError");
    const kept = world.ec2
      .inventory()
      .filter(({ type, tags }) => (type === "instance" || type === "vpc") && tags["cloister:cluster"] === "orchid");
    assert.equal(kept.length, 4, kept.map(({ id }) => id).join());
    const second = await stage.run("build-cluster", request, "second");
    assert.equal(second.outcome.status, "SUCCEEDED", second.outcome.cause);
    const states = second.execution.history.events.flatMap(({ type, details }) =>
      type.endsWith("StateEntered") ? [details["name"]] : [],
    );
    assert.ok(states.includes("PauseForOrphans"));
    const built = world.ec2
      .inventory()
      .filter(({ type, tags }) => (type === "instance" || type === "vpc") && tags["cloister:cluster"] === "orchid");
    assert.deepEqual(
      built.map(({ id }) => id),
      kept.map(({ id }) => id),
      "nothing was made a second time",
    );
    assert.equal((second.outcome.output as { generation: number }).generation, 1);
  });

  test("joins a control plane again whose join was killed half-way, though its Node is there", async () => {
    const faults = [{ state: "VerifyCluster", operation: "SendCommand", code: "AccessDeniedException", nth: 1, after: false }];
    const stage = await Stage.open({ request: threePlanes, seed: 3, faults, scripts: "quick" });
    assert.equal((await stage.run("build-cluster", threePlanes, "first")).outcome.error, "AccessError");
    const planes = [...stage.account.world.nodes.nodes.values()].filter(({ hasApiServer }) => hasApiServer);
    const [, half] = planes;
    assert.ok(half !== undefined && planes.length === 3);
    await half.shell.remove("/var/lib/cloister/finished.join");
    half.hasApiServer = false;
    const { outcome } = await stage.run("build-cluster", threePlanes, "second");
    assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
    assert.equal(half.hasApiServer, true);
  });

  for (const scripts of ["interpreted", "quick"] as const)
    test(`pins what was imported by a preloading that was killed before it could pin (${scripts})`, async () => {
      const unpinned = (account: VirtualAccount) => {
        for (const { images } of account.world.nodes.nodes.values()) images.set("registry.k8s.io/pause:3.10.2", false);
      };
      const stage = await Stage.open({ request: orchid, seed: 3, scripts, prepare: after("wait-for-nodes", unpinned) });
      const { outcome } = await stage.run("build-cluster", orchid, "build");
      assert.equal(outcome.status, "SUCCEEDED", outcome.cause);
      const held = [...stage.account.world.nodes.nodes.values()].flatMap(({ images }) => [...images]);
      assert.ok(held.length > 10);
      assert.deepEqual(
        held.filter(([, isPinned]) => !isPinned),
        [],
      );
    });

  test("resets a control plane that kubeadm has half made, and makes it whole", async () => {
    const broken = "apiServer: {extraArgs: [{name: cloud-provider, value: external}]}\nimageRepository:";
    const prepare = script("kubeadm-init", "imageRepository:", broken);
    const stage = await Stage.open({ request: orchid, seed: 3, prepare });
    const first = await stage.run("build-cluster", orchid, "first");
    assert.match(first.outcome.cause ?? "", /unknown flag: --cloud-provider/);
    stage.account.document("kubeadm-init", (text) => text);
    const second = await stage.run("build-cluster", orchid, "second");
    assert.equal(second.outcome.status, "SUCCEEDED", second.outcome.cause);
  });
});
