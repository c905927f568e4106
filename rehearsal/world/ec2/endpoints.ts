import { createHash } from "node:crypto";
import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { handedBack } from "../iam.ts";
import { type Operations, reads, writes } from "../operation.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import type { Endpoint, Vpc } from "./model.ts";
import { endpointServices, privateNameOf, privateNamesOf } from "./region.ts";
import { tagList, tagsAtBirth } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

const everything = JSON.stringify({
  Version: "2008-10-17",
  Statement: [{ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }],
});

const fullName = (state: Ec2State, service: string): string => `com.amazonaws.${state.universe.region}.${service}`;
const lives = ({ state }: Endpoint): boolean => state !== "deleted" && state !== "deleting";

const facets = (state: Ec2State): Facets<Endpoint> => ({
  "vpc-endpoint-id": ({ id }) => [id],
  "vpc-id": ({ vpcId }) => [vpcId],
  "service-name": ({ service }) => [fullName(state, service)],
  // AWS takes the API's capitalised words and the wire's: facts 8.2.
  "vpc-endpoint-state": (endpoint) => [endpoint.state, endpoint.state.charAt(0).toUpperCase() + endpoint.state.slice(1)],
  "vpc-endpoint-type": ({ kind }) => [kind],
});

function shown(state: Ec2State, endpoint: Endpoint) {
  const host = `${endpoint.id}-${endpoint.id.slice(-8)}.${endpoint.service}.${state.universe.region}.vpce.amazonaws.com`;
  const names =
    endpoint.hasPrivateDns && endpoint.state === "available" ? [privateNameOf(endpoint.service, state.universe.region)] : [];
  return {
    VpcEndpointId: endpoint.id,
    VpcEndpointType: endpoint.kind,
    VpcId: endpoint.vpcId,
    ServiceName: fullName(state, endpoint.service),
    State: endpoint.state,
    PolicyDocument: handedBack(endpoint.policy),
    RouteTableIds: [...endpoint.routeTableIds],
    SubnetIds: [...endpoint.subnetIds],
    Groups: endpoint.groupIds.map((GroupId) => ({ GroupId, GroupName: state.groups.find(GroupId)?.name ?? "" })),
    PrivateDnsEnabled: endpoint.hasPrivateDns,
    RequesterManaged: false,
    NetworkInterfaceIds: [...endpoint.interfaceIds],
    // An endpoint's own names lie in a zone of AWS's, a private one in a zone of the VPC's (facts 8.2).
    DnsEntries:
      endpoint.kind === "Gateway"
        ? []
        : [host, ...names].map((DnsName) => ({ DnsName, HostedZoneId: DnsName === host ? "Z1YSA3EXCYUU9Z" : "Z0123456789ABC" })),
    CreationTimestamp: new Date(endpoint.born),
    OwnerId: state.universe.account,
    Tags: tagList(endpoint.tags),
  };
}

function checkPrivateDns(state: Ec2State, vpc: Vpc, service: string): void {
  // Both texts: facts 8.2.
  if (!vpc.dnsSupport || !vpc.dnsHostnames)
    throw fault(
      "ec2",
      "InvalidParameter",
      "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true",
    );
  const rival = state.endpoints
    .all()
    .some((other) => lives(other) && other.vpcId === vpc.id && other.service === service && other.hasPrivateDns);
  if (rival)
    throw fault(
      "ec2",
      "InvalidParameter",
      `private-dns-enabled cannot be set because there is already a conflicting DNS domain for ${privateNameOf(service, state.universe.region)} in the VPC ${vpc.id}`,
    );
}

function checkPlaces(state: Ec2State, vpc: Vpc, service: string, subnetIds: readonly string[]): void {
  const zones = subnetIds.map((id) => {
    const subnet = state.subnets.get(id);
    if (subnet.vpcId !== vpc.id) throw fault("ec2", "InvalidParameter", `Subnet ${id} is not in VPC ${vpc.id}`);
    return subnet.zone;
  });
  if (new Set(zones).size < zones.length)
    throw fault("ec2", "DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone of the subnet");
  const offered = state.endpointZones.get(service) ?? [];
  const missing = zones.find((zone) => !offered.includes(zone));
  if (missing !== undefined)
    throw fault(
      "ec2",
      "InvalidParameter",
      `The VPC endpoint service ${fullName(state, service)} does not support the availability zone of the subnet: ${missing}`,
    );
}

function checkLimit(state: Ec2State, vpc: Vpc, kind: Endpoint["kind"]): void {
  const alive = state.endpoints.all().filter((other) => lives(other) && other.kind === kind);
  const [count, limit] =
    kind === "Gateway"
      ? [alive.length, state.quotas.gatewayEndpoints]
      : [alive.filter(({ vpcId }) => vpcId === vpc.id).length, state.quotas.interfaceEndpointsPerVpc];
  if (count >= limit) throw fault("ec2", "VpcEndpointLimitExceeded", "The maximum number of VPC endpoints has been reached.");
}

