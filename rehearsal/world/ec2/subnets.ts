import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { type Operations, reads, writes } from "../operation.ts";
import { SimulationGap } from "../service.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import { overlaps, parseBlock, within } from "./ipv4.ts";
import type { Reservation, Subnet } from "./model.ts";
import { tagList, tagsAtBirth } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

const facets: Facets<Subnet> = {
  "subnet-id": ({ id }) => [id],
  "vpc-id": ({ vpcId }) => [vpcId],
  "availability-zone": ({ zone }) => [zone],
  "cidr-block": ({ cidr }) => [cidr],
  state: ({ state }) => [state],
  "map-public-ip-on-launch": ({ mapsPublicAddresses }) => [String(mapsPublicAddresses)],
};

const shown = (state: Ec2State, subnet: Subnet) => ({
  SubnetId: subnet.id,
  SubnetArn: `arn:aws:ec2:${state.universe.region}:${state.universe.account}:subnet/${subnet.id}`,
  VpcId: subnet.vpcId,
  CidrBlock: subnet.cidr,
  AvailabilityZone: subnet.zone,
  AvailabilityZoneId: zoneId(state, subnet.zone),
  AvailableIpAddressCount: state.freeAddresses(subnet),
  State: subnet.state,
  DefaultForAz: false,
  MapPublicIpOnLaunch: subnet.mapsPublicAddresses,
  AssignIpv6AddressOnCreation: false,
  Ipv6CidrBlockAssociationSet: [],
  Ipv6Native: false,
  OwnerId: state.universe.account,
  PrivateDnsNameOptionsOnLaunch: {
    HostnameType: subnet.hostnameType,
    EnableResourceNameDnsARecord: false,
    EnableResourceNameDnsAAAARecord: false,
  },
  Tags: tagList(subnet.tags),
});

export const zoneId = (state: Ec2State, zone: string): string => `usw2-az${state.zones.indexOf(zone) + 1}`;

export function addSubnet(
  state: Ec2State,
  wanted: { readonly vpcId: string | undefined; readonly cidr: string; readonly zone: string | undefined },
  tags: Map<string, string>,
): Subnet {
  const vpc = state.vpcs.get(wanted.vpcId);
  const zone = wanted.zone ?? state.zones[0] ?? "";
  if (!state.zones.includes(zone))
    throw fault("ec2", "InvalidParameterValue", `Value (${zone}) for parameter availabilityZone is invalid.`);
  const block = parseBlock(wanted.cidr);
  const outer = parseBlock(vpc.cidr);
  if (block === null || outer === null || block.prefix < 16 || block.prefix > 28 || !within(block, outer))
    throw fault("ec2", "InvalidSubnet.Range", `The CIDR '${wanted.cidr}' is invalid.`);
  const others = state.subnets.all().filter(({ vpcId }) => vpcId === vpc.id);
  for (const other of others) {
    const taken = parseBlock(other.cidr);
    if (taken !== null && overlaps(block, taken))
      throw fault("ec2", "InvalidSubnet.Conflict", `The CIDR '${wanted.cidr}' conflicts with another subnet`);
  }
  const subnet = state.subnets.add({
    id: state.newId("subnet"),
    type: "subnet",
    tags,
    born: state.universe.clock.now(),
    vpcId: vpc.id,
    cidr: wanted.cidr,
    zone,
    state: "pending",
    mapsPublicAddresses: false,
    hostnameType: "ip-name",
    reservations: [],
  });
  state.universe.clock.after(state.universe.chance.seconds("subnet.create", wanted.cidr), () => {
    subnet.state = "available";
  });
  return subnet;
}

function modify(state: Ec2State, input: sdk.ModifySubnetAttributeCommandInput): object {
  const subnet = state.subnets.get(input.SubnetId);
  const { MapPublicIpOnLaunch, PrivateDnsHostnameTypeOnLaunch } = input;
  if (MapPublicIpOnLaunch !== undefined && PrivateDnsHostnameTypeOnLaunch !== undefined)
    throw fault("ec2", "InvalidParameterCombination", "Only one attribute can be modified at a time");
  if (MapPublicIpOnLaunch?.Value !== undefined) subnet.mapsPublicAddresses = MapPublicIpOnLaunch.Value;
  if (PrivateDnsHostnameTypeOnLaunch !== undefined) subnet.hostnameType = PrivateDnsHostnameTypeOnLaunch;
  return {};
}

function deleteSubnet(state: Ec2State, id: string | undefined): object {
  const subnet = state.subnets.get(id);
  // Whether AWS lets a subnet go with its reservations is not documented: here it does not.
  if (state.interfaces.all().some(({ subnetId }) => subnetId === subnet.id) || subnet.reservations.length > 0)
    throw fault("ec2", "DependencyViolation", `The subnet '${subnet.id}' has dependencies and cannot be deleted.`);
  // An explicit association goes with its subnet.
  for (const table of state.routeTables.all())
    table.associations = table.associations.filter(({ subnetId }) => subnetId !== subnet.id);
  state.subnets.remove(subnet.id);
  return {};
}

