import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import * as sdk from "@aws-sdk/client-ec2";
import { Chance } from "../../rehearsal/world/chance.ts";
import { SimClock } from "../../rehearsal/world/clock.ts";
import { Door } from "../../rehearsal/world/door.ts";
import { Ec2 } from "../../rehearsal/world/ec2/ec2.ts";
import type { Ec2Options } from "../../rehearsal/world/ec2/state.ts";

const ami = "ami-0123456789abcdef0";
const caller = { kind: "function", step: "test", state: "Test", execution: "test" } as const;

function world(options: Ec2Options = {}) {
  const clock = new SimClock("2026-11-24T00:00:00Z");
  const chance = new Chance(1);
  const ec2 = new Ec2({ clock, chance, region: "us-west-2", account: "111122223333" }, options);
  ec2.seedImage({ id: ami, name: "node", architecture: "x86_64", tags: { "cloister:kubernetes": "1.36.3" } });
  ec2.seedProfile("worker", "worker-role");
  const door = new Door(clock, chance, [ec2], []);
  const real = new sdk.EC2Client({ region: "us-west-2", credentials: { accessKeyId: "x", secretAccessKey: "x" } });
  return { clock, ec2, client: door.bind(real, "ec2", caller) };
}
type World = ReturnType<typeof world>;

const inWorld = (claim: string, body: (world: World) => Promise<void>, options: Ec2Options = {}) =>
  test(claim, async () => {
    const here = world(options);
    await here.clock.run(body(here));
  });

const tagged = (type: sdk.ResourceType, cluster = "orchid") => [
  { ResourceType: type, Tags: [{ Key: "cloister:cluster", Value: cluster }] },
];

async function network({ client }: World) {
  const vpc = await client.send(new sdk.CreateVpcCommand({ CidrBlock: "10.40.0.0/16", TagSpecifications: tagged("vpc") }));
  const VpcId = vpc.Vpc?.VpcId ?? "";
  const subnet = await client.send(
    new sdk.CreateSubnetCommand({ VpcId, CidrBlock: "10.40.0.0/20", AvailabilityZone: "us-west-2a" }),
  );
  const SubnetId = subnet.Subnet?.SubnetId ?? "";
  const table = await client.send(new sdk.CreateRouteTableCommand({ VpcId, ClientToken: "table" }));
  const RouteTableId = table.RouteTable?.RouteTableId ?? "";
  await client.send(new sdk.AssociateRouteTableCommand({ RouteTableId, SubnetId }));
  const group = await client.send(new sdk.CreateSecurityGroupCommand({ VpcId, GroupName: "g", Description: "d" }));
  return { VpcId, SubnetId, RouteTableId, GroupId: group.GroupId ?? "" };
}

const launch = (SubnetId: string, more: Partial<sdk.RunInstancesCommandInput> = {}) =>
  new sdk.RunInstancesCommand({ ImageId: ami, InstanceType: "m7i.large", MinCount: 1, MaxCount: 1, SubnetId, ...more });
const fails = (call: Promise<unknown>, name: string) => assert.rejects(call, (error: Error) => error.name === name);

