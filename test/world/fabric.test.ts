import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import * as sdk from "@aws-sdk/client-ec2";
import * as elbSdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { Chance } from "../../rehearsal/world/chance.ts";
import { SimClock } from "../../rehearsal/world/clock.ts";
import { Door } from "../../rehearsal/world/door.ts";
import { Ec2 } from "../../rehearsal/world/ec2/ec2.ts";
import { Elbv2 } from "../../rehearsal/world/elbv2.ts";
import { VpcFabric } from "../../rehearsal/world/fabric.ts";

const ami = "ami-0123456789abcdef0";
const caller = { kind: "function", step: "test", state: "Test", execution: "test" } as const;
const fails = (call: Promise<unknown>, name: string) => assert.rejects(call, (error: Error) => error.name === name);

function world() {
  const clock = new SimClock("2026-11-24T00:00:00Z");
  const universe = { clock, chance: new Chance(1), region: "us-west-2", account: "111122223333" };
  const ec2 = new Ec2(universe);
  const elb = new Elbv2(universe, ec2);
  ec2.seedImage({ id: ami, name: "node", architecture: "x86_64", tags: {} });
  const open = new Set<string>();
  /** Of those that listen, whose `/readyz` says well. */
  const well = new Set<string>();
  const fabric = new VpcFabric(ec2, elb, {
    listens: (id, port) => open.has(`${id}:${port}`),
    isWell: (id, port, path) => path === "/readyz" && well.has(`${id}:${port}`),
  });
  const door = new Door(clock, universe.chance, [ec2, elb], []);
  const options = { region: "us-west-2", credentials: { accessKeyId: "x", secretAccessKey: "x" } };
  const client = door.bind(new sdk.EC2Client(options), "ec2", caller);
  const balancing = door.bind(new elbSdk.ElasticLoadBalancingV2Client(options), "elb", caller);
  return { clock, ec2, fabric, open, well, client, balancing };
}
type World = ReturnType<typeof world>;

/** Two zones, a node in each; one group that lets its members and the whole VPC in. */
async function network({ client, clock }: World) {
  const VpcId = (await client.send(new sdk.CreateVpcCommand({ CidrBlock: "10.40.0.0/16" }))).Vpc?.VpcId ?? "";
  await client.send(new sdk.ModifyVpcAttributeCommand({ VpcId, EnableDnsHostnames: { Value: true } }));
  const made = await client.send(new sdk.CreateSecurityGroupCommand({ VpcId, GroupName: "nodes", Description: "nodes" }));
  const GroupId = made.GroupId ?? "";
  const subnets: string[] = [];
  const nodes: string[] = [];
  for (const [index, letter] of ["a", "b"].entries()) {
    const place = { VpcId, CidrBlock: `10.40.${16 * index}.0/20`, AvailabilityZone: `us-west-2${letter}` };
    const { Subnet } = await client.send(new sdk.CreateSubnetCommand(place));
    subnets.push(Subnet?.SubnetId ?? "");
    const one = { ImageId: ami, InstanceType: "m7i.large" as const, MinCount: 1, MaxCount: 1 };
    const address = `10.40.${16 * index}.10`;
    const launch = { ...one, SubnetId: subnets[index], SecurityGroupIds: [GroupId], PrivateIpAddress: address };
    const { Instances } = await client.send(new sdk.RunInstancesCommand(launch));
    nodes.push(Instances?.[0]?.InstanceId ?? "");
  }
  await clock.sleep(120);
  const [a = "", b = ""] = nodes;
  return { VpcId, GroupId, subnets, a, b };
}
const allow = ({ client }: World, GroupId: string, IpProtocol: string, port: number) =>
  client.send(
    new sdk.AuthorizeSecurityGroupIngressCommand({
      GroupId,
      IpPermissions: [{ IpProtocol, FromPort: port, ToPort: port, UserIdGroupPairs: [{ GroupId }] }],
    }),
  );
