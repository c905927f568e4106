import type { IpPermission, TagSpecification } from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { SimulationGap } from "../service.ts";
import { parseBlock } from "./ipv4.ts";
import type { Rule } from "./model.ts";
import { tagList, tagsAtBirth } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

type Shape = Pick<Rule, "protocol" | "from" | "to" | "peer" | "description">;

const isSame = (a: Shape, b: Shape): boolean =>
  a.protocol === b.protocol && a.from === b.from && a.to === b.to && a.peer === b.peer;

const protocols: Readonly<Record<string, string>> = {
  "6": "tcp",
  "17": "udp",
  "1": "icmp",
  tcp: "tcp",
  udp: "udp",
  icmp: "icmp",
};

/** One permission is one rule for each of its peers. */
function shapesOf(state: Ec2State, permission: IpPermission): Shape[] {
  const { IpProtocol = "", FromPort = -1, ToPort = -1 } = permission;
  if ((permission.Ipv6Ranges ?? []).length > 0) throw new SimulationGap("security group rules for IPv6");
  const protocol = IpProtocol === "-1" ? "-1" : (protocols[IpProtocol] ?? (/^\d+$/.test(IpProtocol) ? IpProtocol : ""));
  if (protocol === "") throw fault("ec2", "InvalidPermission.Malformed", `Unsupported IP protocol "${IpProtocol}"`);
  const hasPorts = protocol === "tcp" || protocol === "udp";
  if (hasPorts && (FromPort < 0 || ToPort < FromPort || ToPort > 65535))
    throw fault("ec2", "InvalidParameterValue", `Invalid port range ${FromPort}-${ToPort}`);
  // AWS ignores ports for every other protocol but ICMP, where they are type and code.
  const ports = hasPorts || protocol === "icmp" ? { from: FromPort, to: ToPort } : { from: -1, to: -1 };
  const shape = (peer: string, description = ""): Shape => ({ protocol, ...ports, peer, description });
  const shapes = [
    ...(permission.IpRanges ?? []).map(({ CidrIp = "", Description }) => {
      if (parseBlock(CidrIp) === null) throw fault("ec2", "InvalidParameterValue", `CIDR block ${CidrIp} is malformed`);
      return shape(CidrIp, Description);
    }),
    ...(permission.UserIdGroupPairs ?? []).map(({ GroupId, Description }) => shape(state.groups.get(GroupId).id, Description)),
    ...(permission.PrefixListIds ?? []).map(({ PrefixListId, Description }) => {
      const list = state.prefixLists.find(({ id }) => id === PrefixListId);
      if (list === undefined)
        throw fault("ec2", "InvalidPrefixListID.NotFound", `The prefix list ID '${PrefixListId}' does not exist`);
      return shape(list.id, Description);
    }),
  ];
  if (shapes.length === 0) throw fault("ec2", "MissingParameter", "No peer in the permission");
  return shapes;
}

const present = (state: Ec2State, groupId: string, isEgress: boolean): Rule[] =>
  state.rules.all().filter((rule) => rule.groupId === groupId && rule.isEgress === isEgress);

interface Change {
  readonly GroupId?: string | undefined;
  readonly IpPermissions?: readonly IpPermission[] | undefined;
  readonly SecurityGroupRuleIds?: readonly string[] | undefined;
  readonly TagSpecifications?: readonly TagSpecification[] | undefined;
}