function checkPolicy(policy: string): string {
  // Facts 8.2: at most 20,480 characters.
  try {
    if (policy.length > 20_480) throw new Error("too long");
    JSON.parse(policy);
    return policy;
  } catch (error) {
    throw fault("ec2", "InvalidParameter", `Policy document is invalid: ${(error as Error).message}`);
  }
}

const listOf = (state: Ec2State, service: string) => state.prefixLists.find(({ name }) => name === fullName(state, service));

function makeGateway(
  state: Ec2State,
  vpc: Vpc,
  service: string,
  input: sdk.CreateVpcEndpointCommandInput,
): Pick<Endpoint, "routeTableIds"> {
  if ((input.SubnetIds ?? []).length > 0 || input.PrivateDnsEnabled === true)
    throw fault("ec2", "InvalidParameter", "Gateway endpoints take neither subnets nor private DNS");
  const routeTableIds = [...(input.RouteTableIds ?? [])];
  const list = listOf(state, service);
  for (const id of routeTableIds) {
    const table = state.routeTables.get(id);
    if (table.vpcId !== vpc.id) throw fault("ec2", "InvalidParameter", `Route table ${id} is not in VPC ${vpc.id}`);
    if (table.routes.some(({ destination }) => destination === list?.id))
      throw fault(
        "ec2",
        "RouteAlreadyExists",
        `route table ${id} already has a route with destination-prefix-list-id ${list?.id}`,
      );
  }
  return { routeTableIds };
}

function makeInterfaces(
  state: Ec2State,
  vpc: Vpc,
  service: string,
  id: string,
  input: sdk.CreateVpcEndpointCommandInput,
): Pick<Endpoint, "subnetIds" | "groupIds" | "interfaceIds"> {
  const subnetIds = [...(input.SubnetIds ?? [])];
  if ((input.RouteTableIds ?? []).length > 0) throw fault("ec2", "InvalidParameter", "Interface endpoints take no route tables");
  checkPlaces(state, vpc, service, subnetIds);
  const groupIds = state.groupsFor(vpc.id, input.SecurityGroupIds);
  if (input.PrivateDnsEnabled === true) checkPrivateDns(state, vpc, service);
  const description = `VPC Endpoint Interface ${id}`;
  const shared = { groupIds, description, requester: "vpc-endpoint", kind: "vpc_endpoint" as const };
  const interfaceIds = subnetIds.map(
    (subnetId) => state.newInterface({ ...shared, subnetId, subject: `endpoint/${service}` }).id,
  );
  return { subnetIds, groupIds, interfaceIds };
}

function settle(state: Ec2State, endpoint: Endpoint): void {
  const { clock, chance } = state.universe;
  const name = endpoint.kind === "Gateway" ? "vpcEndpoint.gateway.available" : "vpcEndpoint.interface.available";
  const fails = state.failingEndpoints.delete(endpoint.service);
  clock.after(chance.seconds(name, endpoint.service), () => {
    if (endpoint.state !== "pending") return;
    endpoint.state = fails ? "failed" : "available";
    if (fails) return;
    endpoint.resolvableAt = clock.now() + chance.seconds("vpcEndpoint.privateDns.resolvable", endpoint.service) * 1000;
    const list = listOf(state, endpoint.service);
    if (endpoint.kind === "Gateway" && list !== undefined)
      for (const id of endpoint.routeTableIds)
        state.routeTables.find(id)?.routes.push({ destination: list.id, target: endpoint.id });
  });
}

function create(state: Ec2State, input: sdk.CreateVpcEndpointCommandInput): Endpoint {
  const tags = tagsAtBirth("vpc-endpoint", input.TagSpecifications);
  const vpc = state.vpcs.get(input.VpcId);
  const prefix = fullName(state, "");
  const service = input.ServiceName?.startsWith(prefix) === true ? input.ServiceName.slice(prefix.length) : "";
  const offer = endpointServices.find(({ name }) => name === service);
  if (offer === undefined)
    throw fault("ec2", "InvalidServiceName", `The Vpc Endpoint Service '${input.ServiceName}' does not exist`);
  const kind = input.VpcEndpointType ?? "Gateway";
  if ((kind !== "Gateway" && kind !== "Interface") || !offer.kinds.includes(kind))
    throw fault("ec2", "InvalidParameter", `The service ${input.ServiceName} has no endpoint of type ${kind}`);
  checkLimit(state, vpc, kind);
  const id = state.newId("vpce");
  const none = { routeTableIds: [], subnetIds: [], groupIds: [], interfaceIds: [] };
  const policy = checkPolicy(input.PolicyDocument ?? everything);
  const places = kind === "Gateway" ? makeGateway(state, vpc, service, input) : makeInterfaces(state, vpc, service, id, input);
  const endpoint = state.endpoints.add({
    ...none,
    ...places,
    id,
    type: "vpc-endpoint",
    tags,
    born: state.universe.clock.now(),
    vpcId: vpc.id,
    service,
    kind,
    policy,
    hasPrivateDns: input.PrivateDnsEnabled === true,
    state: "pending",
    resolvableAt: null,
  });
  settle(state, endpoint);
  return endpoint;
}

