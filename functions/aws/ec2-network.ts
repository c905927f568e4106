import {
  AssociateRouteTableCommand,
  AttachInternetGatewayCommand,
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateInternetGatewayCommand,
  CreateRouteCommand,
  CreateRouteTableCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCidrReservationCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteInternetGatewayCommand,
  DeleteVpcCommand,
  GetSubnetCidrReservationsCommand,
  ModifyVpcAttributeCommand,
  paginateDescribeInternetGateways,
  paginateDescribeManagedPrefixLists,
  paginateDescribeRouteTables,
  paginateDescribeSecurityGroups,
  paginateDescribeSubnets,
  paginateDescribeVpcs,
  RevokeSecurityGroupEgressCommand,
} from "@aws-sdk/client-ec2";
import { InternetGatewayId, RouteTableId, SecurityGroupId, SubnetId, VpcId } from "../domain/ids.ts";
import { DefectError } from "../errors.ts";
import type { Aws } from "./aws.ts";
import { fromPermissions, toPermissions } from "./ec2-rules.ts";
import { ownerFilters, tagSpecifications, tagsOf } from "./ec2-tags.ts";
import { isRefusal } from "./fault.ts";
import type { NetworkPort } from "./ports.ts";

/** Answers `refused` where AWS refuses with one of these codes, and `done` otherwise; all else is thrown on. */
async function attempt<R extends string>(
  refused: R,
  codes: readonly string[],
  call: () => Promise<unknown>,
): Promise<R | "done"> {
  try {
    await call();
    return "done";
  } catch (error) {
    if (isRefusal(error, ...codes)) return refused;
    throw error;
  }
}

const ofVpc = (vpcId: VpcId) => ({ Filters: [{ Name: "vpc-id", Values: [vpcId] }] });

export const ec2Network = ({ ec2 }: Pick<Aws, "ec2">): NetworkPort => ({
  ...networks(ec2),
  ...gateways(ec2),
  ...routing(ec2),
  ...securityGroups(ec2),
});

type Ec2 = Aws["ec2"];

const networks = (ec2: Ec2) =>
  ({
    async findVpcs(lock) {
      const found: VpcId[] = [];
      for await (const { Vpcs = [] } of paginateDescribeVpcs({ client: ec2 }, { Filters: ownerFilters(lock) }))
        found.push(...Vpcs.map((vpc) => VpcId.parse(vpc.VpcId)));
      return found.sort();
    },
    async createVpc(cidr, tags) {
      const { Vpc } = await ec2.send(
        new CreateVpcCommand({ CidrBlock: cidr, TagSpecifications: tagSpecifications(["vpc"], tags) }),
      );
      return VpcId.parse(Vpc?.VpcId);
    },
    async deleteVpc(vpcId) {
      return attempt("absent", ["InvalidVpcID.NotFound"], () => ec2.send(new DeleteVpcCommand({ VpcId: vpcId })));
    },
    async enable(vpcId, attribute) {
      // One attribute a call: AWS refuses two (facts 8.2).
      const change = attribute === "dnsSupport" ? { EnableDnsSupport: { Value: true } } : { EnableDnsHostnames: { Value: true } };
      await ec2.send(new ModifyVpcAttributeCommand({ VpcId: vpcId, ...change }));
    },
    async subnetsOf(vpcId) {
      const found = [];
      for await (const { Subnets = [] } of paginateDescribeSubnets({ client: ec2 }, ofVpc(vpcId))) {
        for (const { SubnetId: id, CidrBlock: cidr = "", AvailabilityZone: zone = "", Tags } of Subnets)
          found.push({ subnetId: SubnetId.parse(id), cidr, zone, tags: tagsOf(Tags) });
      }
      return found;
    },
    async createSubnet(vpcId, { zone, cidr }, tags) {
      return attempt("taken", ["InvalidSubnet.Conflict"], () =>
        ec2.send(
          new CreateSubnetCommand({
            VpcId: vpcId,
            AvailabilityZone: zone,
            CidrBlock: cidr,
            TagSpecifications: tagSpecifications(["subnet"], tags),
          }),
        ),
      );
    },
    async reserve(subnetId, cidr, tags) {
      const isReserved = async () => {
        const { SubnetIpv4CidrReservations = [] } = await ec2.send(new GetSubnetCidrReservationsCommand({ SubnetId: subnetId }));
        return SubnetIpv4CidrReservations.some(({ Cidr }) => Cidr === cidr);
      };
      if (await isReserved()) return;
      try {
        await ec2.send(
          new CreateSubnetCidrReservationCommand({
            SubnetId: subnetId,
            Cidr: cidr,
            ReservationType: "explicit",
            TagSpecifications: tagSpecifications(["subnet-cidr-reservation"], tags),
          }),
        );
      } catch (error) {
        // A reservation has no token; over itself AWS refuses it with a code that may mean anything (moto 5.2.5 as well).
        if (!isRefusal(error, "InvalidParameterValue") || !(await isReserved())) throw error;
      }
    },
  }) satisfies Partial<NetworkPort>;

