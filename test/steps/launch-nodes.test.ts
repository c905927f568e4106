import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import type { Network } from "../../functions/domain/network.ts";
import { createNetwork } from "../../functions/steps/create-network.ts";
import { launchNodes } from "../../functions/steps/launch-nodes.ts";
import { retried, site } from "./site.ts";

async function networked(options: Parameters<typeof site>[0] = {}) {
  const at = site(options);
  return { at, network: await retried<Network>(at, createNetwork, {}, 12) };
}

const instances = (at: ReturnType<typeof site>) => at.ec2.state.instances.all().filter(({ state }) => state !== "terminated");

describe("launch-nodes", () => {
  test("gives each control plane its planned address, and each zone its workers", async () => {
    const { at, network } = await networked({ controlPlanes: 3, workers: 5, zones: 3 });
    assert.deepEqual(await at.run(launchNodes, { network }), { controlPlanes: 3, workers: 5 });
    const planes = instances(at).filter(({ tags }) => tags.get("cloister:role") === "control-plane");
    assert.deepEqual(planes.map(({ address }) => address).sort(), at.plan.controlPlanes.map(({ address }) => address).sort());
    const zones = instances(at)
      .filter(({ tags }) => tags.get("cloister:role") === "worker")
      .map(({ zone }) => zone.slice(-1));
    assert.deepEqual(zones.sort(), ["a", "a", "b", "b", "c"]);
    assert.deepEqual(at.ec2.breaches(), []);
  });

  test("every node wants a metadata token at one hop, has an encrypted disk of its size, and is tagged with both", async () => {
    const { at, network } = await networked();
    await at.run(launchNodes, { network });
    assert.equal(instances(at).length, 3);
    for (const { metadata, tags } of instances(at)) {
      assert.deepEqual([metadata.tokens, metadata.hopLimit], ["required", 1]);
      assert.equal(tags.get("kubernetes.io/cluster/orchid-g1"), "owned");
    }
    const volumes = at.ec2.state.volumes.all();
    assert.deepEqual(volumes.map(({ size }) => size).sort(), [40, 60, 60]);
    assert.ok(
      volumes.every(
        ({ isEncrypted, volumeType, tags }) => isEncrypted && volumeType === "gp3" && tags.get("cloister:cluster") === "orchid",
      ),
    );
  });

  test("an account that shows tags in metadata by default, where the cloud provider's key is no valid one, gets its nodes", async () => {
    const { at, network } = await networked();
    at.ec2.state.metadataTags = "enabled";
    await at.run(launchNodes, { network });
    assert.deepEqual(new Set(instances(at).map(({ metadata }) => metadata.tags)), new Set(["disabled"]));
  });

  for (const code of ["InternalError", "ECONNRESET"]) {
    for (const nth of [1, 2, 3]) {
      test(`${code} after the effect of launch ${nth} makes no node twice`, async () => {
        const { at, network } = await networked({ faults: [{ operation: "RunInstances", code, nth, after: true }] });
        await retried(at, launchNodes, { network });
        assert.equal(instances(at).length, 3);
      });
    }
  }

  test("a zone without stock is stood in for by the next, and a rerun adds none", async () => {
    const { at, network } = await networked({ workers: 4 });
    at.ec2.state.capacity.set("m7i.large/us-west-2b", 0);
    await at.run(launchNodes, { network });
    const before = instances(at).length;
    assert.deepEqual(new Set(instances(at).map(({ zone }) => zone)), new Set(["us-west-2a"]));
    await at.run(launchNodes, { network });
    assert.deepEqual([before, instances(at).length], [5, 5]);
  });

  test("no zone with stock is a CapacityError that names type and zones", async () => {
    const { at, network } = await networked();
    for (const zone of ["a", "b"]) at.ec2.state.capacity.set(`m7i.large/us-west-2${zone}`, zone === "a" ? 1 : 0);
    await assert.rejects(at.run(launchNodes, { network }), {
      name: "CapacityError",
      message: /m7i\.large in us-west-2a, us-west-2b/,
    });
  });

  test("a profile that is seconds old is a matter of time", async () => {
    const { at, network } = await networked();
    at.ec2.seedProfile("worker-profile", "worker-role", 20);
    await assert.rejects(at.run(launchNodes, { network }), { name: "TransientError" });
    await retried(at, launchNodes, { network });
    assert.equal(instances(at).length, 3);
  });

  test("a rerun that does not see the first one's nodes yet launches none", async () => {
    const { at, network } = await networked({ workers: 6, lagSeconds: 5 });
    await at.wait(30);
    await at.run(launchNodes, { network });
    await at.run(launchNodes, { network });
    assert.equal(instances(at).length, 7);
  });
});
