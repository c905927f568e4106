import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import type { Network } from "../../functions/domain/network.ts";
import { createEndpoints } from "../../functions/steps/create-endpoints.ts";
import { createNetwork } from "../../functions/steps/create-network.ts";
import { waitForDns } from "../../functions/steps/wait-for-dns.ts";
import { retried, site } from "./site.ts";

/** A site whose network stands, as the states after it find it. */
async function networked(options: Parameters<typeof site>[0] = {}) {
  const at = site(options);
  return { at, network: await retried<Network>(at, createNetwork) };
}

const look = (at: ReturnType<typeof site>) => at.runBare(waitForDns, { lock: at.lock, plan: at.plan });

describe("the endpoints", () => {
  test("are the planned ones and S3's gateway, each once, in every zone, with private DNS", async () => {
    const { at, network } = await networked();
    assert.deepEqual(await at.run(createEndpoints, { network }), { count: 5 });
    const all = at.ec2.state.endpoints.all();
    assert.deepEqual(
      all
        .map(({ service, kind, hasPrivateDns, subnetIds }) => [service.split(".").at(-1), kind, hasPrivateDns, subnetIds.length])
        .sort(),
      [
        ["ec2", "Interface", true, 2],
        ["elasticloadbalancing", "Interface", true, 2],
        ["s3", "Gateway", false, 0],
        ["ssm", "Interface", true, 2],
        ["ssmmessages", "Interface", true, 2],
      ],
    );
    assert.deepEqual(at.ec2.foreignTouched(), []);
  });

  test("a second run, minutes later, makes none", async () => {
    const { at, network } = await networked();
    await at.run(createEndpoints, { network });
    await at.wait(400);
    const before = at.ec2.inventory();
    await at.run(createEndpoints, { network });
    assert.deepEqual(at.ec2.inventory(), before);
  });

  for (const nth of [1, 3, 5]) {
    for (const code of ["InternalError", "ECONNRESET"]) {
      test(`${code} after the effect of call ${nth} leaves each endpoint once`, async () => {
        const { at, network } = await networked({ faults: [{ operation: "CreateVpcEndpoint", code, nth, after: true }] });
        await retried(at, createEndpoints, { network });
        assert.equal(at.owned()["vpc-endpoint"] ?? at.owned()["endpoint"], 5);
      });
    }
  }

  test("are waited for by name until all answer", async () => {
    const { at, network } = await networked();
    await assert.rejects(look(at), { name: "NotReadyError", message: /^0 of 5 endpoints answer; waiting for ec2, .*, s3$/ });
    await at.run(createEndpoints, { network });
    await assert.rejects(look(at), { name: "NotReadyError", message: /waiting for .*ssm/ });
    await at.wait(600);
    assert.deepEqual(await look(at), {});
  });

  test("one that AWS failed to make is an error at the first look, with its service", async () => {
    const { at, network } = await networked();
    at.ec2.state.failingEndpoints.add("ssm");
    await at.run(createEndpoints, { network });
    await at.wait(600);
    await assert.rejects(look(at), { name: "DefectError", message: /endpoint of ssm/ });
  });

  test("one that AWS failed to make is made again by the next run", async () => {
    const { at, network } = await networked();
    at.ec2.state.failingEndpoints.add("ssm");
    await at.run(createEndpoints, { network });
    await at.wait(600);
    await retried(at, createEndpoints, { network }, 10);
    await at.wait(600);
    assert.deepEqual(await look(at), {});
  });
});