/** Answers 200 even where it failed: what could not be deleted is in `Unsuccessful` (facts 7.2). */
function remove(state: Ec2State, { VpcEndpointIds = [] }: sdk.DeleteVpcEndpointsCommandInput): object {
  const { clock, chance } = state.universe;
  const Unsuccessful: object[] = [];
  for (const id of VpcEndpointIds) {
    const refuse = (Code: string, Message: string) => Unsuccessful.push({ ResourceId: id, Error: { Code, Message } });
    const endpoint = state.endpoints.find(id);
    if (endpoint === undefined) {
      refuse("InvalidVpcEndpoint.NotFound", `The Vpc Endpoint Id '${id}' does not exist`);
      continue;
    }
    const refusal = state.refusedDeletions.get(endpoint.service);
    if (refusal !== undefined) {
      state.refusedDeletions.delete(endpoint.service);
      refuse(refusal, `${id} cannot be deleted now`);
      continue;
    }
    if (!lives(endpoint)) continue;
    endpoint.state = "deleting";
    endpoint.resolvableAt = null;
    const name = endpoint.kind === "Gateway" ? "ec2.network.delete" : "vpcEndpoint.delete";
    clock.after(chance.seconds(name, endpoint.service), () => {
      for (const table of state.routeTables.all()) table.routes = table.routes.filter(({ target }) => target !== id);
      for (const interfaceId of endpoint.interfaceIds) state.interfaces.remove(interfaceId);
      state.endpoints.remove(id);
    });
  }
  return { Unsuccessful };
}

const serviceFacets = (state: Ec2State): Facets<{ name: string; kind: string }> => ({
  "service-name": ({ name }) => [fullName(state, name)],
  "service-type": ({ kind }) => [kind],
  owner: () => ["amazon"],
});

function services(state: Ec2State, input: sdk.DescribeVpcEndpointServicesCommandInput): object {
  const all = endpointServices.flatMap(({ name, kinds }) => kinds.map((kind) => ({ name, kind })));
  for (const wanted of input.ServiceNames ?? [])
    if (!all.some(({ name }) => fullName(state, name) === wanted))
      throw fault("ec2", "InvalidServiceName", `The Vpc Endpoint Service '${wanted}' does not exist`);
  const named = all.filter(({ name }) => (input.ServiceNames ?? [fullName(state, name)]).includes(fullName(state, name)));
  const { page, ...rest } = paged(filtered(named, input.Filters, serviceFacets(state)), input, state.pageSize);
  return {
    ServiceNames: [...new Set(page.map(({ name }) => fullName(state, name)))],
    ServiceDetails: page.map(({ name, kind }) => ({
      ServiceName: fullName(state, name),
      ServiceId: `vpce-svc-${createHash("md5").update(`${name}/${kind}`).digest("hex").slice(0, 17)}`,
      ServiceType: [{ ServiceType: kind }],
      AvailabilityZones: [...(state.endpointZones.get(name) ?? [])],
      Owner: "amazon",
      BaseEndpointDnsNames: [`${name}.${state.universe.region}.${kind === "Interface" ? "vpce.amazonaws.com" : "amazonaws.com"}`],
      ...(kind === "Interface" ? privateNamesOf(name, state.universe.region) : {}),
      ManagesVpcEndpoints: false,
      Tags: [],
      VpcEndpointPolicySupported: true,
      AcceptanceRequired: false,
    })),
    ...rest,
  };
}

export const endpointOperations = (state: Ec2State): Operations => ({
  CreateVpcEndpoint: writes<sdk.CreateVpcEndpointCommandInput>(
    [
      "ClientToken",
      "VpcId",
      "ServiceName",
      "VpcEndpointType",
      "SubnetIds",
      "SecurityGroupIds",
      "RouteTableIds",
      "PrivateDnsEnabled",
      "PolicyDocument",
      "IpAddressType",
      "TagSpecifications",
    ],
    (input) => {
      const make = () => create(state, input);
      const endpoint = state.once("CreateVpcEndpoint", input.ClientToken, input, make, ({ born }) => born);
      return { VpcEndpoint: shown(state, endpoint), ClientToken: input.ClientToken };
    },
  ),
  DescribeVpcEndpoints: reads<sdk.DescribeVpcEndpointsCommandInput>(
    ["VpcEndpointIds", "Filters", "MaxResults", "NextToken"],
    (input) => {
      const found = filtered(state.endpoints.seen(input.VpcEndpointIds), input.Filters, facets(state));
      const { page, ...rest } = paged(found, input, state.pageSize);
      return { VpcEndpoints: page.map((endpoint) => shown(state, endpoint)), ...rest };
    },
  ),
  DescribeVpcEndpointServices: reads<sdk.DescribeVpcEndpointServicesCommandInput>(
    ["ServiceNames", "Filters", "MaxResults", "NextToken"],
    (input) => services(state, input),
  ),
  DeleteVpcEndpoints: writes<sdk.DeleteVpcEndpointsCommandInput>(["VpcEndpointIds"], (input) => remove(state, input)),
});
