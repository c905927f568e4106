import * as sdk from "@aws-sdk/client-ec2";
import type { Site } from "../sides.ts";
import { profile } from "../sides.ts";
import type { Note, Story } from "../story.ts";
import { place } from "./endpoints.ts";
import { inVpc, tagged } from "./network.ts";

/** What is looked up before anything is planned. */
export const offers: Story = async ({ ec2, image, quotas }, note) => {
  const { GetServiceQuotaCommand } = await import("@aws-sdk/client-service-quotas");
  const type = ["m7i.large" as const];
  await note("DescribeImages by id", ec2.send(new sdk.DescribeImagesCommand({ ImageIds: [image] })));
  await note("DescribeImages of an unknown id", ec2.send(new sdk.DescribeImagesCommand({ ImageIds: ["ami-0fedcba9876543210"] })));
  await note("DescribeInstanceTypes", ec2.send(new sdk.DescribeInstanceTypesCommand({ InstanceTypes: type })));
  await note(
    "DescribeInstanceTypes of an unknown type",
    ec2.send(new sdk.DescribeInstanceTypesCommand({ InstanceTypes: ["x9z.huge" as sdk._InstanceType] })),
  );
  await note(
    "DescribeInstanceTypeOfferings",
    ec2.send(
      new sdk.DescribeInstanceTypeOfferingsCommand({
        LocationType: "availability-zone",
        Filters: [{ Name: "instance-type", Values: type }],
      }),
    ),
  );
  await note(
    "DescribeAvailabilityZones",
    ec2.send(new sdk.DescribeAvailabilityZonesCommand({ Filters: [{ Name: "state", Values: ["available"] }] })),
  );
  const vpcQuota = { ServiceCode: "vpc", QuotaCode: "L-F678F1CE" };
  await note("GetServiceQuota", quotas.send(new GetServiceQuotaCommand(vpcQuota)));
  await note("GetServiceQuota of an unknown code", quotas.send(new GetServiceQuotaCommand({ ...vpcQuota, QuotaCode: "L-0" })));
};

/** A launch as LaunchNodes asks for it, with changes. */
const launcher =
  ({ ec2, image }: Site, SubnetId: string, GroupId: string) =>
  (change: Partial<sdk.RunInstancesCommandInput> = {}) =>
    ec2.send(
      new sdk.RunInstancesCommand({
        ImageId: image,
        InstanceType: "m7i.large",
        MinCount: 1,
        MaxCount: 1,
        SubnetId,
        SecurityGroupIds: [GroupId],
        IamInstanceProfile: { Name: profile },
        MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1 },
        BlockDeviceMappings: [
          { DeviceName: "/dev/sda1", Ebs: { VolumeSize: 40, VolumeType: "gp3", Encrypted: true, DeleteOnTermination: true } },
        ],
        TagSpecifications: [...tagged("instance", "node"), ...tagged("volume", "node")],
        ...change,
      }),
    );

