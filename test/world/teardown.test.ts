import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import * as sdk from "@aws-sdk/client-ec2";
import * as classicSdk from "@aws-sdk/client-elastic-load-balancing";
import * as elbSdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { Chance } from "../../rehearsal/world/chance.ts";
import { SimClock } from "../../rehearsal/world/clock.ts";
import { Door } from "../../rehearsal/world/door.ts";
import { Ec2 } from "../../rehearsal/world/ec2/ec2.ts";
import { ElbClassic } from "../../rehearsal/world/elb-classic.ts";
import { Elbv2 } from "../../rehearsal/world/elbv2.ts";

const ami = "ami-0123456789abcdef0";
const caller = { kind: "function", step: "test", state: "Test", execution: "test" } as const;
const fails = (call: Promise<unknown>, name: string) => assert.rejects(call, (error: Error) => error.name === name);

function world() {
  const clock = new SimClock("2026-11-24T00:00:00Z");
  const universe = { clock, chance: new Chance(1), region: "us-west-2", account: "111122223333" };
  const ec2 = new Ec2(universe);
  const elb = new Elbv2(universe, ec2);
  const elbClassic = new ElbClassic(universe, ec2);
  ec2.seedImage({ id: ami, name: "node", architecture: "x86_64", tags: {} });
  const door = new Door(clock, universe.chance, [ec2, elb, elbClassic], []);
  const options = { region: "us-west-2", credentials: { accessKeyId: "x", secretAccessKey: "x" } };
  return {
    clock,
    ec2,
    elbClassic,
    client: door.bind(new sdk.EC2Client(options), "ec2", caller),
    balancing: door.bind(new elbSdk.ElasticLoadBalancingV2Client(options), "elb", caller),
    classic: door.bind(new classicSdk.ElasticLoadBalancingClient(options), "elbClassic", caller),
  };
}
type World = ReturnType<typeof world>;

const inWorld = (claim: string, body: (world: World) => Promise<void>) =>
  test(claim, async () => {
    const here = world();
    await here.clock.run(body(here));
  });

async function network({ client }: World) {
  const VpcId = (await client.send(new sdk.CreateVpcCommand({ CidrBlock: "10.40.0.0/16" }))).Vpc?.VpcId ?? "";
  const place = { VpcId, CidrBlock: "10.40.0.0/20", AvailabilityZone: "us-west-2a" };
  const SubnetId = (await client.send(new sdk.CreateSubnetCommand(place))).Subnet?.SubnetId ?? "";
  const group = (GroupName: string) => client.send(new sdk.CreateSecurityGroupCommand({ VpcId, GroupName, Description: "d" }));
  return { VpcId, SubnetId, GroupId: (await group("g")).GroupId ?? "", OtherId: (await group("other")).GroupId ?? "" };
}

async function launch({ client, clock }: World, SubnetId: string): Promise<string> {
  const one = { ImageId: ami, InstanceType: "m7i.large", MinCount: 1, MaxCount: 1, SubnetId } as const;
  const { Instances } = await client.send(new sdk.RunInstancesCommand(one));
  await clock.sleep(120);
  return Instances?.[0]?.InstanceId ?? "";
}

const listeners = [{ Protocol: "TCP", LoadBalancerPort: 80, InstancePort: 30_080 }];
const tags = [{ Key: "kubernetes.io/cluster/orchid-g1", Value: "owned" }];

