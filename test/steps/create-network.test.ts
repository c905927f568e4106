import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import type { Network } from "../../functions/domain/network.ts";
import { createNetwork } from "../../functions/steps/create-network.ts";
import { execution, retried, site } from "./site.ts";

const single = { vpc: 1, subnet: 2, "route-table": 1, "security-group": 4 };
const mutations = [
  "CreateVpc",
  "ModifyVpcAttribute",
  "CreateSubnet",
  "CreateSubnetCidrReservation",
  "CreateRouteTable",
  "AssociateRouteTable",
  "CreateSecurityGroup",
  "AuthorizeSecurityGroupIngress",
  "AuthorizeSecurityGroupEgress",
  "RevokeSecurityGroupEgress",
  "PutObject",
];

describe("create-network", () => {
  test("makes exactly the plan, tagged at birth, and touches nothing of others", async () => {
    const at = site();
    const network = await at.run<Network>(createNetwork);
    assert.deepEqual(at.owned(), single);
    assert.deepEqual(
      network.privateSubnets.map(({ zone }) => zone),
      ["us-west-2a", "us-west-2b"],
    );
    assert.equal(network.securityGroups.api, null);
    for (const { type, id, tags } of at.ec2.inventory().filter((item) => item.tags["cloister:cluster"] === "orchid"))
      assert.deepEqual([tags["cloister:generation"], tags["cloister:execution"]], ["1", execution], `${type} ${id}`);
    assert.deepEqual(at.ec2.foreignTouched(), []);
    assert.deepEqual(at.ec2.breaches(), []);
  });

  test("a reservation that AWS refuses counts as made only where it is there", async () => {
    const lost = site({ faults: [{ operation: "CreateSubnetCidrReservation", code: "InternalError", after: true }] });
    await lost.run(createNetwork);
    const ranges = lost.ec2.state.subnets.all().flatMap(({ reservations }) => reservations.map(({ cidr }) => cidr));
    assert.equal(new Set(ranges).size, ranges.length);
    assert.ok(ranges.length > 0);
    const refused = site({ faults: [{ operation: "CreateSubnetCidrReservation", code: "InvalidParameterValue" }] });
    await assert.rejects(refused.run(createNetwork), { name: "DefectError" });
  });

  test("a load balancer for the API and public subnets bring their own parts", async () => {
    const at = site({ controlPlanes: 3, zones: 3, publicSubnets: true });
    const network = await at.run<Network>(createNetwork);
    assert.deepEqual(at.owned(), { vpc: 1, subnet: 6, "route-table": 2, "internet-gateway": 1, "security-group": 5 });
    assert.notEqual(network.securityGroups.api, null);
    const privateTable = at.ec2.state.routeTables.get(network.privateRouteTableId);
    assert.deepEqual(
      privateTable.routes.map(({ target }) => target),
      ["local"],
    );
  });

  test("a second run finds all of it and changes nothing", async () => {
    const at = site({ controlPlanes: 3, publicSubnets: true });
    const first = await at.run<Network>(createNetwork);
    const before = at.ec2.inventory();
    assert.deepEqual(await at.run<Network>(createNetwork), first);
    assert.deepEqual(at.ec2.inventory(), before);
  });

  test("both DNS attributes are on, and no group lets everything out", async () => {
    const at = site();
    const { vpcId, securityGroups } = await at.run<Network>(createNetwork);
    const vpc = at.ec2.state.vpcs.get(vpcId);
    assert.deepEqual([vpc.dnsSupport, vpc.dnsHostnames], [true, true]);
    const ours = Object.values(securityGroups);
    const peers = at.ec2.state.rules.all().filter(({ groupId, isEgress }) => isEgress && ours.includes(groupId as never));
    assert.ok(peers.length >= 4);
    assert.ok(peers.every(({ peer }) => peer !== "0.0.0.0/0"));
  });

  test("only the rule-less group has the cloud provider's tag", async () => {
    const at = site();
    const { securityGroups } = await at.run<Network>(createNetwork);
    const tagged = at.ec2
      .inventory()
      .filter(({ type, tags }) => type === "security-group" && tags["kubernetes.io/cluster/orchid-g1"] === "owned");
    assert.deepEqual(
      tagged.map(({ id }) => id),
      [securityGroups.loadBalancer],
    );
    assert.deepEqual(
      at.ec2.state.rules.all().filter(({ groupId }) => groupId === securityGroups.loadBalancer),
      [],
    );
  });

  test("sets the control planes' addresses aside, once, in the zones that have some", async () => {
    const at = site({ zones: 3 });
    for (const _ of [1, 2]) await at.run<Network>(createNetwork);
    const set = at.ec2.state.subnets.all().flatMap(({ zone, reservations }) => reservations.map(({ cidr }) => [zone, cidr]));
    assert.deepEqual(set, [["us-west-2a", "10.40.0.8/29"]]);
  });

  for (const operation of mutations) {
    for (const after of [false, true]) {
      for (const code of ["InternalError", "ECONNRESET"]) {
        test(`${code} ${after ? "after" : "before"} ${operation} ends in the same network, each part once`, async () => {
          const at = site({ faults: [{ operation, code, nth: 1, after }] });
          await retried(at, createNetwork);
          assert.deepEqual(at.owned(), single);
          const [clean, group] = [site(), Object.keys(single)];
          await clean.run(createNetwork);
          assert.equal(at.ec2.state.rules.all().length, clean.ec2.state.rules.all().length, `rules differ, of ${group.join()}`);
        });
      }
    }
  }

  test("reads that lag three seconds cost attempts, and make nothing twice", async () => {
    const at = site({ lagSeconds: 3 });
    await retried(at, createNetwork, {}, 12);
    assert.deepEqual(at.owned(), single);
  });

  test("a fifth VPC too many is a QuotaError", async () => {
    const at = site();
    at.ec2.state.quotas.vpcs = 1;
    await assert.rejects(at.run(createNetwork), { name: "QuotaError" });
  });

  test("an execution that lost the lock makes nothing", async () => {
    const at = site();
    await assert.rejects(at.run(createNetwork, { lock: { ...at.lock, number: at.lock.number + 1 } }), { name: "LockLostError" });
    assert.deepEqual(at.owned(), {});
  });
});