/** All or nothing: one rule that is there already refuses the whole call. */
export function allowed(state: Ec2State, input: Change, isEgress: boolean): object {
  const group = state.groups.get(input.GroupId);
  const tags = tagsAtBirth("security-group-rule", input.TagSpecifications);
  const shapes = (input.IpPermissions ?? []).flatMap((permission) => shapesOf(state, permission));
  if (shapes.length === 0) throw fault("ec2", "MissingParameter", "The request must contain the parameter ipPermissions");
  const rules = present(state, group.id, isEgress);
  shapes.forEach((shape, index) => {
    if ([...rules, ...shapes.slice(0, index)].some((other) => isSame(other, shape)))
      throw fault(
        "ec2",
        "InvalidPermission.Duplicate",
        `the specified rule "peer: ${shape.peer}, ${shape.protocol}, from port: ${shape.from}, to port: ${shape.to}, ALLOW" already exists`,
      );
  });
  // Facts 8.5: 60 rules a group and direction.
  if (rules.length + shapes.length > 60)
    throw fault("ec2", "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.");
  const born = state.universe.clock.now();
  const added = shapes.map((shape) =>
    state.rules.add({
      ...shape,
      id: state.newId("sgr"),
      type: "security-group-rule",
      tags: new Map(tags),
      born,
      groupId: group.id,
      isEgress,
    }),
  );
  return { Return: true, SecurityGroupRules: added.map((rule) => ruleShown(state, rule)) };
}

export function removed(state: Ec2State, input: Change, isEgress: boolean): object {
  const group = state.groups.get(input.GroupId);
  const rules = present(state, group.id, isEgress);
  const byId = (input.SecurityGroupRuleIds ?? []).map((id) => {
    const rule = rules.find((candidate) => candidate.id === id);
    if (rule === undefined) throw fault("ec2", "InvalidSecurityGroupRuleId.NotFound", `The rule '${id}' does not exist`);
    return rule;
  });
  const shapes = (input.IpPermissions ?? []).flatMap((permission) => shapesOf(state, permission));
  const byShape = shapes.map((shape) => {
    const rule = rules.find((candidate) => isSame(candidate, shape));
    if (rule === undefined)
      throw fault("ec2", "InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
    return rule;
  });
  for (const rule of [...byId, ...byShape]) state.rules.remove(rule.id);
  return { Return: true };
}

function peerShown(state: Ec2State, peer: string) {
  if (peer.startsWith("sg-")) return { ReferencedGroupInfo: { GroupId: peer, UserId: state.universe.account } };
  return peer.startsWith("pl-") ? { PrefixListId: peer } : { CidrIpv4: peer };
}

export const ruleShown = (state: Ec2State, rule: Rule) => ({
  SecurityGroupRuleId: rule.id,
  GroupId: rule.groupId,
  GroupOwnerId: state.universe.account,
  IsEgress: rule.isEgress,
  IpProtocol: rule.protocol,
  FromPort: rule.from,
  ToPort: rule.to,
  ...peerShown(state, rule.peer),
  ...(rule.description === "" ? {} : { Description: rule.description }),
  Tags: tagList(rule.tags),
});

/** DescribeSecurityGroups gathers the peers of one protocol and port range in one permission. */
export function permissionsShown(state: Ec2State, rules: readonly Rule[]) {
  const ranges = Map.groupBy(rules, ({ protocol, from, to }) => `${protocol}/${from}/${to}`);
  return [...ranges.values()].map((group) => {
    const [{ protocol, from, to } = { protocol: "-1", from: -1, to: -1 }] = group;
    const described = ({ description }: Rule) => (description === "" ? {} : { Description: description });
    const pick = (isPeer: (peer: string) => boolean) => group.filter(({ peer }) => isPeer(peer));
    return {
      IpProtocol: protocol,
      ...(protocol === "-1" ? {} : { FromPort: from, ToPort: to }),
      IpRanges: pick((peer) => peer.includes("/")).map((rule) => ({ CidrIp: rule.peer, ...described(rule) })),
      Ipv6Ranges: [],
      PrefixListIds: pick((peer) => peer.startsWith("pl-")).map((rule) => ({ PrefixListId: rule.peer, ...described(rule) })),
      UserIdGroupPairs: pick((peer) => peer.startsWith("sg-")).map((rule) => ({
        GroupId: rule.peer,
        UserId: state.universe.account,
        ...described(rule),
      })),
    };
  });
}