describe("EC2's network", () => {
  inWorld("a reserved address is given to nobody who does not ask for it, and keeps its subnet", async (here) => {
    const { VpcId } = await network(here);
    const { Subnet } = await here.client.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock: "10.40.240.0/28" }));
    const SubnetId = Subnet?.SubnetId ?? "";
    const Cidr = "10.40.240.8/29";
    const { SubnetCidrReservation } = await here.client.send(
      new sdk.CreateSubnetCidrReservationCommand({ SubnetId, Cidr, ReservationType: "explicit" }),
    );
    const { Instances = [] } = await here.client.send(launch(SubnetId, { MinCount: 4, MaxCount: 4 }));
    const given = Instances.map(({ PrivateIpAddress = "" }) => PrivateIpAddress).sort();
    assert.deepEqual(
      given,
      [4, 5, 6, 7].map((last) => `10.40.240.${last}`),
    );
    await fails(here.client.send(launch(SubnetId)), "InsufficientFreeAddressesInSubnet");
    await here.client.send(launch(SubnetId, { PrivateIpAddress: "10.40.240.10" }));
    const empty = await here.client.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock: "10.40.241.0/28" }));
    const other = { SubnetId: empty.Subnet?.SubnetId ?? "" };
    const made = await here.client.send(
      new sdk.CreateSubnetCidrReservationCommand({ ...other, Cidr: "10.40.241.8/29", ReservationType: "explicit" }),
    );
    assert.notEqual(made.SubnetCidrReservation?.SubnetCidrReservationId, SubnetCidrReservation?.SubnetCidrReservationId);
    await fails(here.client.send(new sdk.DeleteSubnetCommand(other)), "DependencyViolation");
    const SubnetCidrReservationId = made.SubnetCidrReservation?.SubnetCidrReservationId;
    await here.client.send(new sdk.DeleteSubnetCidrReservationCommand({ SubnetCidrReservationId }));
    await here.client.send(new sdk.DeleteSubnetCommand(other));
  });

  inWorld("what was tagged at birth is found by its tag, and by no other", async (here) => {
    const { VpcId } = await network(here);
    const find = (value: string) =>
      here.client.send(new sdk.DescribeVpcsCommand({ Filters: [{ Name: "tag:cloister:cluster", Values: [value] }] }));
    assert.deepEqual(
      (await find("orchid")).Vpcs?.map((vpc) => vpc.VpcId),
      [VpcId],
    );
    assert.deepEqual((await find("other")).Vpcs, []);
    assert.match(VpcId, /^vpc-[0-9a-f]{17}$/);
  });

  inWorld("a filter or a field that the world does not know is a gap, not an empty answer", async ({ client }) => {
    await fails(client.send(new sdk.DescribeVpcsCommand({ Filters: [{ Name: "color", Values: ["x"] }] })), "SimulationGap");
    await fails(client.send(new sdk.CreateVpcCommand({ CidrBlock: "10.0.0.0/16", Ipv6Pool: "x" })), "SimulationGap");
  });

  inWorld("the VPC refuses what AWS refuses", async (here) => {
    const { client } = here;
    const { VpcId, SubnetId, RouteTableId } = await network(here);
    const subnet = (CidrBlock: string) => client.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock }));
    await fails(subnet("10.40.8.0/24"), "InvalidSubnet.Conflict");
    await fails(subnet("10.41.0.0/24"), "InvalidSubnet.Range");
    await fails(client.send(new sdk.DeleteVpcCommand({ VpcId })), "DependencyViolation");
    await fails(client.send(new sdk.DeleteRouteTableCommand({ RouteTableId })), "DependencyViolation");
    await fails(
      client.send(new sdk.CreateSecurityGroupCommand({ VpcId, GroupName: "g", Description: "d" })),
      "InvalidGroup.Duplicate",
    );
    await fails(client.send(new sdk.DeleteSubnetCommand({ SubnetId: "subnet-00000000000000000" })), "InvalidSubnetID.NotFound");
    const other = await client.send(new sdk.CreateRouteTableCommand({ VpcId }));
    const again = new sdk.AssociateRouteTableCommand({ SubnetId, RouteTableId: other.RouteTable?.RouteTableId });
    await fails(client.send(again), "Resource.AlreadyAssociated");
    for (let n = 0; n < 4; n++) await client.send(new sdk.CreateVpcCommand({ CidrBlock: `10.${n}.0.0/16` }));
    await fails(client.send(new sdk.CreateVpcCommand({ CidrBlock: "10.9.0.0/16" })), "VpcLimitExceeded");
  });

  inWorld("a token answers the same call with the same table and refuses another call", async (here) => {
    const { VpcId, RouteTableId } = await network(here);
    const same = await here.client.send(new sdk.CreateRouteTableCommand({ VpcId, ClientToken: "table" }));
    assert.equal(same.RouteTable?.RouteTableId, RouteTableId);
    const other = new sdk.CreateRouteTableCommand({ VpcId, ClientToken: "table", TagSpecifications: tagged("route-table") });
    await fails(here.client.send(other), "IdempotentParameterMismatch");
  });

  inWorld("a new group lets everything out, and a rule is there once", async (here) => {
    const { client } = here;
    const { GroupId } = await network(here);
    const out = [{ IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] }];
    const duplicate = new sdk.AuthorizeSecurityGroupEgressCommand({ GroupId, IpPermissions: out });
    await fails(client.send(duplicate), "InvalidPermission.Duplicate");
    const revoke = new sdk.RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: out });
    await client.send(revoke);
    await fails(client.send(revoke), "InvalidPermission.NotFound");
    const { SecurityGroups } = await client.send(new sdk.DescribeSecurityGroupsCommand({ GroupIds: [GroupId] }));
    assert.deepEqual(SecurityGroups?.[0]?.IpPermissionsEgress, []);
  });

  inWorld(
    "pages follow one another to the end",
    async ({ client }) => {
      for (let n = 0; n < 5; n++) await client.send(new sdk.CreateVpcCommand({ CidrBlock: `10.${n}.0.0/16` }));
      const sizes: (number | undefined)[] = [];
      for await (const page of sdk.paginateDescribeVpcs({ client }, {})) sizes.push(page.Vpcs?.length);
      assert.deepEqual(sizes, [2, 2, 1]);
    },
    { pageSize: 2 },
  );

  inWorld(
    "with lagging reads a fresh VPC is not found at first",
    async ({ client, clock }) => {
      const { Vpc } = await client.send(new sdk.CreateVpcCommand({ CidrBlock: "10.40.0.0/16" }));
      const look = () => client.send(new sdk.DescribeVpcsCommand({ VpcIds: [Vpc?.VpcId ?? ""] }));
      await fails(look(), "InvalidVpcID.NotFound");
      await clock.sleep(5);
      assert.equal((await look()).Vpcs?.length, 1);
    },
    { reads: { lagSeconds: 5 } },
  );
});

