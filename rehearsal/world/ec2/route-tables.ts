import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { type Operations, reads, writes } from "../operation.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import { parseBlock } from "./ipv4.ts";
import type { RouteTable } from "./model.ts";
import { tagList, tagsAtBirth } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

const subnetsOf = ({ associations }: RouteTable) => associations.flatMap(({ subnetId }) => (subnetId === null ? [] : [subnetId]));
const isMain = ({ associations }: RouteTable): boolean => associations.some(({ subnetId }) => subnetId === null);
const targets = (prefix: string) => (table: RouteTable) =>
  table.routes.flatMap(({ target }) => (target.startsWith(prefix) ? [target] : []));

const facets: Facets<RouteTable> = {
  "route-table-id": ({ id }) => [id],
  "vpc-id": ({ vpcId }) => [vpcId],
  "association.subnet-id": subnetsOf,
  "association.main": (table) => [String(isMain(table))],
  "association.route-table-association-id": ({ associations }) => associations.map(({ id }) => id),
  "route.destination-cidr-block": ({ routes }) => routes.flatMap(({ destination: to }) => (to.includes("/") ? [to] : [])),
  "route.destination-prefix-list-id": ({ routes }) => routes.flatMap(({ destination: to }) => (to.startsWith("pl-") ? [to] : [])),
  "route.gateway-id": (table) => [...targets("igw-")(table), ...targets("vpce-")(table), ...targets("local")(table)],
  "route.nat-gateway-id": targets("nat-"),
  "route.transit-gateway-id": targets("tgw-"),
  "route.vpc-peering-connection-id": targets("pcx-"),
};

const targetField = (target: string): object => {
  if (target.startsWith("nat-")) return { NatGatewayId: target };
  if (target.startsWith("tgw-")) return { TransitGatewayId: target };
  if (target.startsWith("pcx-")) return { VpcPeeringConnectionId: target };
  if (target.startsWith("eni-")) return { NetworkInterfaceId: target };
  return { GatewayId: target };
};

const shown = (state: Ec2State, table: RouteTable) => ({
  RouteTableId: table.id,
  VpcId: table.vpcId,
  OwnerId: state.universe.account,
  Routes: table.routes.map(({ destination, target }) => ({
    ...(destination.startsWith("pl-") ? { DestinationPrefixListId: destination } : { DestinationCidrBlock: destination }),
    ...targetField(target),
    State: "active",
    Origin: target === "local" ? "CreateRouteTable" : "CreateRoute",
  })),
  Associations: table.associations.map(({ id, subnetId }) => ({
    RouteTableAssociationId: id,
    RouteTableId: table.id,
    Main: subnetId === null,
    ...(subnetId === null ? {} : { SubnetId: subnetId }),
    AssociationState: { State: "associated" },
  })),
  PropagatingVgws: [],
  Tags: tagList(table.tags),
});

function create(state: Ec2State, input: sdk.CreateRouteTableCommandInput): object {
  const table = state.once<RouteTable>(
    "CreateRouteTable",
    input.ClientToken,
    input,
    () => {
      const tags = tagsAtBirth("route-table", input.TagSpecifications);
      const vpc = state.vpcs.get(input.VpcId);
      const routes = [{ destination: vpc.cidr, target: "local" }];
      const born = state.universe.clock.now();
      return state.routeTables.add({
        id: state.newId("rtb"),
        type: "route-table",
        tags,
        born,
        vpcId: vpc.id,
        routes,
        associations: [],
      });
    },
    ({ born }) => born,
  );
  return { RouteTable: shown(state, table), ...(input.ClientToken === undefined ? {} : { ClientToken: input.ClientToken }) };
}

/** A second route to the same destination is RouteAlreadyExists (facts 8.3), even when it says the same (floci-io/floci#2524). */
function addRoute(state: Ec2State, input: sdk.CreateRouteCommandInput): object {
  const table = state.routeTables.get(input.RouteTableId);
  const destination = input.DestinationCidrBlock ?? input.DestinationPrefixListId ?? "";
  if (!destination.startsWith("pl-") && parseBlock(destination) === null)
    throw fault("ec2", "InvalidParameterValue", `Value (${destination}) for parameter destinationCidrBlock is invalid.`);
  if (input.NatGatewayId !== undefined)
    throw fault("ec2", "InvalidNatGatewayID.NotFound", `${input.NatGatewayId} does not exist`);
  if (input.TransitGatewayId !== undefined)
    throw fault("ec2", "InvalidTransitGatewayID.NotFound", `${input.TransitGatewayId} does not exist`);
  if (input.VpcPeeringConnectionId !== undefined)
    throw fault("ec2", "InvalidVpcPeeringConnectionID.NotFound", `${input.VpcPeeringConnectionId} does not exist`);
  const gateway = state.gateways.get(input.GatewayId);
  if (gateway.vpcId !== table.vpcId)
    throw fault("ec2", "InvalidParameterValue", `route table ${table.id} and gateway ${gateway.id} belong to different networks`);
  if (table.routes.some((route) => route.destination === destination))
    throw fault("ec2", "RouteAlreadyExists", `The route identified by ${destination} already exists.`);
  table.routes.push({ destination, target: gateway.id });
  return { Return: true };
}

