import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import type { Aws } from "../../functions/aws/aws.ts";
import { ec2Inspection } from "../../functions/aws/ec2-inspection.ts";
import type { AccountView } from "../../functions/domain/account-view.ts";
import { certify } from "../../functions/domain/certificate.ts";
import type { Network } from "../../functions/domain/network.ts";
import { createEndpoints } from "../../functions/steps/create-endpoints.ts";
import { createNetwork } from "../../functions/steps/create-network.ts";
import { launchNodes } from "../../functions/steps/launch-nodes.ts";
import { site } from "./site.ts";

/** A built network with nodes; `failed` inspects it and names the checks that do not hold, the nodes' own probes taken as good. */
async function built(options: Parameters<typeof site>[0] = {}) {
  const at = site(options);
  const network = await at.run<Network>(createNetwork);
  await at.run(createEndpoints, { network });
  await at.run(launchNodes, { network });
  await at.wait(900);
  const inspect = { execute: (_: unknown, aws: Aws) => ec2Inspection(aws).view(network.vpcId, "com.amazonaws.us-west-2.s3") };
  const view = () => at.run<AccountView>(inspect);
  const failed = async (): Promise<string[]> => {
    const seen = await view();
    const probes = seen.instances.map(({ instanceId }) => ({
      instanceId,
      egressBlocked: true,
      namesAnswer: true,
      metadataTokenRequired: true,
      concessions: [],
    }));
    const { checks } = certify({ ...at, view: seen, probes, parameters: [], issuedAt: new Date(at.clock.now()) });
    return checks.filter(({ passed }) => !passed).map(({ name }) => name);
  };
  return { at, network, view, failed };
}

describe("the account's own view", () => {
  test("of what the steps built has nothing that the certificate could object to", async () => {
    assert.deepEqual(await (await built()).failed(), []);
    assert.deepEqual(await (await built({ publicSubnets: true, zones: 3 })).failed(), []);
  });

  test("shows a NAT route that somebody added", async () => {
    const { at, network, failed } = await built();
    at.ec2.seedRoute(network.privateRouteTableId, "0.0.0.0/0", "nat-0123456789abcdef0");
    assert.deepEqual(await failed(), ["routes-stay-inside"]);
  });

  test("shows a subnet that begins to give public addresses", async () => {
    const { at, failed } = await built();
    for (const subnet of at.ec2.state.subnets.all()) subnet.mapsPublicAddresses = true;
    assert.deepEqual(await failed(), ["no-public-addresses"]);
  });

  test("shows a node's group that lets the world in, by its ports", async () => {
    const { at, network, failed, view } = await built();
    const GroupId = network.securityGroups.worker;
    const IpPermissions = [{ IpProtocol: "tcp", FromPort: 30000, ToPort: 32767, IpRanges: [{ CidrIp: "0.0.0.0/0" }] }];
    const change = { GroupId, IpPermissions };
    await at.clock.run(at.door.send("ec2", "AuthorizeSecurityGroupIngress", change, { kind: "harness" }));
    assert.deepEqual(await failed(), ["security-groups-let-nobody-in"]);
    const seen = (await view()).groups.find(({ groupId }) => groupId === GroupId)?.ingress.at(-1);
    assert.deepEqual(seen, { traffic: "tcp 30000-32767", peer: "0.0.0.0/0" });
  });

  test("shows an endpoint that is going", async () => {
    const { at, failed } = await built();
    const [endpoint] = at.ec2.state.endpoints.all();
    assert.ok(endpoint);
    endpoint.state = "deleting";
    assert.deepEqual(await failed(), ["endpoints-in-place"]);
  });
});