const inWorld = (claim: string, body: (world: World) => Promise<void>) =>
  test(claim, async () => {
    const here = world();
    await here.clock.run(body(here));
  });

describe("the fabric", () => {
  inWorld("a connection needs a rule to enter by, and somebody who listens", async (here) => {
    const { GroupId, a, b } = await network(here);
    assert.equal(here.fabric.connect(a, "10.40.16.10", 6443), "timeout");
    await allow(here, GroupId, "tcp", 6443);
    assert.equal(here.fabric.connect(a, "10.40.16.10", 6443), "refused");
    here.open.add(`${b}:6443`);
    assert.equal(here.fabric.connect(a, "10.40.16.10", 6443), "open");
    assert.equal(here.fabric.connect(a, "203.0.113.7", 443), "timeout", "there is no way to the Internet");
  });

  inWorld("a private name needs its endpoint, and its endpoint's group", async (here) => {
    const { VpcId, GroupId, subnets, a } = await network(here);
    const name = "ssm.us-west-2.amazonaws.com";
    assert.match(here.fabric.resolve(a, name).join(), /^203\.0\.113\./);
    const ServiceName = "com.amazonaws.us-west-2.ssm";
    const endpoint = { VpcId, ServiceName, VpcEndpointType: "Interface" as const, PrivateDnsEnabled: true };
    const made = await here.client.send(
      new sdk.CreateVpcEndpointCommand({ ...endpoint, SubnetIds: subnets, SecurityGroupIds: [GroupId] }),
    );
    await here.clock.sleep(1200);
    assert.equal(here.fabric.resolve(a, name).length, 2);
    assert.equal(here.fabric.endpointFor(a, "ssm"), null, "the group lets nobody in");
    await allow(here, GroupId, "tcp", 443);
    assert.equal(here.fabric.endpointFor(a, "ssm")?.endpointId, made.VpcEndpoint?.VpcEndpointId);
    await here.client.send(new sdk.ModifyVpcAttributeCommand({ VpcId, EnableDnsHostnames: { Value: false } }));
    assert.match(here.fabric.resolve(a, name).join(), /^203\.0\.113\./, "without DNS hostnames the public answer is back");
  });

  inWorld("S3 is reached only where the route table has its gateway", async (here) => {
    const { VpcId, a } = await network(here);
    assert.equal(here.fabric.endpointFor(a, "s3"), null);
    const Filters = [{ Name: "vpc-id", Values: [VpcId] }];
    const { RouteTables } = await here.client.send(new sdk.DescribeRouteTablesCommand({ Filters }));
    const RouteTableIds = [RouteTables?.[0]?.RouteTableId ?? ""];
    const ServiceName = "com.amazonaws.us-west-2.s3";
    const made = await here.client.send(new sdk.CreateVpcEndpointCommand({ VpcId, ServiceName, RouteTableIds }));
    await here.clock.sleep(60);
    assert.equal(here.fabric.endpointFor(a, "s3")?.endpointId, made.VpcEndpoint?.VpcEndpointId);
  });

  inWorld("pods meet across nodes by UDP 4789, or unwrapped where nobody checks", async (here) => {
    const { GroupId, a, b } = await network(here);
    const vxlan = { encapsulation: "vxlan-always" } as const;
    assert.equal(here.fabric.podReachable(a, b, vxlan), false);
    await allow(here, GroupId, "udp", 4789);
    assert.equal(here.fabric.podReachable(a, b, vxlan), true);
  });
});

