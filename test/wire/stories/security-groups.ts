import * as sdk from "@aws-sdk/client-ec2";
import type { Site } from "../sides.ts";
import type { Note, Story } from "../story.ts";
import { inVpc, tagged } from "./network.ts";

const port = (from: number, peer: Partial<sdk.IpPermission>): sdk.IpPermission => ({
  IpProtocol: "tcp",
  FromPort: from,
  ToPort: from,
  ...peer,
});

/** Groups that let each other in, as the nodes' do, and what is refused about them. */
export const securityGroups: Story = async (site, note) => {
  const { ec2 } = site;
  const { VpcId = "" } = (await ec2.send(new sdk.CreateVpcCommand({ CidrBlock: "10.54.0.0/16" }))).Vpc ?? {};
  const group = (GroupName: string, change: Partial<sdk.CreateSecurityGroupCommandInput> = {}) =>
    ec2.send(
      new sdk.CreateSecurityGroupCommand({
        GroupName,
        Description: `${GroupName} of a story`,
        VpcId,
        TagSpecifications: tagged("security-group", GroupName),
        ...change,
      }),
    );
  const { GroupId = "" } = await note("CreateSecurityGroup", group("nodes"));
  await note("CreateSecurityGroup again", group("nodes"));
  await note("CreateSecurityGroup in an unknown VPC", group("lost", { VpcId: "vpc-0123456789abcdef0" }));
  const { GroupId: other = "" } = await group("others");
  const permissions = [
    port(6443, { IpRanges: [{ CidrIp: "10.54.0.0/16", Description: "the API" }] }),
    port(10250, { UserIdGroupPairs: [{ GroupId: other }] }),
  ];
  const ingress = (GroupId: string, IpPermissions: sdk.IpPermission[]) =>
    ec2.send(new sdk.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
  await note(
    "AuthorizeSecurityGroupIngress",
    ec2.send(
      new sdk.AuthorizeSecurityGroupIngressCommand({
        GroupId,
        IpPermissions: permissions.slice(0, 1),
        TagSpecifications: tagged("security-group-rule", "api"),
      }),
    ),
  );
  await note("AuthorizeSecurityGroupIngress from a group", ingress(GroupId, permissions.slice(1)));
  await note("AuthorizeSecurityGroupIngress again", ingress(GroupId, permissions.slice(0, 1)));
  await note("AuthorizeSecurityGroupIngress of an unknown group", ingress("sg-0123456789abcdef0", permissions.slice(0, 1)));
  await egress(site, note, GroupId);
  await note("DescribeSecurityGroups by VPC", ec2.send(new sdk.DescribeSecurityGroupsCommand({ Filters: inVpc(VpcId) })));
  await note("DescribeSecurityGroups by id", ec2.send(new sdk.DescribeSecurityGroupsCommand({ GroupIds: [GroupId] })));
  await note(
    "DescribeSecurityGroups of an unknown id",
    ec2.send(new sdk.DescribeSecurityGroupsCommand({ GroupIds: ["sg-0123456789abcdef0"] })),
  );
  await note(
    "DescribeSecurityGroupRules",
    ec2.send(new sdk.DescribeSecurityGroupRulesCommand({ Filters: [{ Name: "group-id", Values: [GroupId] }] })),
  );
  const revoke = { GroupId, IpPermissions: permissions };
  await note("RevokeSecurityGroupIngress", ec2.send(new sdk.RevokeSecurityGroupIngressCommand(revoke)));
  await note("RevokeSecurityGroupIngress again", ec2.send(new sdk.RevokeSecurityGroupIngressCommand(revoke)));
  await ingress(GroupId, permissions.slice(1));
  await note("DeleteSecurityGroup that another names", ec2.send(new sdk.DeleteSecurityGroupCommand({ GroupId: other })));
  await note("DeleteVpc with a group", ec2.send(new sdk.DeleteVpcCommand({ VpcId })));
  await note("DeleteSecurityGroup", ec2.send(new sdk.DeleteSecurityGroupCommand({ GroupId })));
  await note("DeleteSecurityGroup again", ec2.send(new sdk.DeleteSecurityGroupCommand({ GroupId })));
};

/** What a group lets out: everything at first, and S3's list in its place. */
async function egress({ ec2 }: Site, note: Note, GroupId: string): Promise<void> {
  const all = { GroupId, IpPermissions: [{ IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] }] };
  await note("AuthorizeSecurityGroupEgress of what is there", ec2.send(new sdk.AuthorizeSecurityGroupEgressCommand(all)));
  await note("RevokeSecurityGroupEgress", ec2.send(new sdk.RevokeSecurityGroupEgressCommand(all)));
  await note("RevokeSecurityGroupEgress again", ec2.send(new sdk.RevokeSecurityGroupEgressCommand(all)));
  const { PrefixLists } = await note(
    "DescribeManagedPrefixLists",
    ec2.send(
      new sdk.DescribeManagedPrefixListsCommand({
        Filters: [{ Name: "prefix-list-name", Values: ["com.amazonaws.us-west-2.s3"] }],
      }),
    ),
  );
  const PrefixListId = PrefixLists?.[0]?.PrefixListId ?? "";
  await note("GetManagedPrefixListEntries", ec2.send(new sdk.GetManagedPrefixListEntriesCommand({ PrefixListId })));
  const toS3 = { GroupId, IpPermissions: [port(443, { PrefixListIds: [{ PrefixListId }] })] };
  await note("AuthorizeSecurityGroupEgress", ec2.send(new sdk.AuthorizeSecurityGroupEgressCommand(toS3)));
}
