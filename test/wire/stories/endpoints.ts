import * as sdk from "@aws-sdk/client-ec2";
import type { Site } from "../sides.ts";
import type { Note, Story } from "../story.ts";
import { inVpc, tagged } from "./network.ts";

export interface Place {
  readonly VpcId: string;
  readonly subnetIds: readonly string[];
  readonly GroupId: string;
  readonly RouteTableId: string;
}

/** Two private subnets, a group and a route table: what endpoints, machines and balancers stand on. */
export async function place({ ec2, pass }: Site, net: string): Promise<Place> {
  const { VpcId = "" } = (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock: `${net}.0.0/16` }))).Vpc ?? {};
  const subnetIds: string[] = [];
  for (const zone of ["a", "b"]) {
    const CidrBlock = `${net}.${subnetIds.length}.0/24`;
    const { Subnet } = await ec2.send(new sdk.CreateSubnetCommand({ VpcId, CidrBlock, AvailabilityZone: `us-west-2${zone}` }));
    subnetIds.push(Subnet?.SubnetId ?? "");
  }
  const { GroupId = "" } = await ec2.send(
    new sdk.CreateSecurityGroupCommand({ VpcId, GroupName: `story-${net}`, Description: "of a story" }),
  );
  const { RouteTableId = "" } = (await ec2.send(new sdk.CreateRouteTableCommand({ VpcId }))).RouteTable ?? {};
  await pass(60);
  return { VpcId, subnetIds, GroupId, RouteTableId };
}

/** Endpoints of both kinds, from their creation to their end. */
export const endpoints: Story = async (site, note) => {
  const { ec2, pass } = site;
  const where = await place(site, "10.55");
  const { VpcId, subnetIds, GroupId, RouteTableId } = where;
  const Policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }] };
  const shared = { VpcId, PolicyDocument: JSON.stringify(Policy), TagSpecifications: tagged("vpc-endpoint", "door") };
  const door = (service: string, change: Partial<sdk.CreateVpcEndpointCommandInput> = {}) =>
    ec2.send(
      new sdk.CreateVpcEndpointCommand({
        ...shared,
        ServiceName: `com.amazonaws.us-west-2.${service}`,
        VpcEndpointType: "Interface",
        SubnetIds: [...subnetIds],
        SecurityGroupIds: [GroupId],
        PrivateDnsEnabled: true,
        ...change,
      }),
    );
  await note(
    "DescribeVpcEndpointServices",
    ec2.send(new sdk.DescribeVpcEndpointServicesCommand({ ServiceNames: ["com.amazonaws.us-west-2.ssm"] })),
  );
  await note(
    "DescribeVpcEndpointServices of an unknown name",
    ec2.send(new sdk.DescribeVpcEndpointServicesCommand({ ServiceNames: ["com.amazonaws.us-west-2.none"] })),
  );
  await note("CreateVpcEndpoint with private names in a VPC without host names", door("ssm"));
  await ec2.send(new sdk.ModifyVpcAttributeCommand({ VpcId, EnableDnsHostnames: { Value: true } }));
  const { VpcEndpoint: ec2Door } = await note("CreateVpcEndpoint", door("ec2", { ClientToken: "one" }));
  await note("CreateVpcEndpoint with the same token", door("ec2", { ClientToken: "one" }));
  await note("CreateVpcEndpoint with private names that are taken", door("ec2"));
  await note("CreateVpcEndpoint of an unknown service", door("none"));
  await note("CreateVpcEndpoint in an unknown subnet", door("sts", { SubnetIds: ["subnet-0123456789abcdef0"] }));
  const { VpcEndpoint: s3Door } = await note(
    "CreateVpcEndpoint of a gateway",
    ec2.send(
      new sdk.CreateVpcEndpointCommand({
        ...shared,
        ServiceName: "com.amazonaws.us-west-2.s3",
        VpcEndpointType: "Gateway",
        RouteTableIds: [RouteTableId],
      }),
    ),
  );
  await pass(900);
  await doors(site, note, where, [ec2Door, s3Door]);
};

/** Endpoints that have been made: how they look, what they hold, and their end. */
async function doors(
  { ec2, pass }: Site,
  note: Note,
  { VpcId, subnetIds, GroupId, RouteTableId }: Place,
  made: readonly (sdk.VpcEndpoint | undefined)[],
): Promise<void> {
  const VpcEndpointIds = made.map((door) => door?.VpcEndpointId ?? "");
  await note("DescribeVpcEndpoints by id", ec2.send(new sdk.DescribeVpcEndpointsCommand({ VpcEndpointIds })));
  const absent = ["vpce-0123456789abcdef0"];
  await note("DescribeVpcEndpoints of an unknown id", ec2.send(new sdk.DescribeVpcEndpointsCommand({ VpcEndpointIds: absent })));
  const NetworkInterfaceIds = made[0]?.NetworkInterfaceIds ?? [];
  await note(
    "DescribeNetworkInterfaces of an endpoint",
    ec2.send(new sdk.DescribeNetworkInterfacesCommand({ NetworkInterfaceIds })),
  );
  await note(
    "DescribeRouteTables with a gateway endpoint",
    ec2.send(new sdk.DescribeRouteTablesCommand({ RouteTableIds: [RouteTableId] })),
  );
  await note("DeleteSecurityGroup of an endpoint", ec2.send(new sdk.DeleteSecurityGroupCommand({ GroupId })));
  await note("DeleteSubnet of an endpoint", ec2.send(new sdk.DeleteSubnetCommand({ SubnetId: subnetIds[1] ?? "" })));
  await note("DeleteVpcEndpoints", ec2.send(new sdk.DeleteVpcEndpointsCommand({ VpcEndpointIds })));
  await note("DeleteVpcEndpoints of an unknown id", ec2.send(new sdk.DeleteVpcEndpointsCommand({ VpcEndpointIds: absent })));
  await pass(900);
  await note("DescribeVpcEndpoints once deleted", ec2.send(new sdk.DescribeVpcEndpointsCommand({ VpcEndpointIds })));
  await note(
    "DescribeVpcEndpoints by VPC once deleted",
    ec2.send(new sdk.DescribeVpcEndpointsCommand({ Filters: inVpc(VpcId) })),
  );
}