describe("a network load balancer", () => {
  async function balanced(here: World, check: Partial<elbSdk.CreateTargetGroupCommandInput> = {}) {
    const place = await network(here);
    await allow(here, place.GroupId, "tcp", 6443);
    const { balancing } = here;
    const front = { Name: "api", Type: "network" as const, Scheme: "internal" as const, Subnets: place.subnets };
    const create = new elbSdk.CreateLoadBalancerCommand({ ...front, SecurityGroups: [place.GroupId] });
    const { LoadBalancers } = await balancing.send(create);
    const LoadBalancerArn = LoadBalancers?.[0]?.LoadBalancerArn ?? "";
    const group = { Name: "api", Protocol: "TCP" as const, Port: 6443, VpcId: place.VpcId, TargetType: "ip" as const };
    const { TargetGroups } = await balancing.send(new elbSdk.CreateTargetGroupCommand({ ...group, ...check }));
    const TargetGroupArn = TargetGroups?.[0]?.TargetGroupArn ?? "";
    await balancing.send(new elbSdk.RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: "10.40.0.10" }] }));
    const DefaultActions = [{ Type: "forward" as const, TargetGroupArn }];
    await balancing.send(new elbSdk.CreateListenerCommand({ LoadBalancerArn, Port: 6443, Protocol: "TCP", DefaultActions }));
    await here.clock.sleep(900);
    const name = LoadBalancers?.[0]?.DNSName ?? "";
    const try_ = (node: string) => here.fabric.resolve(node, name).map((address) => here.fabric.connect(node, address, 6443));
    const health = async () => {
      const { TargetHealthDescriptions } = await balancing.send(new elbSdk.DescribeTargetHealthCommand({ TargetGroupArn }));
      return TargetHealthDescriptions?.[0]?.TargetHealth?.State;
    };
    return { ...place, LoadBalancerArn, TargetGroupArn, reach: try_, health };
  }

  inWorld("without cross-zone balancing one zone's address is dead, with it none is", async (here) => {
    const { b, a, reach, LoadBalancerArn } = await balanced(here);
    assert.deepEqual(reach(b), ["refused", "timeout"], "it fails open while nobody listens");
    here.open.add(`${a}:6443`);
    assert.deepEqual(reach(b), ["open", "timeout"]);
    await here.clock.sleep(180);
    assert.deepEqual(reach(b), ["open"], "DNS leaves out the zone without a healthy target");
    const Attributes = [{ Key: "load_balancing.cross_zone.enabled", Value: "true" }];
    await here.balancing.send(new elbSdk.ModifyLoadBalancerAttributesCommand({ LoadBalancerArn, Attributes }));
    assert.deepEqual(reach(b), ["open", "open"]);
  });

  inWorld("with client addresses preserved a target does not reach itself", async (here) => {
    const { a, reach, TargetGroupArn } = await balanced(here);
    here.open.add(`${a}:6443`);
    assert.equal(reach(a)[0], "open");
    const Attributes = [{ Key: "preserve_client_ip.enabled", Value: "true" }];
    await here.balancing.send(new elbSdk.ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes }));
    assert.equal(reach(a)[0], "timeout");
  });

  inWorld("a target is healthy after its checks, and a group in use cannot go", async (here) => {
    const { a, TargetGroupArn, LoadBalancerArn, health } = await balanced(here);
    assert.equal(await health(), "unhealthy");
    here.open.add(`${a}:6443`);
    await here.clock.sleep(31);
    assert.equal(await health(), "unhealthy");
    await here.clock.sleep(150);
    assert.equal(await health(), "healthy");
    const drop = new elbSdk.DeleteTargetGroupCommand({ TargetGroupArn });
    await fails(here.balancing.send(drop), "ResourceInUseException");
    await here.balancing.send(new elbSdk.DeleteLoadBalancerCommand({ LoadBalancerArn }));
    await here.balancing.send(drop);
    const gone = new elbSdk.DescribeLoadBalancersCommand({ Names: ["api"] });
    await fails(here.balancing.send(gone), "LoadBalancerNotFoundException");
  });

  inWorld("a target that is asked for its health is not healthy for listening alone", async (here) => {
    const { a, health } = await balanced(here, { HealthCheckProtocol: "HTTPS", HealthCheckPath: "/readyz" });
    here.open.add(`${a}:6443`);
    await here.clock.sleep(600);
    assert.equal(await health(), "unhealthy");
    here.well.add(`${a}:6443`);
    await here.clock.sleep(180);
    assert.equal(await health(), "healthy");
  });
});