const reservationShown = (state: Ec2State, subnet: Subnet, { id, cidr, tags }: Reservation) => ({
  SubnetCidrReservationId: id,
  SubnetId: subnet.id,
  Cidr: cidr,
  ReservationType: "explicit",
  OwnerId: state.universe.account,
  Tags: tagList(tags),
});

/** Sets addresses aside; those in use stay in use (VPC user guide, subnet CIDR reservations). */
function reserve(state: Ec2State, input: sdk.CreateSubnetCidrReservationCommandInput): object {
  const subnet = state.subnets.get(input.SubnetId);
  const tags = tagsAtBirth("subnet-cidr-reservation", input.TagSpecifications);
  if (input.ReservationType !== "explicit") throw new SimulationGap("reservations of prefixes are not modelled");
  const [block, outer] = [parseBlock(input.Cidr ?? ""), parseBlock(subnet.cidr)];
  if (block === null || outer === null || !within(block, outer))
    throw fault("ec2", "InvalidParameterValue", `Reservation CIDR should be within subnet CIDR block (${subnet.cidr})`);
  const isOver = subnet.reservations.some(({ cidr }) => {
    const other = parseBlock(cidr);
    return other !== null && overlaps(block, other);
  });
  if (isOver)
    throw fault("ec2", "InvalidParameterValue", `Reservation CIDR ${input.Cidr} has overlap with existing reserved CIDR block`);
  const reservation = { id: state.newId("scr"), cidr: input.Cidr ?? "", tags };
  subnet.reservations.push(reservation);
  return { SubnetCidrReservation: reservationShown(state, subnet, reservation) };
}

function releaseReservation(state: Ec2State, id: string | undefined): object {
  for (const subnet of state.subnets.all()) {
    const found = subnet.reservations.find((reservation) => reservation.id === id);
    if (found === undefined) continue;
    subnet.reservations = subnet.reservations.filter((reservation) => reservation !== found);
    return { DeletedSubnetCidrReservation: reservationShown(state, subnet, found) };
  }
  throw fault("ec2", "InvalidSubnetCidrReservationID.NotFound", `The subnet-cidr-reservation ID '${id}' does not exist`);
}

export const subnetOperations = (state: Ec2State): Operations => ({
  CreateSubnet: writes<sdk.CreateSubnetCommandInput>(
    ["VpcId", "CidrBlock", "AvailabilityZone", "TagSpecifications"],
    ({ VpcId: vpcId, CidrBlock: cidr = "", AvailabilityZone: zone, TagSpecifications }) => ({
      Subnet: shown(state, addSubnet(state, { vpcId, cidr, zone }, tagsAtBirth("subnet", TagSpecifications))),
    }),
  ),
  DescribeSubnets: reads<sdk.DescribeSubnetsCommandInput>(["SubnetIds", "Filters", "MaxResults", "NextToken"], (input) => {
    const { page, ...rest } = paged(filtered(state.subnets.seen(input.SubnetIds), input.Filters, facets), input, state.pageSize);
    return { Subnets: page.map((subnet) => shown(state, subnet)), ...rest };
  }),
  ModifySubnetAttribute: writes<sdk.ModifySubnetAttributeCommandInput>(
    ["SubnetId", "MapPublicIpOnLaunch", "PrivateDnsHostnameTypeOnLaunch"],
    (input) => modify(state, input),
  ),
  CreateSubnetCidrReservation: writes<sdk.CreateSubnetCidrReservationCommandInput>(
    ["SubnetId", "Cidr", "ReservationType", "TagSpecifications"],
    (input) => reserve(state, input),
  ),
  GetSubnetCidrReservations: reads<sdk.GetSubnetCidrReservationsCommandInput>(["SubnetId"], ({ SubnetId }) => {
    const subnet = state.subnets.get(SubnetId);
    return {
      SubnetIpv4CidrReservations: subnet.reservations.map((reservation) => reservationShown(state, subnet, reservation)),
      SubnetIpv6CidrReservations: [],
    };
  }),
  DeleteSubnetCidrReservation: writes<sdk.DeleteSubnetCidrReservationCommandInput>(
    ["SubnetCidrReservationId"],
    ({ SubnetCidrReservationId }) => releaseReservation(state, SubnetCidrReservationId),
  ),
  DeleteSubnet: writes<sdk.DeleteSubnetCommandInput>(["SubnetId"], ({ SubnetId }) => deleteSubnet(state, SubnetId)),
});
