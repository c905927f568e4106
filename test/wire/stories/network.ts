import * as sdk from "@aws-sdk/client-ec2";
import type { Site } from "../sides.ts";
import type { Note, Story } from "../story.ts";

export const tagged = (ResourceType: sdk.ResourceType, name: string): sdk.TagSpecification[] => [
  {
    ResourceType,
    Tags: [
      { Key: "Name", Value: name },
      { Key: "story", Value: "wire" },
    ],
  },
];
export const inVpc = (vpc: string | undefined): sdk.Filter[] => [{ Name: "vpc-id", Values: [vpc ?? ""] }];
const absent = "0123456789abcdef0";

/** A VPC, its attributes, and what is refused about it. */
export const vpcs: Story = async ({ ec2, pass }, note) => {
  const { Vpc } = await note(
    "CreateVpc",
    ec2.send(new sdk.CreateVpcCommand({ CidrBlock: "10.50.0.0/16", TagSpecifications: tagged("vpc", "one") })),
  );
  const VpcId = Vpc?.VpcId ?? "";
  await pass(60);
  await note("CreateVpc with a block that is too small", ec2.send(new sdk.CreateVpcCommand({ CidrBlock: "10.51.0.0/29" })));
  await note("DescribeVpcs by id", ec2.send(new sdk.DescribeVpcsCommand({ VpcIds: [VpcId] })));
  const byTag = [{ Name: "tag:Name", Values: ["one"] }];
  await note("DescribeVpcs by tag", ec2.send(new sdk.DescribeVpcsCommand({ Filters: byTag })));
  await note(
    "DescribeVpcs of none",
    ec2.send(new sdk.DescribeVpcsCommand({ Filters: [{ Name: "tag:Name", Values: ["none"] }] })),
  );
  await note("DescribeVpcs of an unknown id", ec2.send(new sdk.DescribeVpcsCommand({ VpcIds: [`vpc-${absent}`] })));
  for (const Attribute of ["enableDnsSupport", "enableDnsHostnames"] as const)
    await note(`DescribeVpcAttribute ${Attribute}`, ec2.send(new sdk.DescribeVpcAttributeCommand({ VpcId, Attribute })));
  await note("ModifyVpcAttribute", ec2.send(new sdk.ModifyVpcAttributeCommand({ VpcId, EnableDnsSupport: { Value: true } })));
  await note(
    "ModifyVpcAttribute of an unknown id",
    ec2.send(new sdk.ModifyVpcAttributeCommand({ VpcId: `vpc-${absent}`, EnableDnsSupport: { Value: true } })),
  );
  await note("DeleteVpc of an unknown id", ec2.send(new sdk.DeleteVpcCommand({ VpcId: `vpc-${absent}` })));
  await note("DeleteVpc", ec2.send(new sdk.DeleteVpcCommand({ VpcId })));
  await note("DeleteVpc again", ec2.send(new sdk.DeleteVpcCommand({ VpcId })));
};

/** Subnets inside a VPC that is taken away again. */
export const subnets: Story = async (site, note) => {
  const { ec2, pass } = site;
  const { VpcId = "" } = (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock: "10.52.0.0/16" }))).Vpc ?? {};
  const create = (CidrBlock: string, change: Partial<sdk.CreateSubnetCommandInput> = {}) =>
    ec2.send(
      new sdk.CreateSubnetCommand({
        VpcId,
        CidrBlock,
        AvailabilityZone: "us-west-2a",
        TagSpecifications: tagged("subnet", CidrBlock),
        ...change,
      }),
    );
  const { Subnet } = await note("CreateSubnet", create("10.52.0.0/24"));
  const SubnetId = Subnet?.SubnetId ?? "";
  await note("CreateSubnet over another", create("10.52.0.128/25"));
  await note("CreateSubnet outside of the VPC", create("10.99.0.0/24"));
  await note("CreateSubnet in an unknown zone", create("10.52.1.0/24", { AvailabilityZone: "us-west-2z" }));
  await note("CreateSubnet in an unknown VPC", create("10.52.1.0/24", { VpcId: `vpc-${absent}` }));
  await note("CreateSubnet with a tag of another type", create("10.52.2.0/24", { TagSpecifications: tagged("vpc", "x") }));
  await pass(60);
  await note("DescribeSubnets by id", ec2.send(new sdk.DescribeSubnetsCommand({ SubnetIds: [SubnetId] })));
  await note("DescribeSubnets by VPC", ec2.send(new sdk.DescribeSubnetsCommand({ Filters: inVpc(VpcId) })));
  await note("DescribeSubnets of an unknown id", ec2.send(new sdk.DescribeSubnetsCommand({ SubnetIds: [`subnet-${absent}`] })));
  await note(
    "ModifySubnetAttribute",
    ec2.send(new sdk.ModifySubnetAttributeCommand({ SubnetId, MapPublicIpOnLaunch: { Value: false } })),
  );
  const reserve = (Cidr: string) =>
    ec2.send(
      new sdk.CreateSubnetCidrReservationCommand({
        SubnetId,
        Cidr,
        ReservationType: "explicit",
        TagSpecifications: tagged("subnet-cidr-reservation", Cidr),
      }),
    );
  const { SubnetCidrReservation } = await note("CreateSubnetCidrReservation", reserve("10.52.0.8/29"));
  await note("CreateSubnetCidrReservation over another", reserve("10.52.0.0/28"));
  await note("CreateSubnetCidrReservation outside of the subnet", reserve("10.52.7.0/29"));
  await note("GetSubnetCidrReservations", ec2.send(new sdk.GetSubnetCidrReservationsCommand({ SubnetId })));
  const release = new sdk.DeleteSubnetCidrReservationCommand({
    SubnetCidrReservationId: SubnetCidrReservation?.SubnetCidrReservationId ?? "",
  });
  await note("DeleteSubnetCidrReservation", ec2.send(release));
  await note("DeleteSubnetCidrReservation again", ec2.send(release));
  await note("DeleteVpc with a subnet in it", ec2.send(new sdk.DeleteVpcCommand({ VpcId })));
  await note("DeleteSubnet", ec2.send(new sdk.DeleteSubnetCommand({ SubnetId })));
  await note("DeleteSubnet again", ec2.send(new sdk.DeleteSubnetCommand({ SubnetId })));
  await leave(site, VpcId);
};