describe("EC2's endpoints", () => {
  const endpoint = (place: { VpcId: string; SubnetId: string }, more: Partial<sdk.CreateVpcEndpointCommandInput> = {}) =>
    new sdk.CreateVpcEndpointCommand({
      VpcId: place.VpcId,
      ServiceName: "com.amazonaws.us-west-2.ssm",
      VpcEndpointType: "Interface",
      SubnetIds: [place.SubnetId],
      PrivateDnsEnabled: true,
      ...more,
    });

  inWorld("private DNS needs both attributes of the VPC, and one endpoint a name", async (here) => {
    const place = await network(here);
    const hostnames = { VpcId: place.VpcId, EnableDnsHostnames: { Value: true } };
    await fails(here.client.send(endpoint(place)), "InvalidParameter");
    const both = new sdk.ModifyVpcAttributeCommand({ ...hostnames, EnableDnsSupport: { Value: true } });
    await fails(here.client.send(both), "InvalidParameterCombination");
    await here.client.send(new sdk.ModifyVpcAttributeCommand(hostnames));
    const made = await here.client.send(endpoint(place));
    assert.equal(made.VpcEndpoint?.State, "pending");
    await fails(here.client.send(endpoint(place)), "InvalidParameter");
    await here.clock.sleep(600);
    const { VpcEndpoints } = await here.client.send(new sdk.DescribeVpcEndpointsCommand({}));
    assert.equal(VpcEndpoints?.[0]?.State, "available");
    assert.ok(VpcEndpoints?.[0]?.DnsEntries?.some(({ DnsName }) => DnsName === "ssm.us-west-2.amazonaws.com"));
    await fails(here.client.send(new sdk.DeleteSubnetCommand({ SubnetId: place.SubnetId })), "DependencyViolation");
  });

  inWorld("deleting what is not there answers 200 and says so in Unsuccessful", async ({ client }) => {
    const { Unsuccessful } = await client.send(new sdk.DeleteVpcEndpointsCommand({ VpcEndpointIds: ["vpce-00000000000000000"] }));
    assert.equal(Unsuccessful?.[0]?.Error?.Code, "InvalidVpcEndpoint.NotFound");
  });

  inWorld("a gateway endpoint puts its prefix list into the route tables", async (here) => {
    const { VpcId, RouteTableId } = await network(here);
    const ServiceName = "com.amazonaws.us-west-2.s3";
    await here.client.send(new sdk.CreateVpcEndpointCommand({ VpcId, ServiceName, RouteTableIds: [RouteTableId] }));
    await here.clock.sleep(60);
    const { RouteTables } = await here.client.send(new sdk.DescribeRouteTablesCommand({ RouteTableIds: [RouteTableId] }));
    assert.ok(
      RouteTables?.[0]?.Routes?.some(
        ({ DestinationPrefixListId, GatewayId }) => DestinationPrefixListId && GatewayId?.startsWith("vpce-"),
      ),
    );
  });
});