/** A machine as LaunchNodes starts one, with its refusals, and what stands in the way of taking its place down. */
export const machines: Story = async (site, note) => {
  const { ec2, pass } = site;
  const { VpcId, subnetIds, GroupId } = await place(site, "10.56");
  const [SubnetId = ""] = subnetIds;
  const launch = launcher(site, SubnetId, GroupId);
  const own = { ClientToken: "node-one", PrivateIpAddress: "10.56.0.10" };
  const { Instances } = await note("RunInstances", launch(own));
  const id = Instances?.[0]?.InstanceId ?? "";
  await note("RunInstances of an unknown image", launch({ ImageId: "ami-0fedcba9876543210" }));
  await note("RunInstances of an unknown type", launch({ InstanceType: "x9z.huge" as sdk._InstanceType }));
  await note("RunInstances in an unknown subnet", launch({ SubnetId: "subnet-0123456789abcdef0" }));
  await note("RunInstances with an unknown group", launch({ SecurityGroupIds: ["sg-0123456789abcdef0"] }));
  await note("RunInstances with an unknown profile", launch({ IamInstanceProfile: { Name: "none" } }));
  await note("RunInstances at an address that is taken", launch({ PrivateIpAddress: "10.56.0.10" }));
  await note("RunInstances with other settings and the same token", launch({ ...own, InstanceType: "m7i.xlarge" }));
  await pass(120);
  await note("DescribeInstances by id", ec2.send(new sdk.DescribeInstancesCommand({ InstanceIds: [id] })));
  await note(
    "DescribeInstances of an unknown id",
    ec2.send(new sdk.DescribeInstancesCommand({ InstanceIds: ["i-0123456789abcdef0"] })),
  );
  await note(
    "DescribeInstances of none",
    ec2.send(new sdk.DescribeInstancesCommand({ Filters: [{ Name: "tag:Name", Values: ["none"] }] })),
  );
  const { NetworkInterfaces } = await note(
    "DescribeNetworkInterfaces of a machine",
    ec2.send(new sdk.DescribeNetworkInterfacesCommand({ Filters: [{ Name: "attachment.instance-id", Values: [id] }] })),
  );
  const NetworkInterfaceId = NetworkInterfaces?.[0]?.NetworkInterfaceId ?? "";
  await note("DeleteNetworkInterface of a machine", ec2.send(new sdk.DeleteNetworkInterfaceCommand({ NetworkInterfaceId })));
  await note(
    "DeleteNetworkInterface of an unknown id",
    ec2.send(new sdk.DeleteNetworkInterfaceCommand({ NetworkInterfaceId: "eni-0123456789abcdef0" })),
  );
  await note(
    "ModifyInstanceAttribute",
    ec2.send(new sdk.ModifyInstanceAttributeCommand({ InstanceId: id, SourceDestCheck: { Value: false } })),
  );
  await disks(site, note, id);
  await note("DeleteSecurityGroup of a machine", ec2.send(new sdk.DeleteSecurityGroupCommand({ GroupId })));
  await note("DeleteSubnet of a machine", ec2.send(new sdk.DeleteSubnetCommand({ SubnetId })));
  await note("TerminateInstances", ec2.send(new sdk.TerminateInstancesCommand({ InstanceIds: [id] })));
  await note(
    "TerminateInstances of an unknown id",
    ec2.send(new sdk.TerminateInstancesCommand({ InstanceIds: ["i-0123456789abcdef0"] })),
  );
  await pass(300);
  await note("DescribeInstances once terminated", ec2.send(new sdk.DescribeInstancesCommand({ InstanceIds: [id] })));
  await note("DescribeInstances by VPC once terminated", ec2.send(new sdk.DescribeInstancesCommand({ Filters: inVpc(VpcId) })));
};

/** A volume as the EBS driver makes one, and tags put on afterwards. */
async function disks(site: Site, note: Note, InstanceId: string): Promise<void> {
  const { ec2, pass } = site;
  const { VolumeId = "" } = await note(
    "CreateVolume",
    ec2.send(
      new sdk.CreateVolumeCommand({
        AvailabilityZone: "us-west-2a",
        Size: 1,
        VolumeType: "gp3",
        Encrypted: true,
        TagSpecifications: tagged("volume", "data"),
      }),
    ),
  );
  const elsewhere = { AvailabilityZone: "us-west-2z", Size: 1 };
  await note("CreateVolume in an unknown zone", ec2.send(new sdk.CreateVolumeCommand(elsewhere)));
  await pass(30);
  const where = { VolumeId, InstanceId, Device: "/dev/xvdaa" };
  await note("AttachVolume", ec2.send(new sdk.AttachVolumeCommand(where)));
  await note("AttachVolume again", ec2.send(new sdk.AttachVolumeCommand(where)));
  await note("DeleteVolume attached", ec2.send(new sdk.DeleteVolumeCommand({ VolumeId })));
  await note("DescribeVolumes attached", ec2.send(new sdk.DescribeVolumesCommand({ VolumeIds: [VolumeId] })));
  await note("DetachVolume", ec2.send(new sdk.DetachVolumeCommand({ VolumeId, InstanceId })));
  await note("DetachVolume again", ec2.send(new sdk.DetachVolumeCommand({ VolumeId, InstanceId })));
  await pass(60);
  await snapshots(site, note, VolumeId);
  await note("CreateTags", ec2.send(new sdk.CreateTagsCommand({ Resources: [VolumeId], Tags: [{ Key: "late", Value: "yes" }] })));
  const unknown = { Resources: ["vol-0123456789abcdef0"], Tags: [{ Key: "late", Value: "yes" }] };
  await note("CreateTags on an unknown id", ec2.send(new sdk.CreateTagsCommand(unknown)));
  await note("DescribeTags", ec2.send(new sdk.DescribeTagsCommand({ Filters: [{ Name: "resource-id", Values: [VolumeId] }] })));
  await note("DescribeVolumes", ec2.send(new sdk.DescribeVolumesCommand({ VolumeIds: [VolumeId] })));
  await note("DeleteVolume", ec2.send(new sdk.DeleteVolumeCommand({ VolumeId })));
  await note("DeleteVolume again", ec2.send(new sdk.DeleteVolumeCommand({ VolumeId })));
  await note("DescribeVolumes of an unknown id", ec2.send(new sdk.DescribeVolumesCommand({ VolumeIds: [VolumeId] })));
}

