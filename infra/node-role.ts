import { readFileSync } from "node:fs";
import { Aws } from "aws-cdk-lib";
import { CfnInstanceProfile, PolicyDocument, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";

export interface NodeRoleProps {
  /** `control-plane` or `worker`: the file in policies/. */
  readonly kind: "control-plane" | "worker";
  /** What a node may read of the bundles' bucket. */
  readonly bundleArn: string;
}

/** A policy file with its places filled. `${!aws:...}` is IAM's own variable, written as CloudFormation's Sub escapes it. */
function nodePolicy(kind: NodeRoleProps["kind"], places: Readonly<Record<string, string>>): object {
  const text = readFileSync(new URL(`policies/${kind}.json`, import.meta.url), "utf8");
  const filled = text.replaceAll(/\$\{(\w+)\}/g, (whole, place: string) => {
    const value = places[place];
    if (value === undefined) throw new RangeError(`policies/${kind}.json: nothing to put in the place of ${whole}`);
    return value;
  });
  return JSON.parse(filled.replaceAll("${!", "${")) as object;
}

/** The role of a kind of node, with no more than its policy file says, and the instance profile that carries it. */
export class NodeRole extends Construct {
  readonly role: Role;
  readonly profileName: string;

  constructor(scope: Construct, id: string, { kind, bundleArn }: NodeRoleProps) {
    super(scope, id);
    const places = { Partition: Aws.PARTITION, Region: Aws.REGION, Account: Aws.ACCOUNT_ID, BundleArn: bundleArn };
    this.role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("ec2.amazonaws.com"),
      description: `Cloister: a ${kind} node`,
      inlinePolicies: { node: PolicyDocument.fromJson(nodePolicy(kind, places)) },
    });
    this.profileName = new CfnInstanceProfile(this, "Profile", { roles: [this.role.roleName] }).ref;
  }
}
