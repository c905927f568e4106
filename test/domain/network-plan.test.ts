import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import fc from "fast-check";
import { overlap, parseBlock, usableAddresses } from "../../functions/domain/cidr.ts";
import { ClusterRequest } from "../../functions/domain/cluster-request.ts";
import { addressProblems, planControlPlanes, planZones, privateDnsName } from "../../functions/domain/network-plan.ts";

const seed = 20261124;
const zoneNames = ["us-west-2a", "us-west-2b", "us-west-2c"];
const request = (network: object, counts: { controlPlanes?: number; workers?: number } = {}) =>
  ClusterRequest.parse({
    name: "orchid",
    network,
    controlPlane: { count: counts.controlPlanes ?? 1 },
    workers: { count: counts.workers ?? 2 },
  });
const problemsOf = (network: object, workers?: number) =>
  addressProblems(request(network, workers === undefined ? {} : { workers }));

describe("the request's addresses", () => {
  test("the defaults have no problem", () => assert.deepEqual(problemsOf({}), []));

  test("a VPC inside the default service network is refused, and its real end is named", () => {
    const [problem] = problemsOf({ vpcCidr: "10.111.0.0/16" });
    assert.equal(problem?.path, "network.serviceCidr");
    assert.match(problem?.problem ?? "", /10\.111\.255\.255/);
  });

  test("10.112.0.0/16 lies just beyond the default service network", () =>
    assert.deepEqual(problemsOf({ vpcCidr: "10.112.0.0/16" }), []));

  test("overlaps of all three networks are reported together", () => {
    const paths = problemsOf({ vpcCidr: "10.0.0.0/16", podCidr: "10.0.0.0/16", serviceCidr: "10.0.0.0/16" }).map(
      ({ path }) => path,
    );
    assert.deepEqual(paths, ["network.podCidr", "network.serviceCidr", "network.serviceCidr"]);
  });

  test("a CIDR with bits below its prefix is refused", () =>
    assert.match(problemsOf({ vpcCidr: "10.40.0.1/16" })[0]?.problem ?? "", /below its prefix/));

  test("a VPC wider than /16 is refused", () =>
    assert.match(problemsOf({ vpcCidr: "10.40.0.0/15" })[0]?.problem ?? "", /\/16 to \/28/));

  test("a VPC too small for its nodes is refused", () => {
    assert.match(problemsOf({ vpcCidr: "10.40.0.0/26" })[0]?.problem ?? "", /too small/);
    assert.match(problemsOf({ vpcCidr: "10.40.0.0/23" }, 1000)[0]?.problem ?? "", /too small/);
  });
});

describe("the network plan", () => {
  test("any accepted request gets subnets that lie in the VPC, never overlap, and hold its nodes", () => {
    const anyRequest = fc.record({
      prefix: fc.integer({ min: 16, max: 28 }),
      zones: fc.integer({ min: 1, max: 3 }),
      publicSubnets: fc.boolean(),
      controlPlanes: fc.constantFrom(1, 3, 5),
      workers: fc.integer({ min: 1, max: 1000 }),
    });
    let planned = 0;
    fc.assert(
      fc.property(anyRequest, ({ prefix, zones, publicSubnets, controlPlanes, workers }) => {
        const vpcCidr = `10.40.0.0/${prefix}`;
        const asked = request({ vpcCidr, zones, publicSubnets }, { controlPlanes, workers });
        if (addressProblems(asked).length > 0) return;
        planned++;
        const plan = planZones(asked, zoneNames.slice(0, zones));
        const blocks = plan
          .flatMap(({ privateCidr, publicCidr }) => (publicCidr === null ? [privateCidr] : [privateCidr, publicCidr]))
          .map(parseBlock);
        assert.equal(blocks.length, zones * (publicSubnets ? 2 : 1));
        for (const [index, block] of blocks.entries()) {
          assert.ok(overlap(block, parseBlock(vpcCidr)));
          assert.ok(block.prefix >= prefix && block.prefix <= 28);
          assert.ok(!blocks.slice(index + 1).some((other) => overlap(block, other)));
        }
        assert.equal(
          plan.reduce((sum, zone) => sum + zone.workers, 0),
          workers,
        );
        for (const zone of plan) assert.ok(usableAddresses(parseBlock(zone.privateCidr)) > zone.workers);
        const addresses = planControlPlanes(asked, plan, "us-west-2").map(({ address }) => address);
        assert.equal(new Set(addresses).size, controlPlanes);
      }),
      { seed },
    );
    assert.ok(planned > 20, `only ${planned} of the drawn requests were planned (seed ${seed})`);
  });

  test("three control planes stand in three zones", () => {
    const asked = request({ zones: 3 }, { controlPlanes: 3 });
    const planes = planControlPlanes(asked, planZones(asked, zoneNames), "us-west-2");
    assert.deepEqual(
      planes.map(({ zone }) => zone),
      zoneNames,
    );
  });

  test("us-east-1 names its nodes ec2.internal", () => {
    assert.equal(privateDnsName("10.40.0.10", "us-east-1"), "ip-10-40-0-10.ec2.internal");
    assert.equal(privateDnsName("10.40.0.10", "us-west-2"), "ip-10-40-0-10.us-west-2.compute.internal");
  });
});