describe("a classic load balancer", () => {
  const create = (place: { SubnetId: string; GroupId: string }, Scheme?: string) =>
    new classicSdk.CreateLoadBalancerCommand({
      ...{ LoadBalancerName: "a1", Listeners: listeners, Subnets: [place.SubnetId], SecurityGroups: [place.GroupId] },
      ...{ Scheme, Tags: tags },
    });
  const remove = new classicSdk.DeleteLoadBalancerCommand({ LoadBalancerName: "a1" });

  inWorld("is found by its VPC and its tags, and by a name that exists", async (here) => {
    const place = await network(here);
    await here.classic.send(create(place, "internal"));
    await fails(here.classic.send(create(place, "internal")), "DuplicateAccessPointNameException");
    const { LoadBalancerDescriptions = [] } = await here.classic.send(new classicSdk.DescribeLoadBalancersCommand({}));
    assert.deepEqual(
      LoadBalancerDescriptions.map(({ LoadBalancerName, VPCId }) => [LoadBalancerName, VPCId]),
      [["a1", place.VpcId]],
    );
    await here.classic.send(
      new classicSdk.AddTagsCommand({ LoadBalancerNames: ["a1"], Tags: [{ Key: "kubernetes.io/service-name", Value: "d/s" }] }),
    );
    const { TagDescriptions } = await here.classic.send(new classicSdk.DescribeTagsCommand({ LoadBalancerNames: ["a1"] }));
    assert.deepEqual(TagDescriptions?.[0]?.Tags, [...tags, { Key: "kubernetes.io/service-name", Value: "d/s" }]);
    const other = new classicSdk.DescribeLoadBalancersCommand({ LoadBalancerNames: ["b"] });
    await fails(here.classic.send(other), "AccessPointNotFoundException");
    const many = new classicSdk.DescribeTagsCommand({ LoadBalancerNames: Array.from({ length: 21 }, (_, n) => `a${n}`) });
    await fails(here.classic.send(many), "ValidationError");
  });

  inWorld("is gone at once and holds its subnet and groups until its interfaces are gone", async (here) => {
    const { classic, client, clock, elbClassic } = here;
    const place = await network(here);
    await classic.send(create(place, "internal"));
    await classic.send(remove);
    await classic.send(remove);
    assert.deepEqual(elbClassic.inventory(), []);
    await fails(client.send(new sdk.DeleteSecurityGroupCommand({ GroupId: place.GroupId })), "DependencyViolation");
    await fails(client.send(new sdk.DeleteSubnetCommand({ SubnetId: place.SubnetId })), "DependencyViolation");
    const { NetworkInterfaces } = await client.send(new sdk.DescribeNetworkInterfacesCommand({}));
    assert.deepEqual(
      NetworkInterfaces?.map(({ Description, RequesterManaged, Status }) => [Description, RequesterManaged, Status]),
      [["ELB a1", true, "in-use"]],
    );
    const NetworkInterfaceId = NetworkInterfaces?.[0]?.NetworkInterfaceId;
    await fails(client.send(new sdk.DeleteNetworkInterfaceCommand({ NetworkInterfaceId })), "InvalidParameterValue");
    await clock.sleep(1200);
    await client.send(new sdk.DeleteSecurityGroupCommand({ GroupId: place.GroupId }));
    await client.send(new sdk.DeleteSubnetCommand({ SubnetId: place.SubnetId }));
  });

  inWorld("that faces the Internet has public addresses, which hold the gateway and are a breach", async (here) => {
    const { classic, client, ec2 } = here;
    const place = await network(here);
    const { InternetGateway } = await client.send(new sdk.CreateInternetGatewayCommand({}));
    const gateway = { InternetGatewayId: InternetGateway?.InternetGatewayId, VpcId: place.VpcId };
    await client.send(new sdk.AttachInternetGatewayCommand(gateway));
    await classic.send(create(place));
    await fails(client.send(new sdk.DetachInternetGatewayCommand(gateway)), "DependencyViolation");
    assert.match(ec2.breaches().join(), /public address/);
  });
});

