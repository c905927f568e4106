import type { Lock } from "./lock.ts";
import { parameterName } from "./naming.ts";
import type { Plan } from "./plan.ts";
import { cloudProviderTag } from "./tags.ts";

export interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal: "*";
  readonly Action?: string | readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface EndpointPolicy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly Statement[];
}

type Owner = Pick<Lock, "cluster" | "generation" | "execution">;
type Place = Pick<Plan, "account" | "region">;

/** `aws` or `aws-us-gov`: as in the execution's own ARN. */
const partitionOf = ({ execution }: Owner): string => execution.split(":")[1] ?? "aws";

/** What the agent calls, without the two that read parameters (facts 5.7). */
const agentActions = [
  "ssm:DescribeAssociation",
  "ssm:DescribeDocument",
  "ssm:GetDeployablePatchSnapshotForInstance",
  "ssm:GetDocument",
  "ssm:GetManifest",
  "ssm:ListAssociations",
  "ssm:ListInstanceAssociations",
  "ssm:PutComplianceItems",
  "ssm:PutConfigurePackageResult",
  "ssm:PutInventory",
  "ssm:UpdateAssociationStatus",
  "ssm:UpdateInstanceAssociationStatus",
  "ssm:UpdateInstanceInformation",
];

/** What our scripts do with the join and kubeconfig parameters. */
const parameterActions = [
  "ssm:AddTagsToResource",
  "ssm:DeleteParameter",
  "ssm:GetParameter",
  "ssm:GetParameters",
  "ssm:PutParameter",
];

const allow = (Sid: string, account: string, Action: string | readonly string[], Resource: Statement["Resource"]): Statement => ({
  Sid,
  Effect: "Allow",
  Principal: "*",
  Action,
  Resource,
  Condition: { StringEquals: { "aws:PrincipalAccount": account } },
});

const deny = (Sid: string, what: Pick<Statement, "Action" | "NotAction">, Condition: Statement["Condition"]): Statement => ({
  Sid,
  Effect: "Deny",
  Principal: "*",
  ...what,
  Resource: "*",
  Condition,
});

const creations = ["CreateListener", "CreateLoadBalancer", "CreateTargetGroup"].map((call) => `elasticloadbalancing:${call}`);

/**
 * What no node of this cluster may do through its own endpoint, whatever its role allows: the role is one for all clusters, and only an
 * endpoint knows the cluster's tag, which the cloud provider and the EBS driver put on all that they make (facts 2.9 to 2.11). Tags that are
 * given in a create call belong to what comes to be; on what is there already nobody puts ours.
 */
function notOfOthers(service: string, owner: Owner, { account, region }: Place): readonly Statement[] {
  const own = (of: "Request" | "Resource") =>
    Object.fromEntries(Object.entries(cloudProviderTag(owner)).map(([key, value]) => [`aws:${of}Tag/${key}`, value]));
  const unlessOurs = { StringNotEquals: own("Resource") };
  if (service === "ec2") {
    const changes = ["AttachVolume", "DeleteVolume", "DetachVolume", "ModifyVolume"].map((call) => `ec2:${call}`);
    return [
      deny("OwnNewVolumes", { Action: "ec2:CreateVolume" }, { StringNotEquals: own("Request") }),
      {
        ...deny("OwnVolumes", { Action: changes }, unlessOurs),
        Resource: `arn:${partitionOf(owner)}:ec2:${region}:${account}:volume/*`,
      },
    ];
  }
  if (service !== "elasticloadbalancing") return [];
  const others = ["elasticloadbalancing:Describe*", "elasticloadbalancing:AddTags", ...creations];
  return [
    deny("OwnNewLoadBalancers", { Action: creations }, { StringNotEquals: own("Request") }),
    deny(
      "OwnTags",
      { Action: "elasticloadbalancing:AddTags" },
      { ...unlessOurs, Null: { "elasticloadbalancing:CreateAction": "true" } },
    ),
    deny("OwnLoadBalancers", { NotAction: others }, unlessOurs),
  ];
}

/**
 * Who may pass an interface endpoint: this account's principals, and no stolen key of another. Through ssm's they reach the agent's
 * actions and this generation's parameters, so that a node that all clusters' roles could serve reads no other cluster's secrets.
 */
export function interfaceEndpointPolicy(service: string, owner: Owner, { account, region }: Place): EndpointPolicy {
  if (service !== "ssm")
    return {
      Version: "2012-10-17",
      Statement: [allow("OwnAccount", account, "*", "*"), ...notOfOthers(service, owner, { account, region })],
    };
  const prefix = parameterName(owner, "join").replace(/join$/, "*");
  return {
    Version: "2012-10-17",
    Statement: [
      allow("Agent", account, agentActions, "*"),
      allow("OwnParameters", account, parameterActions, `arn:${partitionOf(owner)}:ssm:${region}:${account}:parameter${prefix}`),
    ],
  };
}

/** The Region's buckets that the SSM agent reads (facts 5.7). */
const agentBuckets = (region: string): string[] => [
  `amazon-ssm-${region}`,
  `amazon-ssm-packages-${region}`,
  `aws-ssm-${region}`,
  `patch-baseline-snapshot-${region}`,
  `${region}-birdwatcher-prod`,
];

/** S3's prefix list leads to every bucket of the Region; this leaves the bundle's folder and the agent's buckets, to read (facts 6.2). */
export function s3GatewayPolicy(owner: Owner, { account, region, bundle }: Place & Pick<Plan, "bundle">): EndpointPolicy {
  const arn = (path: string) => `arn:${partitionOf(owner)}:s3:::${path}`;
  const folder = bundle.key.replace(/[^/]*$/, "*");
  return {
    Version: "2012-10-17",
    Statement: [
      allow("Bundle", account, "s3:GetObject", arn(`${bundle.bucket}/${folder}`)),
      allow(
        "Agent",
        account,
        "s3:GetObject",
        agentBuckets(region).map((bucket) => arn(`${bucket}/*`)),
      ),
    ],
  };
}
