import {
  DescribeVpnGatewaysCommand,
  paginateDescribeEgressOnlyInternetGateways,
  paginateDescribeInstances,
  paginateDescribeInternetGateways,
  paginateDescribeManagedPrefixLists,
  paginateDescribeNatGateways,
  paginateDescribeNetworkInterfaces,
  paginateDescribeRouteTables,
  paginateDescribeSecurityGroups,
  paginateDescribeSubnets,
  paginateDescribeTransitGatewayVpcAttachments,
  paginateDescribeVpcEndpoints,
  paginateDescribeVpcPeeringConnections,
  paginateDescribeVpcs,
  type Route,
} from "@aws-sdk/client-ec2";
import type { AccountView, GroupRule } from "../domain/account-view.ts";
import type { VpcId } from "../domain/ids.ts";
import type { Aws } from "./aws.ts";
import { collect } from "./collect.ts";
import { toFoundEndpoint } from "./ec2-endpoints.ts";
import { fromPermissions, trafficOf } from "./ec2-rules.ts";
import type { FoundRule } from "./ports.ts";

/** Reads all that isolation depends on, whoever made it: by VPC, not by our tags, since what is not ours is what matters here. */
export interface InspectionPort {
  view(vpcId: VpcId, s3Service: string): Promise<AccountView>;
}

/** Ids that AWS gives as optional, sorted; gone things that linger in an answer lead nowhere. */
const alive = (items: readonly { readonly id: string | undefined; readonly state?: string | undefined }[]): string[] =>
  items
    .filter(({ state = "" }) => !/^(?:deleted|failed|rejected|expired)$/.test(state))
    .flatMap(({ id }) => (id === undefined ? [] : [id]))
    .sort();

const filter = (name: string, value: string) => [{ Name: name, Values: [value] }];

export const ec2Inspection = ({ ec2 }: Pick<Aws, "ec2">): InspectionPort => ({
  async view(vpcId, s3Service) {
    const [places, ways, guarding, machines] = await Promise.all([
      network(ec2, vpcId),
      waysOut(ec2, vpcId),
      guards(ec2, vpcId, s3Service),
      instances(ec2, vpcId),
    ]);
    return { ...places, waysOut: ways, ...guarding, instances: machines };
  },
});

type Ec2 = Aws["ec2"];

const targetOf = (route: Route): string =>
  route.GatewayId ??
  route.NatGatewayId ??
  route.EgressOnlyInternetGatewayId ??
  route.TransitGatewayId ??
  route.VpcPeeringConnectionId ??
  route.NetworkInterfaceId ??
  route.InstanceId ??
  route.LocalGatewayId ??
  route.CarrierGatewayId ??
  route.CoreNetworkArn ??
  "unknown";

const destinationOf = (route: Route): string =>
  route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock ?? route.DestinationPrefixListId ?? "unknown";

async function network(
  ec2: Ec2,
  vpcId: VpcId,
): Promise<Pick<AccountView, "addresses6" | "subnets" | "routeTables" | "interfaces">> {
  const client = { client: ec2 };
  const Filters = filter("vpc-id", vpcId);
  const [addresses6, subnets, routeTables, interfaces] = await Promise.all([
    collect(paginateDescribeVpcs(client, { VpcIds: [vpcId] }), ({ Vpcs = [] }) =>
      Vpcs.flatMap(({ Ipv6CidrBlockAssociationSet = [] }) =>
        Ipv6CidrBlockAssociationSet.map(({ Ipv6CidrBlock = "IPv6" }) => Ipv6CidrBlock),
      ),
    ),
    collect(paginateDescribeSubnets(client, { Filters }), ({ Subnets = [] }) =>
      Subnets.map(({ SubnetId = "", CidrBlock = "", MapPublicIpOnLaunch = false }) => ({
        subnetId: SubnetId,
        cidr: CidrBlock,
        givesPublicAddress: MapPublicIpOnLaunch,
      })),
    ),
    collect(paginateDescribeRouteTables(client, { Filters }), ({ RouteTables = [] }) =>
      RouteTables.map(({ RouteTableId = "", Associations = [], Routes = [] }) => ({
        routeTableId: RouteTableId,
        isMain: Associations.some(({ Main }) => Main === true),
        subnetIds: Associations.flatMap(({ SubnetId }) => (SubnetId === undefined ? [] : [SubnetId])),
        routes: Routes.map((route) => ({ destination: destinationOf(route), target: targetOf(route) })),
      })),
    ),
    collect(paginateDescribeNetworkInterfaces(client, { Filters }), ({ NetworkInterfaces = [] }) =>
      NetworkInterfaces.map(({ NetworkInterfaceId = "", SubnetId = "", Association, Ipv6Addresses = [] }) => ({
        interfaceId: NetworkInterfaceId,
        subnetId: SubnetId,
        publicAddresses: Association?.PublicIp === undefined ? [] : [Association.PublicIp],
        addresses6: Ipv6Addresses.map(({ Ipv6Address = "IPv6" }) => Ipv6Address),
      })),
    ),
  ]);
  return { addresses6, subnets, routeTables, interfaces };
}