const gateways = (ec2: Ec2) =>
  ({
    async findInternetGateways(lock) {
      const found = [];
      for await (const page of paginateDescribeInternetGateways({ client: ec2 }, { Filters: ownerFilters(lock) })) {
        for (const { InternetGatewayId: id, Attachments = [] } of page.InternetGateways ?? [])
          found.push({ internetGatewayId: InternetGatewayId.parse(id), isAttached: Attachments.length > 0 });
      }
      return found.sort((a, b) => (a.internetGatewayId < b.internetGatewayId ? -1 : 1));
    },
    async createInternetGateway(tags) {
      const TagSpecifications = tagSpecifications(["internet-gateway"], tags);
      const { InternetGateway } = await ec2.send(new CreateInternetGatewayCommand({ TagSpecifications }));
      return InternetGatewayId.parse(InternetGateway?.InternetGatewayId);
    },
    async deleteInternetGateway(id) {
      return attempt("absent", ["InvalidInternetGatewayID.NotFound"], () =>
        ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId: id })),
      );
    },
    async attachInternetGateway(id, vpcId) {
      await attempt("attached", ["Resource.AlreadyAssociated"], () =>
        ec2.send(new AttachInternetGatewayCommand({ InternetGatewayId: id, VpcId: vpcId })),
      );
    },
  }) satisfies Partial<NetworkPort>;

const routing = (ec2: Ec2) =>
  ({
    async routeTablesOf(vpcId) {
      const found = [];
      for await (const { RouteTables = [] } of paginateDescribeRouteTables({ client: ec2 }, ofVpc(vpcId))) {
        for (const { RouteTableId: id, Associations = [], Routes = [], Tags } of RouteTables) {
          found.push({
            routeTableId: RouteTableId.parse(id),
            subnetIds: Associations.flatMap(({ SubnetId: subnet }) => (subnet === undefined ? [] : [SubnetId.parse(subnet)])),
            hasDefaultRoute: Routes.some(({ DestinationCidrBlock }) => DestinationCidrBlock === "0.0.0.0/0"),
            tags: tagsOf(Tags),
          });
        }
      }
      return found;
    },
    async createRouteTable(vpcId, tags, token) {
      const TagSpecifications = tagSpecifications(["route-table"], tags);
      const { RouteTable } = await ec2.send(new CreateRouteTableCommand({ VpcId: vpcId, ClientToken: token, TagSpecifications }));
      return RouteTableId.parse(RouteTable?.RouteTableId);
    },
    async associate(routeTableId, subnetId) {
      await attempt("associated", ["Resource.AlreadyAssociated"], () =>
        ec2.send(new AssociateRouteTableCommand({ RouteTableId: routeTableId, SubnetId: subnetId })),
      );
    },
    async routeOut(routeTableId, internetGatewayId) {
      const route = { DestinationCidrBlock: "0.0.0.0/0", GatewayId: internetGatewayId };
      await attempt("present", ["RouteAlreadyExists"], () =>
        ec2.send(new CreateRouteCommand({ RouteTableId: routeTableId, ...route })),
      );
    },
  }) satisfies Partial<NetworkPort>;

const securityGroups = (ec2: Ec2) =>
  ({
    async groupsOf(vpcId) {
      const found = [];
      for await (const { SecurityGroups = [] } of paginateDescribeSecurityGroups({ client: ec2 }, ofVpc(vpcId))) {
        for (const { GroupId, GroupName: groupName = "", IpPermissions, IpPermissionsEgress, Tags } of SecurityGroups) {
          found.push({
            groupId: SecurityGroupId.parse(GroupId),
            groupName,
            rules: [...fromPermissions("ingress", IpPermissions), ...fromPermissions("egress", IpPermissionsEgress)],
            tags: tagsOf(Tags),
          });
        }
      }
      return found;
    },
    async createGroup(vpcId, groupName, description, tags) {
      return attempt("taken", ["InvalidGroup.Duplicate"], () =>
        ec2.send(
          new CreateSecurityGroupCommand({
            VpcId: vpcId,
            GroupName: groupName,
            Description: description,
            TagSpecifications: tagSpecifications(["security-group"], tags),
          }),
        ),
      );
    },
    async allow(groupId, direction, rules) {
      const input = { GroupId: groupId, IpPermissions: toPermissions(rules) };
      return attempt("present", ["InvalidPermission.Duplicate"], () =>
        direction === "ingress"
          ? ec2.send(new AuthorizeSecurityGroupIngressCommand(input))
          : ec2.send(new AuthorizeSecurityGroupEgressCommand(input)),
      );
    },
    async revokeEgress(groupId, rules) {
      await attempt("absent", ["InvalidPermission.NotFound"], () =>
        ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId: groupId, IpPermissions: toPermissions(rules) })),
      );
    },
    async prefixListOf(service) {
      const Filters = [{ Name: "prefix-list-name", Values: [service] }];
      for await (const { PrefixLists = [] } of paginateDescribeManagedPrefixLists({ client: ec2 }, { Filters })) {
        const id = PrefixLists[0]?.PrefixListId;
        if (id !== undefined) return id;
      }
      throw new DefectError(`AWS has no prefix list of ${service}`);
    },
  }) satisfies Partial<NetworkPort>;