describe("what holds what when a network is taken down", () => {
  inWorld("a network load balancer's groups and subnet are held until its interfaces are gone", async (here) => {
    const { client, balancing, clock } = here;
    const { SubnetId, GroupId } = await network(here);
    const places = { Subnets: [SubnetId], SecurityGroups: [GroupId] };
    const wanted = { Name: "api", Type: "network", Scheme: "internal", ...places } as const;
    const { LoadBalancers } = await balancing.send(new elbSdk.CreateLoadBalancerCommand(wanted));
    const arn = { LoadBalancerArn: LoadBalancers?.[0]?.LoadBalancerArn };
    await balancing.send(new elbSdk.DeleteLoadBalancerCommand(arn));
    await balancing.send(new elbSdk.DeleteLoadBalancerCommand(arn));
    await fails(client.send(new sdk.DeleteSecurityGroupCommand({ GroupId })), "DependencyViolation");
    await fails(client.send(new sdk.DeleteSubnetCommand({ SubnetId })), "DependencyViolation");
    await clock.sleep(1200);
    await client.send(new sdk.DeleteSecurityGroupCommand({ GroupId }));
    await client.send(new sdk.DeleteSubnetCommand({ SubnetId }));
  });

  inWorld(
    "a deletion of endpoints is refused one by one inside a 200; one that is being deleted is shown so, and holds its subnet, group and VPC until it is gone",
    async (here) => {
      const { client, clock } = here;
      const { VpcId, SubnetId, GroupId } = await network(here);
      const wanted = { VpcId, VpcEndpointType: "Interface", ServiceName: "com.amazonaws.us-west-2.ec2" } as const;
      const places = { SubnetIds: [SubnetId], SecurityGroupIds: [GroupId] };
      const { VpcEndpoint } = await client.send(new sdk.CreateVpcEndpointCommand({ ...wanted, ...places }));
      const ids = [VpcEndpoint?.VpcEndpointId ?? "", "vpce-00000000000000000"];
      here.ec2.state.refusedDeletions.set("ec2", "InternalError");
      const { Unsuccessful } = await client.send(new sdk.DeleteVpcEndpointsCommand({ VpcEndpointIds: ids }));
      assert.deepEqual(
        Unsuccessful?.map(({ ResourceId, Error: error }) => [ResourceId, error?.Code]),
        [
          [ids[0], "InternalError"],
          ["vpce-00000000000000000", "InvalidVpcEndpoint.NotFound"],
        ],
      );
      const again = await client.send(new sdk.DeleteVpcEndpointsCommand({ VpcEndpointIds: ids.slice(0, 1) }));
      assert.deepEqual(again.Unsuccessful, []);
      const list = async () => (await client.send(new sdk.DescribeVpcEndpointsCommand({}))).VpcEndpoints ?? [];
      assert.deepEqual(
        (await list()).map(({ State }) => State),
        ["deleting"],
      );
      await fails(client.send(new sdk.DeleteSubnetCommand({ SubnetId })), "DependencyViolation");
      await fails(client.send(new sdk.DeleteSecurityGroupCommand({ GroupId })), "DependencyViolation");
      await clock.sleep(1200);
      assert.deepEqual(await list(), []);
      await client.send(new sdk.DeleteSubnetCommand({ SubnetId }));
      await client.send(new sdk.DeleteSecurityGroupCommand({ GroupId }));
    },
  );

  inWorld("groups that name each other go only after their rules, a group that names itself goes at once", async (here) => {
    const { client } = here;
    const { GroupId, OtherId } = await network(here);
    const rule = (own: string, peer: string) => ({
      GroupId: own,
      IpPermissions: [{ IpProtocol: "tcp", FromPort: 80, ToPort: 80, UserIdGroupPairs: [{ GroupId: peer }] }],
    });
    await client.send(new sdk.AuthorizeSecurityGroupIngressCommand(rule(GroupId, OtherId)));
    await client.send(new sdk.AuthorizeSecurityGroupIngressCommand(rule(OtherId, GroupId)));
    await client.send(new sdk.AuthorizeSecurityGroupIngressCommand(rule(GroupId, GroupId)));
    const remove = (id: string) => client.send(new sdk.DeleteSecurityGroupCommand({ GroupId: id }));
    await fails(remove(GroupId), "DependencyViolation");
    await fails(remove(OtherId), "DependencyViolation");
    await client.send(new sdk.RevokeSecurityGroupIngressCommand(rule(OtherId, GroupId)));
    await remove(GroupId);
    await remove(OtherId);
    await fails(remove(OtherId), "InvalidGroup.NotFound");
  });

  inWorld("a gateway that is attached, a table that is associated and a VPC that holds anything stay", async (here) => {
    const { client } = here;
    const { VpcId, SubnetId, GroupId, OtherId } = await network(here);
    const { InternetGateway } = await client.send(new sdk.CreateInternetGatewayCommand({}));
    const InternetGatewayId = InternetGateway?.InternetGatewayId;
    await client.send(new sdk.AttachInternetGatewayCommand({ VpcId, InternetGatewayId }));
    const { RouteTable } = await client.send(new sdk.CreateRouteTableCommand({ VpcId }));
    const RouteTableId = RouteTable?.RouteTableId;
    const { AssociationId } = await client.send(new sdk.AssociateRouteTableCommand({ RouteTableId, SubnetId }));
    await fails(client.send(new sdk.DeleteInternetGatewayCommand({ InternetGatewayId })), "DependencyViolation");
    await fails(client.send(new sdk.DeleteRouteTableCommand({ RouteTableId })), "DependencyViolation");
    const order = [
      new sdk.DisassociateRouteTableCommand({ AssociationId }),
      new sdk.DeleteRouteTableCommand({ RouteTableId }),
      new sdk.DetachInternetGatewayCommand({ VpcId, InternetGatewayId }),
      new sdk.DeleteInternetGatewayCommand({ InternetGatewayId }),
      new sdk.DeleteSubnetCommand({ SubnetId }),
      new sdk.DeleteSecurityGroupCommand({ GroupId }),
      new sdk.DeleteSecurityGroupCommand({ GroupId: OtherId }),
    ];
    for (const command of order) {
      await fails(client.send(new sdk.DeleteVpcCommand({ VpcId })), "DependencyViolation");
      await client.send(command as sdk.DeleteSubnetCommand);
    }
    await client.send(new sdk.DeleteVpcCommand({ VpcId }));
    await fails(client.send(new sdk.DeleteVpcCommand({ VpcId })), "InvalidVpcID.NotFound");
  });

  inWorld("somebody else's instance and interface hold the subnet, and whoever touches them is noted", async (here) => {
    const { client, ec2 } = here;
    const { SubnetId } = await network(here);
    const instance = ec2.seedForeignInstance(SubnetId, ami);
    await fails(client.send(new sdk.DeleteSubnetCommand({ SubnetId })), "DependencyViolation");
    const own = ec2.seedForeignInterface(SubnetId);
    assert.deepEqual(ec2.foreignTouched(), []);
    await client.send(new sdk.TerminateInstancesCommand({ InstanceIds: [instance] }));
    await here.clock.sleep(600);
    await fails(client.send(new sdk.DeleteSubnetCommand({ SubnetId })), "DependencyViolation");
    await client.send(new sdk.DeleteNetworkInterfaceCommand({ NetworkInterfaceId: own }));
    await client.send(new sdk.DeleteSubnetCommand({ SubnetId }));
    assert.deepEqual(ec2.foreignTouched(), [`TerminateInstances ${instance}`, `DeleteNetworkInterface ${own}`]);
  });
});