function removeRoute(state: Ec2State, input: sdk.DeleteRouteCommandInput): object {
  const table = state.routeTables.get(input.RouteTableId);
  const destination = input.DestinationCidrBlock ?? input.DestinationPrefixListId ?? "";
  const route = table.routes.find((candidate) => candidate.destination === destination);
  if (route === undefined) throw fault("ec2", "InvalidRoute.NotFound", `no route with destination ${destination} in ${table.id}`);
  if (route.target === "local" || route.target.startsWith("vpce-"))
    throw fault("ec2", "InvalidParameterValue", `cannot remove the route with destination ${destination}`);
  table.routes = table.routes.filter((candidate) => candidate !== route);
  return {};
}

function associate(state: Ec2State, input: sdk.AssociateRouteTableCommandInput): object {
  const table = state.routeTables.get(input.RouteTableId);
  const subnet = state.subnets.get(input.SubnetId);
  if (subnet.vpcId !== table.vpcId)
    throw fault("ec2", "InvalidParameterValue", `${table.id} and ${subnet.id} belong to different networks`);
  const own = table.associations.find(({ subnetId }) => subnetId === subnet.id);
  if (own !== undefined) return { AssociationId: own.id, AssociationState: { State: "associated" } };
  if (state.routeTables.all().some((other) => subnetsOf(other).includes(subnet.id)))
    throw fault("ec2", "Resource.AlreadyAssociated", `the specified association for route table ${table.id} conflicts`);
  const id = state.newId("rtbassoc");
  table.associations.push({ id, subnetId: subnet.id });
  return { AssociationId: id, AssociationState: { State: "associated" } };
}

function disassociate(state: Ec2State, { AssociationId = "" }: sdk.DisassociateRouteTableCommandInput): object {
  const table = state.routeTables.all().find(({ associations }) => associations.some(({ id }) => id === AssociationId));
  const found = table?.associations.find(({ id }) => id === AssociationId);
  if (table === undefined || found === undefined)
    throw fault("ec2", "InvalidAssociationID.NotFound", `The association ID '${AssociationId}' does not exist`);
  if (found.subnetId === null)
    throw fault("ec2", "InvalidParameterValue", "cannot disassociate the main route table association");
  table.associations = table.associations.filter((other) => other !== found);
  return {};
}

function remove(state: Ec2State, { RouteTableId }: sdk.DeleteRouteTableCommandInput): object {
  const table = state.routeTables.get(RouteTableId);
  if (table.associations.length > 0)
    throw fault("ec2", "DependencyViolation", `The routeTable '${table.id}' has dependencies and cannot be deleted.`);
  state.routeTables.remove(table.id);
  return {};
}

export const routeTableOperations = (state: Ec2State): Operations => ({
  CreateRouteTable: writes<sdk.CreateRouteTableCommandInput>(["VpcId", "ClientToken", "TagSpecifications"], (input) =>
    create(state, input),
  ),
  DescribeRouteTables: reads<sdk.DescribeRouteTablesCommandInput>(
    ["RouteTableIds", "Filters", "MaxResults", "NextToken"],
    (input) => {
      const found = filtered(state.routeTables.seen(input.RouteTableIds), input.Filters, facets);
      const { page, ...rest } = paged(found, input, state.pageSize);
      return { RouteTables: page.map((table) => shown(state, table)), ...rest };
    },
  ),
  CreateRoute: writes<sdk.CreateRouteCommandInput>(
    [
      "RouteTableId",
      "DestinationCidrBlock",
      "DestinationPrefixListId",
      "GatewayId",
      "NatGatewayId",
      "TransitGatewayId",
      "VpcPeeringConnectionId",
    ],
    (input) => addRoute(state, input),
  ),
  DeleteRoute: writes<sdk.DeleteRouteCommandInput>(["RouteTableId", "DestinationCidrBlock", "DestinationPrefixListId"], (input) =>
    removeRoute(state, input),
  ),
  AssociateRouteTable: writes<sdk.AssociateRouteTableCommandInput>(["RouteTableId", "SubnetId"], (input) =>
    associate(state, input),
  ),
  DisassociateRouteTable: writes<sdk.DisassociateRouteTableCommandInput>(["AssociationId"], (input) =>
    disassociate(state, input),
  ),
  DeleteRouteTable: writes<sdk.DeleteRouteTableCommandInput>(["RouteTableId"], (input) => remove(state, input)),
});