async function waysOut(ec2: Ec2, vpcId: VpcId): Promise<AccountView["waysOut"]> {
  const client = { client: ec2 };
  const attached = { Filters: filter("attachment.vpc-id", vpcId) };
  const inVpc = filter("vpc-id", vpcId);
  const [gateways, nats, egressOnly, peerings, transits, { VpnGateways: vpns = [] }] = await Promise.all([
    collect(paginateDescribeInternetGateways(client, attached), ({ InternetGateways = [] }) => InternetGateways),
    collect(paginateDescribeNatGateways(client, { Filter: inVpc }), ({ NatGateways = [] }) => NatGateways),
    collect(
      paginateDescribeEgressOnlyInternetGateways(client, {}),
      ({ EgressOnlyInternetGateways = [] }) => EgressOnlyInternetGateways,
    ),
    collect(paginateDescribeVpcPeeringConnections(client, {}), ({ VpcPeeringConnections = [] }) => VpcPeeringConnections),
    collect(
      paginateDescribeTransitGatewayVpcAttachments(client, { Filters: inVpc }),
      ({ TransitGatewayVpcAttachments = [] }) => TransitGatewayVpcAttachments,
    ),
    // AWS offers no pages here: an account has a handful.
    ec2.send(new DescribeVpnGatewaysCommand(attached)),
  ]);
  return {
    internetGateways: alive(gateways.map(({ InternetGatewayId: id }) => ({ id }))),
    natGateways: alive(nats.map(({ NatGatewayId: id, State: state }) => ({ id, state }))),
    // Neither of these two can be filtered by the VPC at either end in one call.
    egressOnlyGateways: alive(
      egressOnly
        .filter(({ Attachments = [] }) => Attachments.some(({ VpcId }) => VpcId === vpcId))
        .map(({ EgressOnlyInternetGatewayId: id }) => ({ id })),
    ),
    peerings: alive(
      peerings
        .filter(({ AccepterVpcInfo, RequesterVpcInfo }) => AccepterVpcInfo?.VpcId === vpcId || RequesterVpcInfo?.VpcId === vpcId)
        .map(({ VpcPeeringConnectionId: id, Status }) => ({ id, state: Status?.Code })),
    ),
    transitAttachments: alive(transits.map(({ TransitGatewayAttachmentId: id, State: state }) => ({ id, state }))),
    vpnGateways: alive(vpns.map(({ VpnGatewayId: id, State: state }) => ({ id, state }))),
  };
}

const toGroupRule = (rule: FoundRule): GroupRule => ({ traffic: trafficOf(rule), peer: rule.peer });

async function guards(
  ec2: Ec2,
  vpcId: VpcId,
  s3Service: string,
): Promise<Pick<AccountView, "groups" | "endpoints" | "s3PrefixList">> {
  const client = { client: ec2 };
  const Filters = filter("vpc-id", vpcId);
  const [lists, endpoints, groups] = await Promise.all([
    collect(
      paginateDescribeManagedPrefixLists(client, { Filters: filter("prefix-list-name", s3Service) }),
      ({ PrefixLists = [] }) => PrefixLists,
    ),
    collect(paginateDescribeVpcEndpoints(client, { Filters }), ({ VpcEndpoints = [] }) => VpcEndpoints),
    collect(paginateDescribeSecurityGroups(client, { Filters }), ({ SecurityGroups = [] }) =>
      SecurityGroups.map(({ GroupId = "", IpPermissions, IpPermissionsEgress }) => ({
        groupId: GroupId,
        ingress: fromPermissions("ingress", IpPermissions).map(toGroupRule),
        egress: fromPermissions("egress", IpPermissionsEgress).map(toGroupRule),
      })),
    ),
  ]);
  return {
    groups,
    s3PrefixList: lists[0]?.PrefixListId ?? "",
    endpoints: endpoints
      .map(toFoundEndpoint)
      .filter(({ state }) => !/^(?:deleting|deleted|failed|rejected|expired)$/.test(state))
      .map(({ service, type, state, hasPrivateDns, policy }) => ({ service, type, state, hasPrivateDns, policy })),
  };
}

const instances = (ec2: Ec2, vpcId: VpcId): Promise<AccountView["instances"][number][]> => {
  const living = { Name: "instance-state-name", Values: ["pending", "running", "stopping", "stopped"] };
  return collect(
    paginateDescribeInstances({ client: ec2 }, { Filters: [...filter("vpc-id", vpcId), living] }),
    ({ Reservations = [] }) =>
      Reservations.flatMap(({ Instances = [] }) =>
        Instances.map(({ InstanceId = "", ImageId = "", SubnetId = "", SecurityGroups = [], MetadataOptions }) => ({
          instanceId: InstanceId,
          imageId: ImageId,
          subnetId: SubnetId,
          groupIds: SecurityGroups.flatMap(({ GroupId }) => (GroupId === undefined ? [] : [GroupId])),
          tokenRequired: MetadataOptions?.HttpTokens === "required",
          // Unknown counts as too far.
          hopLimit: MetadataOptions?.HttpPutResponseHopLimit ?? 64,
        })),
      ),
  );
};
