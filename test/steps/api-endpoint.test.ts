import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import type { Network } from "../../functions/domain/network.ts";
import { createApiEndpoint } from "../../functions/steps/create-api-endpoint.ts";
import { createNetwork } from "../../functions/steps/create-network.ts";
import { waitForApiEndpoint } from "../../functions/steps/wait-for-api-endpoint.ts";
import { retried, site } from "./site.ts";

async function networked(faults: Parameters<typeof site>[0] = {}) {
  const at = site({ controlPlanes: 3, zones: 3, ...faults });
  return { at, network: await retried<Network>(at, createNetwork) };
}

const types = (at: ReturnType<typeof site>) =>
  at.elb
    .inventory()
    .map(({ type }) => type)
    .sort();

describe("the API's load balancer", () => {
  test("is internal and spreads over zones before a node exists, and a second run makes nothing", async () => {
    const { at, network } = await networked();
    const api = await at.run<{ endpoint: string }>(createApiEndpoint, { network });
    assert.match(api.endpoint, /^orchid-g1-api-?[a-z0-9.-]+:6443$/);
    const before = at.elb.inventory();
    assert.ok(before.length >= 2);
    assert.deepEqual(await at.run(createApiEndpoint, { network }), api);
    assert.deepEqual(at.elb.inventory(), before);
  });

  test("takes fewer characters in its tags than EC2", async () => {
    const { at } = await networked();
    const group = { Name: "one", Protocol: "TCP", Port: 6443, VpcId: at.ec2.state.vpcs.all()[0]?.id, TargetType: "ip" };
    const create = (Value: string) =>
      at.clock.run(at.door.send("elb", "CreateTargetGroup", { ...group, Tags: [{ Key: "team", Value }] }, { kind: "harness" }));
    await assert.rejects(create("R&D"), { name: "ValidationError" });
    await create("R+D für 2026");
  });

  for (const operation of [
    "CreateLoadBalancer",
    "CreateTargetGroup",
    "CreateListener",
    "RegisterTargets",
    "ModifyTargetGroupAttributes",
  ]) {
    test(`a lost answer of ${operation} leaves each part once`, async () => {
      const clean = await networked();
      await clean.at.run(createApiEndpoint, { network: clean.network });
      for (const code of ["InternalError", "ECONNRESET"]) {
        const { at, network } = await networked({ faults: [{ operation, code, after: true }] });
        await retried(at, createApiEndpoint, { network });
        assert.deepEqual(types(at), types(clean.at));
      }
    });
  }

  test("is waited for until it is active", async () => {
    const { at, network } = await networked();
    const look = () => at.runBare(waitForApiEndpoint, { lock: at.lock });
    await assert.rejects(look(), { name: "NotReadyError", message: /not visible yet/ });
    await at.run(createApiEndpoint, { network });
    await assert.rejects(look(), { name: "NotReadyError", message: /provisioning/ });
    await at.wait(1200);
    assert.deepEqual(await look(), {});
  });
});