/** Internet gateways and route tables, as a cluster with public subnets has them. */
export const routes: Story = async (site, note) => {
  const { ec2 } = site;
  const { VpcId = "" } = (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock: "10.53.0.0/16" }))).Vpc ?? {};
  const { SubnetId = "" } =
    (await ec2.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock: "10.53.0.0/24", AvailabilityZone: "us-west-2a" }))).Subnet ??
    {};
  const { InternetGateway } = await note(
    "CreateInternetGateway",
    ec2.send(new sdk.CreateInternetGatewayCommand({ TagSpecifications: tagged("internet-gateway", "out") })),
  );
  const InternetGatewayId = InternetGateway?.InternetGatewayId ?? "";
  const gateway = { InternetGatewayId, VpcId };
  await note("AttachInternetGateway", ec2.send(new sdk.AttachInternetGatewayCommand(gateway)));
  await note("AttachInternetGateway again", ec2.send(new sdk.AttachInternetGatewayCommand(gateway)));
  await note(
    "DescribeInternetGateways by VPC",
    ec2.send(new sdk.DescribeInternetGatewaysCommand({ Filters: [{ Name: "attachment.vpc-id", Values: [VpcId] }] })),
  );
  await note("DeleteInternetGateway attached", ec2.send(new sdk.DeleteInternetGatewayCommand({ InternetGatewayId })));
  await tables(site, note, { VpcId, SubnetId, GatewayId: InternetGatewayId });
  await note("DeleteVpc with a gateway", ec2.send(new sdk.DeleteVpcCommand({ VpcId })));
  await note("DetachInternetGateway", ec2.send(new sdk.DetachInternetGatewayCommand(gateway)));
  await note("DetachInternetGateway again", ec2.send(new sdk.DetachInternetGatewayCommand(gateway)));
  await note("DeleteInternetGateway", ec2.send(new sdk.DeleteInternetGatewayCommand({ InternetGatewayId })));
  await note("DeleteInternetGateway again", ec2.send(new sdk.DeleteInternetGatewayCommand({ InternetGatewayId })));
  await leave(site, VpcId, SubnetId);
};

async function tables(
  { ec2 }: Site,
  note: Note,
  { VpcId, SubnetId, GatewayId }: Record<"VpcId" | "SubnetId" | "GatewayId", string>,
): Promise<void> {
  const { RouteTable } = await note(
    "CreateRouteTable",
    ec2.send(new sdk.CreateRouteTableCommand({ VpcId, TagSpecifications: tagged("route-table", "out") })),
  );
  const RouteTableId = RouteTable?.RouteTableId ?? "";
  const out = { RouteTableId, DestinationCidrBlock: "0.0.0.0/0" };
  await note("CreateRoute", ec2.send(new sdk.CreateRouteCommand({ ...out, GatewayId })));
  await note("CreateRoute again", ec2.send(new sdk.CreateRouteCommand({ ...out, GatewayId })));
  await note(
    "CreateRoute to an unknown gateway",
    ec2.send(new sdk.CreateRouteCommand({ RouteTableId, DestinationCidrBlock: "1.0.0.0/8", GatewayId: `igw-${absent}` })),
  );
  const { AssociationId = "" } = await note(
    "AssociateRouteTable",
    ec2.send(new sdk.AssociateRouteTableCommand({ RouteTableId, SubnetId })),
  );
  const Filters = [{ Name: "association.subnet-id", Values: [SubnetId] }];
  await note("DescribeRouteTables by subnet", ec2.send(new sdk.DescribeRouteTablesCommand({ Filters })));
  await note("DescribeRouteTables by VPC", ec2.send(new sdk.DescribeRouteTablesCommand({ Filters: inVpc(VpcId) })));
  await note(
    "DescribeRouteTables of an unknown id",
    ec2.send(new sdk.DescribeRouteTablesCommand({ RouteTableIds: [`rtb-${absent}`] })),
  );
  await note("DeleteRouteTable associated", ec2.send(new sdk.DeleteRouteTableCommand({ RouteTableId })));
  await note("DeleteRoute", ec2.send(new sdk.DeleteRouteCommand(out)));
  await note("DeleteRoute again", ec2.send(new sdk.DeleteRouteCommand(out)));
  await note("DisassociateRouteTable", ec2.send(new sdk.DisassociateRouteTableCommand({ AssociationId })));
  await note("DisassociateRouteTable again", ec2.send(new sdk.DisassociateRouteTableCommand({ AssociationId })));
  await note("DeleteRouteTable", ec2.send(new sdk.DeleteRouteTableCommand({ RouteTableId })));
  await note("DeleteRouteTable again", ec2.send(new sdk.DeleteRouteTableCommand({ RouteTableId })));
}

/** Takes away what a story made to stand on; the account has room for five VPCs. */
async function leave({ ec2 }: Site, VpcId: string, ...subnetIds: readonly string[]): Promise<void> {
  for (const SubnetId of subnetIds) await ec2.send(new sdk.DeleteSubnetCommand({ SubnetId }));
  await ec2.send(new sdk.DeleteVpcCommand({ VpcId }));
}
