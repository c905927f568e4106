import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { type Operations, reads, writes } from "../operation.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import { parseBlock } from "./ipv4.ts";
import type { Vpc } from "./model.ts";
import { anywhere } from "./security-groups.ts";
import { tagList, tagsAtBirth } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

const facets: Facets<Vpc> = {
  "vpc-id": ({ id }) => [id],
  cidr: ({ cidr }) => [cidr],
  "cidr-block-association.cidr-block": ({ cidr }) => [cidr],
  state: ({ state }) => [state],
  "is-default": () => ["false"],
};

const shown = (state: Ec2State, vpc: Vpc) => ({
  VpcId: vpc.id,
  CidrBlock: vpc.cidr,
  State: vpc.state,
  IsDefault: false,
  InstanceTenancy: "default",
  OwnerId: state.universe.account,
  DhcpOptionsId: "dopt-0123456789abcdef0",
  CidrBlockAssociationSet: [
    {
      AssociationId: vpc.id.replace(/^vpc-/, "vpc-cidr-assoc-"),
      CidrBlock: vpc.cidr,
      CidrBlockState: { State: "associated" },
    },
  ],
  Ipv6CidrBlockAssociationSet: [],
  Tags: tagList(vpc.tags),
});

/** A VPC comes with its main route table and its default group, which lets its own members in. */
export function addVpc(state: Ec2State, cidr: string, tags: Map<string, string>): Vpc {
  const block = parseBlock(cidr);
  if (block === null) throw fault("ec2", "InvalidParameterValue", `Value (${cidr}) for parameter cidrBlock is invalid.`);
  if (block.prefix < 16 || block.prefix > 28) throw fault("ec2", "InvalidVpc.Range", `The CIDR '${cidr}' is invalid.`);
  if (state.vpcs.all().length >= state.quotas.vpcs)
    throw fault("ec2", "VpcLimitExceeded", "The maximum number of VPCs has been reached.");
  const born = state.universe.clock.now();
  const vpc = state.vpcs.add({
    id: state.newId("vpc"),
    type: "vpc",
    tags,
    born,
    cidr,
    state: "pending",
    dnsSupport: true,
    dnsHostnames: false,
  });
  state.routeTables.add({
    id: state.newId("rtb"),
    type: "route-table",
    tags: new Map(),
    born,
    vpcId: vpc.id,
    routes: [{ destination: cidr, target: "local" }],
    associations: [{ id: state.newId("rtbassoc"), subnetId: null }],
  });
  const group = state.groups.add({
    id: state.newId("sg"),
    type: "security-group",
    tags: new Map(),
    born,
    vpcId: vpc.id,
    name: "default",
    description: "default VPC security group",
  });
  const all = { groupId: group.id, protocol: "-1", from: -1, to: -1, description: "" };
  state.rules.add({
    ...all,
    id: state.newId("sgr"),
    type: "security-group-rule",
    tags: new Map(),
    born,
    isEgress: false,
    peer: group.id,
  });
  anywhere(state, group.id);
  const seconds = state.universe.chance.seconds("vpc.create", cidr);
  state.universe.clock.after(seconds, () => {
    vpc.state = "available";
  });
  return vpc;
}

function deleteVpc(state: Ec2State, id: string | undefined): object {
  const vpc = state.vpcs.get(id);
  const inside = (item: { readonly vpcId: string | null }) => item.vpcId === vpc.id;
  const isBusy =
    state.subnets.all().some(inside) ||
    state.gateways.all().some(inside) ||
    state.interfaces.all().some(inside) ||
    state.endpoints.all().some((endpoint) => inside(endpoint) && endpoint.state !== "deleted") ||
    state.groups.all().some((group) => inside(group) && group.name !== "default") ||
    state.routeTables.all().some((table) => inside(table) && !table.associations.some(({ subnetId }) => subnetId === null));
  if (isBusy) throw fault("ec2", "DependencyViolation", `The vpc '${vpc.id}' has dependencies and cannot be deleted.`);
  for (const group of state.groups.all().filter(inside)) {
    for (const rule of state.rules.all().filter(({ groupId }) => groupId === group.id)) state.rules.remove(rule.id);
    state.groups.remove(group.id);
  }
  for (const table of state.routeTables.all().filter(inside)) state.routeTables.remove(table.id);
  state.vpcs.remove(vpc.id);
  return {};
}

function modify(state: Ec2State, input: sdk.ModifyVpcAttributeCommandInput): object {
  const vpc = state.vpcs.get(input.VpcId);
  const { EnableDnsSupport, EnableDnsHostnames } = input;
  // One attribute a call: facts 8.2.
  if ((EnableDnsSupport === undefined) === (EnableDnsHostnames === undefined))
    throw fault("ec2", "InvalidParameterCombination", "Exactly one attribute can be modified at a time");
  if (EnableDnsSupport?.Value !== undefined) vpc.dnsSupport = EnableDnsSupport.Value;
  if (EnableDnsHostnames?.Value !== undefined) vpc.dnsHostnames = EnableDnsHostnames.Value;
  return {};
}

export const vpcOperations = (state: Ec2State): Operations => ({
  CreateVpc: writes<sdk.CreateVpcCommandInput>(
    ["CidrBlock", "InstanceTenancy", "TagSpecifications"],
    ({ CidrBlock = "", TagSpecifications }) => ({
      Vpc: shown(state, addVpc(state, CidrBlock, tagsAtBirth("vpc", TagSpecifications))),
    }),
  ),
  DescribeVpcs: reads<sdk.DescribeVpcsCommandInput>(["VpcIds", "Filters", "MaxResults", "NextToken"], (input) => {
    const { page, ...rest } = paged(filtered(state.vpcs.seen(input.VpcIds), input.Filters, facets), input, state.pageSize);
    return { Vpcs: page.map((vpc) => shown(state, vpc)), ...rest };
  }),
  ModifyVpcAttribute: writes<sdk.ModifyVpcAttributeCommandInput>(["VpcId", "EnableDnsSupport", "EnableDnsHostnames"], (input) =>
    modify(state, input),
  ),
  DescribeVpcAttribute: reads<sdk.DescribeVpcAttributeCommandInput>(["VpcId", "Attribute"], ({ VpcId, Attribute }) => {
    const vpc = state.vpcs.get(VpcId);
    if (Attribute === "enableDnsSupport") return { VpcId, EnableDnsSupport: { Value: vpc.dnsSupport } };
    if (Attribute === "enableDnsHostnames") return { VpcId, EnableDnsHostnames: { Value: vpc.dnsHostnames } };
    throw fault("ec2", "InvalidParameterValue", `Value (${Attribute}) for parameter attribute is invalid.`);
  }),
  DeleteVpc: writes<sdk.DeleteVpcCommandInput>(["VpcId"], ({ VpcId }) => deleteVpc(state, VpcId)),
});
