import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { type Operations, reads, writes } from "../operation.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import type { Rule, SecurityGroup } from "./model.ts";
import { allowed, permissionsShown, removed, ruleShown } from "./security-rules.ts";
import { tagList, tagsAtBirth } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

const groupFacets: Facets<SecurityGroup> = {
  "group-id": ({ id }) => [id],
  "group-name": ({ name }) => [name],
  "vpc-id": ({ vpcId }) => [vpcId],
  description: ({ description }) => [description],
};

const ruleFacets: Facets<Rule> = {
  "group-id": ({ groupId }) => [groupId],
  "security-group-rule-id": ({ id }) => [id],
};

/** The egress rule that AWS gives to every new group: facts 6.2. */
export function anywhere(state: Ec2State, groupId: string): void {
  const born = state.universe.clock.now();
  const shape = { protocol: "-1", from: -1, to: -1, peer: "0.0.0.0/0", description: "" };
  state.rules.add({
    ...shape,
    id: state.newId("sgr"),
    type: "security-group-rule",
    tags: new Map(),
    born,
    groupId,
    isEgress: true,
  });
}

export function addGroup(
  state: Ec2State,
  wanted: { readonly vpcId: string | undefined; readonly name: string; readonly description: string },
  tags: Map<string, string>,
): SecurityGroup {
  const vpc = state.vpcs.get(wanted.vpcId);
  const { name, description } = wanted;
  // AWS's own alphabet for both, and the prefix it keeps for itself.
  const isNamed = /^[\w .:/()#,@[\]+=&;{}!$*-]{1,255}$/.test(name) && !name.startsWith("sg-");
  if (!isNamed || name === "default")
    throw fault("ec2", "InvalidParameterValue", `Value (${name}) for parameter GroupName is invalid.`);
  if (!/^[\w .:/()#,@[\]+=&;{}!$*-]{1,255}$/.test(description))
    throw fault("ec2", "InvalidParameterValue", `Value (${description}) for parameter GroupDescription is invalid.`);
  if (state.groups.all().some((group) => group.vpcId === vpc.id && group.name === name))
    throw fault("ec2", "InvalidGroup.Duplicate", `The security group '${name}' already exists for VPC '${vpc.id}'`);
  const born = state.universe.clock.now();
  const group = { id: state.newId("sg"), type: "security-group", tags, born, vpcId: vpc.id, name, description };
  state.groups.add(group);
  anywhere(state, group.id);
  return group;
}

function deleteGroup(state: Ec2State, id: string | undefined): object {
  const group = state.groups.get(id);
  if (group.name === "default")
    throw fault("ec2", "CannotDelete", `the specified group: "${group.id}" name: "default" cannot be deleted by a user`);
  const isWorn = state.interfaces.all().some(({ groupIds }) => groupIds.includes(group.id));
  const isNamed = state.rules.all().some(({ groupId, peer }) => peer === group.id && groupId !== group.id);
  if (isWorn || isNamed) throw fault("ec2", "DependencyViolation", `resource ${group.id} has a dependent object`);
  for (const rule of state.rules.all().filter(({ groupId }) => groupId === group.id)) state.rules.remove(rule.id);
  state.groups.remove(group.id);
  return {};
}

const arnOf = ({ universe: { region, account } }: Ec2State, { id }: SecurityGroup): string =>
  `arn:aws:ec2:${region}:${account}:security-group/${id}`;

const shown = (state: Ec2State, group: SecurityGroup) => {
  const rules = state.rules.all().filter(({ groupId }) => groupId === group.id);
  return {
    GroupId: group.id,
    SecurityGroupArn: arnOf(state, group),
    GroupName: group.name,
    Description: group.description,
    VpcId: group.vpcId,
    OwnerId: state.universe.account,
    IpPermissions: permissionsShown(
      state,
      rules.filter(({ isEgress }) => !isEgress),
    ),
    IpPermissionsEgress: permissionsShown(
      state,
      rules.filter(({ isEgress }) => isEgress),
    ),
    Tags: tagList(group.tags),
  };
};

const ruleOperations = (state: Ec2State): Operations => ({
  AuthorizeSecurityGroupIngress: writes<sdk.AuthorizeSecurityGroupIngressCommandInput>(
    ["GroupId", "IpPermissions", "TagSpecifications"],
    (input) => allowed(state, input, false),
  ),
  AuthorizeSecurityGroupEgress: writes<sdk.AuthorizeSecurityGroupEgressCommandInput>(
    ["GroupId", "IpPermissions", "TagSpecifications"],
    (input) => allowed(state, input, true),
  ),
  RevokeSecurityGroupIngress: writes<sdk.RevokeSecurityGroupIngressCommandInput>(
    ["GroupId", "IpPermissions", "SecurityGroupRuleIds"],
    (input) => removed(state, input, false),
  ),
  RevokeSecurityGroupEgress: writes<sdk.RevokeSecurityGroupEgressCommandInput>(
    ["GroupId", "IpPermissions", "SecurityGroupRuleIds"],
    (input) => removed(state, input, true),
  ),
  DescribeSecurityGroupRules: reads<sdk.DescribeSecurityGroupRulesCommandInput>(
    ["SecurityGroupRuleIds", "Filters", "MaxResults", "NextToken"],
    (input) => {
      const found = filtered(state.rules.seen(input.SecurityGroupRuleIds), input.Filters, ruleFacets);
      const { page, ...rest } = paged(found, input, state.pageSize);
      return { SecurityGroupRules: page.map((rule) => ruleShown(state, rule)), ...rest };
    },
  ),
});

export const securityGroupOperations = (state: Ec2State): Operations => ({
  ...ruleOperations(state),
  CreateSecurityGroup: writes<sdk.CreateSecurityGroupCommandInput>(
    ["GroupName", "Description", "VpcId", "TagSpecifications"],
    ({ GroupName: name = "", Description: description = "", VpcId: vpcId, TagSpecifications }) => {
      const tags = tagsAtBirth("security-group", TagSpecifications);
      const group = addGroup(state, { vpcId, name, description }, tags);
      return { GroupId: group.id, SecurityGroupArn: arnOf(state, group), Tags: tagList(group.tags) };
    },
  ),
  DescribeSecurityGroups: reads<sdk.DescribeSecurityGroupsCommandInput>(
    ["GroupIds", "Filters", "MaxResults", "NextToken"],
    (input) => {
      const found = filtered(state.groups.seen(input.GroupIds), input.Filters, groupFacets);
      const { page, ...rest } = paged(found, input, state.pageSize);
      return { SecurityGroups: page.map((group) => shown(state, group)), ...rest };
    },
  ),
  DeleteSecurityGroup: writes<sdk.DeleteSecurityGroupCommandInput>(["GroupId"], ({ GroupId }) => deleteGroup(state, GroupId)),
});