describe("volumes and snapshots", () => {
  const disk = new sdk.CreateVolumeCommand({ AvailabilityZone: "us-west-2a", Size: 8, VolumeType: "gp3" });

  inWorld("a volume in use stays until it is detached, which takes a moment, or its instance is gone", async (here) => {
    const { client, clock } = here;
    const { SubnetId } = await network(here);
    const instance = await launch(here, SubnetId);
    const made = [(await client.send(disk)).VolumeId ?? "", (await client.send(disk)).VolumeId ?? ""];
    for (const [index, VolumeId] of made.entries())
      await client.send(new sdk.AttachVolumeCommand({ VolumeId, InstanceId: instance, Device: `/dev/xvda${"ab"[index]}` }));
    const [first = "", second = ""] = made;
    const remove = (VolumeId: string) => client.send(new sdk.DeleteVolumeCommand({ VolumeId }));
    await fails(remove(first), "VolumeInUse");
    const detach = new sdk.DetachVolumeCommand({ VolumeId: first });
    await client.send(detach);
    await fails(client.send(detach), "IncorrectState");
    await fails(remove(first), "VolumeInUse");
    await clock.sleep(10);
    await remove(first);
    await fails(remove(first), "InvalidVolume.NotFound");
    await client.send(new sdk.TerminateInstancesCommand({ InstanceIds: [instance] }));
    await fails(remove(second), "VolumeInUse");
    await clock.sleep(600);
    await remove(second);
  });

  inWorld("a snapshot outlives its volume, is found by the driver's tags, and goes once", async (here) => {
    const { client, clock, ec2 } = here;
    const { VolumeId } = await client.send(disk);
    const Tags = [
      { Key: "CSIVolumeSnapshotName", Value: "snapshot-1" },
      { Key: "kubernetes.io/cluster/orchid-g1", Value: "owned" },
    ];
    const wanted = { VolumeId, TagSpecifications: [{ ResourceType: "snapshot" as const, Tags }] };
    const { SnapshotId, State } = await client.send(new sdk.CreateSnapshotCommand(wanted));
    assert.equal(State, "pending");
    await clock.sleep(300);
    await client.send(new sdk.DeleteVolumeCommand({ VolumeId }));
    const Filters = [{ Name: "tag:kubernetes.io/cluster/orchid-g1", Values: ["owned"] }];
    const look = new sdk.DescribeSnapshotsCommand({ OwnerIds: ["self"], Filters });
    const { Snapshots = [] } = await client.send(look);
    assert.deepEqual(
      Snapshots.map(({ SnapshotId: id, State: state, VolumeId: from }) => [id, state, from]),
      [[SnapshotId, "completed", VolumeId]],
    );
    assert.ok(ec2.inventory().some(({ type, id }) => type === "snapshot" && id === SnapshotId));
    await fails(client.send(new sdk.DescribeSnapshotsCommand({})), "SimulationGap");
    await client.send(new sdk.DeleteSnapshotCommand({ SnapshotId }));
    await fails(client.send(new sdk.DeleteSnapshotCommand({ SnapshotId })), "InvalidSnapshot.NotFound");
    assert.deepEqual((await client.send(look)).Snapshots, []);
  });
});