describe("EC2's instances", () => {
  inWorld("an instance starts, is announced once, and lingers as terminated for an hour", async (here) => {
    const { SubnetId } = await network(here);
    const announced: string[] = [];
    here.ec2.onInstanceRunning(({ id }) => announced.push(id));
    const made = await here.client.send(launch(SubnetId, { PrivateIpAddress: "10.40.0.10", ClientToken: "one" }));
    const id = made.Instances?.[0]?.InstanceId ?? "";
    assert.equal(made.Instances?.[0]?.State?.Name, "pending");
    assert.equal(made.Instances?.[0]?.PrivateDnsName, "ip-10-40-0-10.us-west-2.compute.internal");
    await here.clock.sleep(120);
    assert.deepEqual(announced, [id]);
    await here.client.send(new sdk.TerminateInstancesCommand({ InstanceIds: [id] }));
    await here.clock.sleep(600);
    const look = () => here.client.send(new sdk.DescribeInstancesCommand({ InstanceIds: [id] }));
    assert.equal((await look()).Reservations?.[0]?.Instances?.[0]?.State?.Name, "terminated");
    await here.clock.sleep(3600);
    await fails(look(), "InvalidInstanceID.NotFound");
    const dead = await here.client.send(launch(SubnetId, { PrivateIpAddress: "10.40.0.10", ClientToken: "one" }));
    assert.equal(dead.Instances?.[0]?.InstanceId, id, "the token still answers with the dead instance");
    await here.clock.sleep(25 * 3600);
    const fresh = await here.client.send(launch(SubnetId, { PrivateIpAddress: "10.40.0.10", ClientToken: "one" }));
    assert.notEqual(fresh.Instances?.[0]?.InstanceId, id);
  });

  inWorld(
    "launches are refused as AWS refuses them",
    async (here) => {
      const { client, ec2 } = here;
      const { SubnetId } = await network(here);
      const IamInstanceProfile = { Name: "nobody" };
      await fails(client.send(launch(SubnetId, { IamInstanceProfile })), "InvalidParameterValue");
      await fails(client.send(launch(SubnetId, { InstanceType: "m7g.large" })), "InvalidParameterValue");
      ec2.state.notOffered.add("c7i.large/us-west-2a");
      await fails(client.send(launch(SubnetId, { InstanceType: "c7i.large" })), "Unsupported");
      ec2.state.capacity.set("m6i.large/us-west-2a", 0);
      await fails(client.send(launch(SubnetId, { InstanceType: "m6i.large" })), "InsufficientInstanceCapacity");
      const both = { NetworkInterfaces: [{ DeviceIndex: 0, SubnetId }] };
      await fails(client.send(launch(SubnetId, both)), "InvalidParameterCombination");
      const BlockDeviceMappings = [{ DeviceName: "/dev/sda1", Ebs: { VolumeSize: 7 } }];
      await fails(client.send(launch(SubnetId, { BlockDeviceMappings })), "InvalidBlockDeviceMapping");
      await client.send(launch(SubnetId, { PrivateIpAddress: "10.40.0.10" }));
      await fails(client.send(launch(SubnetId, { PrivateIpAddress: "10.40.0.10" })), "InvalidIPAddress.InUse");
      await client.send(launch(SubnetId));
      await fails(client.send(launch(SubnetId)), "VcpuLimitExceeded");
      const cut = new sdk.DescribeImagesCommand({ ImageIds: ["ami-0000000000000000f"] });
      await fails(client.send(cut), "InvalidAMIID.NotFound");
    },
    { quotas: { vcpus: 4 } },
  );
});

describe("the watch over the network", () => {
  inWorld("a way out of a subnet with nodes is remembered even when it is closed again", async (here) => {
    const { client, ec2 } = here;
    const { VpcId, SubnetId, RouteTableId } = await network(here);
    await client.send(launch(SubnetId));
    assert.deepEqual(ec2.breaches(), []);
    const made = await client.send(new sdk.CreateInternetGatewayCommand({}));
    const GatewayId = made.InternetGateway?.InternetGatewayId ?? "";
    const route = { RouteTableId, DestinationCidrBlock: "0.0.0.0/0" };
    await fails(client.send(new sdk.CreateRouteCommand({ ...route, GatewayId })), "InvalidParameterValue");
    await client.send(new sdk.AttachInternetGatewayCommand({ VpcId, InternetGatewayId: GatewayId }));
    await client.send(new sdk.CreateRouteCommand({ ...route, GatewayId }));
    await client.send(new sdk.DeleteRouteCommand(route));
    assert.match(ec2.breaches().join(), /CreateRoute: subnet-.* has a route to 0\.0\.0\.0\/0 by igw-/);
  });

  inWorld("a change to somebody else's group is noted, a look at it is not", async ({ client, ec2 }) => {
    const { groupId } = ec2.seedForeignVpc("10.50.0.0/16");
    await client.send(new sdk.DescribeSecurityGroupsCommand({ GroupIds: [groupId] }));
    assert.deepEqual(ec2.foreignTouched(), []);
    await client.send(new sdk.DeleteSecurityGroupCommand({ GroupId: groupId }));
    assert.deepEqual(ec2.foreignTouched(), [`DeleteSecurityGroup ${groupId}`]);
  });
});