/** A snapshot of a volume, which outlives it. */
async function snapshots({ ec2, pass }: Site, note: Note, VolumeId: string): Promise<void> {
  const { SnapshotId = "" } = await note(
    "CreateSnapshot",
    ec2.send(new sdk.CreateSnapshotCommand({ VolumeId, Description: "kept", TagSpecifications: tagged("snapshot", "kept") })),
  );
  const lost = { VolumeId: "vol-0123456789abcdef0" };
  await note("CreateSnapshot of an unknown volume", ec2.send(new sdk.CreateSnapshotCommand(lost)));
  await pass(120);
  const Filters = [{ Name: "tag:Name", Values: ["kept"] }];
  await note("DescribeSnapshots", ec2.send(new sdk.DescribeSnapshotsCommand({ OwnerIds: ["self"], Filters })));
  await note(
    "DescribeSnapshots of an unknown id",
    ec2.send(new sdk.DescribeSnapshotsCommand({ SnapshotIds: ["snap-0123456789abcdef0"] })),
  );
  await note("DeleteSnapshot", ec2.send(new sdk.DeleteSnapshotCommand({ SnapshotId })));
  await note("DeleteSnapshot again", ec2.send(new sdk.DeleteSnapshotCommand({ SnapshotId })));
}

/** What the certificate asks for and must find empty. */
export const waysOut: Story = async ({ ec2 }, note) => {
  const { VpcId = "" } = (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock: "10.57.0.0/16" }))).Vpc ?? {};
  const by = (Name: string) => [{ Name, Values: [VpcId] }];
  await note("DescribeNatGateways", ec2.send(new sdk.DescribeNatGatewaysCommand({ Filter: by("vpc-id") })));
  await note("DescribeEgressOnlyInternetGateways", ec2.send(new sdk.DescribeEgressOnlyInternetGatewaysCommand({})));
  await note(
    "DescribeTransitGatewayVpcAttachments",
    ec2.send(new sdk.DescribeTransitGatewayVpcAttachmentsCommand({ Filters: by("vpc-id") })),
  );
  await note(
    "DescribeTransitGatewayAttachments",
    ec2.send(new sdk.DescribeTransitGatewayAttachmentsCommand({ Filters: by("resource-id") })),
  );
  await note("DescribeVpnGateways", ec2.send(new sdk.DescribeVpnGatewaysCommand({ Filters: by("attachment.vpc-id") })));
  await note("DescribeVpnConnections", ec2.send(new sdk.DescribeVpnConnectionsCommand({})));
  await note(
    "DescribeVpcPeeringConnections",
    ec2.send(new sdk.DescribeVpcPeeringConnectionsCommand({ Filters: by("requester-vpc-info.vpc-id") })),
  );
  await note("DescribeCarrierGateways", ec2.send(new sdk.DescribeCarrierGatewaysCommand({ Filters: by("vpc-id") })));
  await note("DescribeAddresses", ec2.send(new sdk.DescribeAddressesCommand({})));
  await ec2.send(new sdk.DeleteVpcCommand({ VpcId }));
};
