import { type DocumentName, documents } from "../../functions/domain/documents.ts";
import { lineFolders } from "../../functions/domain/lines.ts";
import {
  allOf,
  alreadyOurs,
  type CallTable,
  type Condition,
  type Grant,
  madeAsOurs,
  madeForService,
  type Place,
  reference,
} from "./grants.ts";

const elbSource = reference("awselasticloadbalancingv2");
const ssmSource = reference("awssystemsmanager");
const s3Source = reference("amazons3");
/** AWS lists for each call of Elastic Load Balancing what it asks EC2 in the caller's name. */
const elbPermissions = "https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html";
const elbTagging = "https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/tagging-resources-during-creation.html";

const grant = (action: string, resources: readonly string[], source: string, condition?: Condition): Grant => ({
  action,
  why: "direct",
  resources,
  ...(condition && { condition }),
  source,
});
const read = (action: string, source: string) => (): readonly Grant[] => [grant(action, ["*"], source)];

const elbArn = ({ partition, region, account }: Place, path: string): string =>
  `arn:${partition}:elasticloadbalancing:${region}:${account}:${path}`;
const elbCreate = (place: Place, call: string, on: string, tagged: string, asks: readonly string[]): readonly Grant[] => [
  grant(`elasticloadbalancing:${call}`, [elbArn(place, on)], elbSource, madeAsOurs),
  {
    action: "elasticloadbalancing:AddTags",
    why: "dependent",
    resources: [elbArn(place, tagged)],
    condition: allOf(madeAsOurs, { StringEquals: { "elasticloadbalancing:CreateAction": call } }),
    source: elbTagging,
  },
  ...asks.map((ask): Grant => ({ action: `ec2:${ask}`, why: "dependent", resources: ["*"], source: elbPermissions })),
];
const elbChange =
  (call: string, on: string, asks: readonly string[] = []) =>
  (place: Place): readonly Grant[] => [
    grant(`elasticloadbalancing:${call}`, [elbArn(place, on)], elbSource, alreadyOurs),
    ...asks.map((ask): Grant => ({ action: `ec2:${ask}`, why: "dependent", resources: ["*"], source: elbPermissions })),
  ];

/** Ours, or what the cloud provider made for a Service. */
const elbDelete = (call: string, on: string) => (place: Place) => [
  grant(`elasticloadbalancing:${call}`, [elbArn(place, on)], elbSource, alreadyOurs),
  grant(`elasticloadbalancing:${call}`, [elbArn(place, on)], elbSource, madeForService),
];

const network = "loadbalancer/net/*";

/** What each call to Elastic Load Balancing needs. */
export const elbCalls: CallTable = {
  "elb:DescribeListeners": read("elasticloadbalancing:DescribeListeners", elbSource),
  "elb:DescribeLoadBalancers": read("elasticloadbalancing:DescribeLoadBalancers", elbSource),
  "elb:DescribeTags": read("elasticloadbalancing:DescribeTags", elbSource),
  "elb:DescribeTargetGroups": read("elasticloadbalancing:DescribeTargetGroups", elbSource),
  "elb:CreateLoadBalancer": (place) => [
    ...elbCreate(place, "CreateLoadBalancer", network, network, [
      "DescribeAccountAttributes",
      "DescribeAddresses",
      "DescribeInternetGateways",
      "DescribeSecurityGroups",
      "DescribeSubnets",
      "DescribeVpcs",
    ]),
    // Only an account's first load balancer needs it.
    {
      action: "iam:CreateServiceLinkedRole",
      why: "on behalf",
      resources: [
        `arn:${place.partition}:iam::${place.account}:role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing`,
      ],
      condition: { StringEquals: { "iam:AWSServiceName": "elasticloadbalancing.amazonaws.com" } },
      source: elbPermissions,
    },
  ],
  "elb:CreateTargetGroup": (place) =>
    elbCreate(place, "CreateTargetGroup", "targetgroup/*", "targetgroup/*", ["DescribeInternetGateways", "DescribeVpcs"]),
  "elb:CreateListener": (place) => elbCreate(place, "CreateListener", network, "listener/net/*", []),
  "elb:DeleteLoadBalancer": elbDelete("DeleteLoadBalancer", network),
  "elb:DeleteTargetGroup": elbDelete("DeleteTargetGroup", "targetgroup/*"),
  "elb:ModifyLoadBalancerAttributes": elbChange("ModifyLoadBalancerAttributes", network),
  "elb:ModifyTargetGroupAttributes": elbChange("ModifyTargetGroupAttributes", "targetgroup/*"),
  "elb:RegisterTargets": elbChange("RegisterTargets", "targetgroup/*", [
    "DescribeInstances",
    "DescribeInternetGateways",
    "DescribeSubnets",
    "DescribeVpcs",
  ]),
};

const classicSource = reference("awselasticloadbalancing");

/** Of classic load balancers, which the cloud provider makes where nobody asks for another kind. */
export const elbClassicCalls: CallTable = {
  "elbClassic:DescribeLoadBalancers": read("elasticloadbalancing:DescribeLoadBalancers", classicSource),
  "elbClassic:DescribeTags": read("elasticloadbalancing:DescribeTags", classicSource),
  "elbClassic:DeleteLoadBalancer": (place) => [
    grant("elasticloadbalancing:DeleteLoadBalancer", [elbArn(place, "loadbalancer/*")], classicSource, madeForService),
  ],
};

const ssmArn = ({ partition, region, account }: Place, path: string): string =>
  `arn:${partition}:ssm:${region}:${account}:${path}`;

const send = (document: DocumentName) => (place: Place) => [
  grant("ssm:SendCommand", [ssmArn(place, `document/cloister-${document}`)], ssmSource),
  // The key that AWS's guide to Run Command uses for this.
  grant(
    "ssm:SendCommand",
    [`arn:${place.partition}:ec2:${place.region}:${place.account}:instance/*`],
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html",
    { StringLike: { "ssm:resourceTag/cloister:cluster": "*" } },
  ),
];

/** What each call to Systems Manager needs; a command's row is its document's. */
export const ssmCalls: CallTable = {
  ...Object.fromEntries(
    (Object.keys(documents) as DocumentName[]).map((document) => [`ssm:SendCommand ${document}`, send(document)]),
  ),
  "ssm:DescribeInstanceInformation": read("ssm:DescribeInstanceInformation", ssmSource),
  "ssm:GetCommandInvocation": read("ssm:GetCommandInvocation", ssmSource),
  "ssm:ListCommandInvocations": read("ssm:ListCommandInvocations", ssmSource),
  "ssm:ListCommands": read("ssm:ListCommands", ssmSource),
  "ssm:GetParameter image": (place) => [grant("ssm:GetParameter", [ssmArn(place, `parameter${lineFolders.image}*`)], ssmSource)],
  "ssm:GetParameter bundle": (place) => [
    grant("ssm:GetParameter", [ssmArn(place, `parameter${lineFolders.bundle}*`)], ssmSource),
  ],
  // Names alone are used; values come encrypted and stay so, because no kms:Decrypt stands anywhere.
  "ssm:GetParametersByPath generation": (place) => [
    grant("ssm:GetParametersByPath", [ssmArn(place, "parameter/cloister/*/g*")], ssmSource),
  ],
  "ssm:GetParametersByPath cluster": (place) => [
    grant("ssm:GetParametersByPath", [ssmArn(place, "parameter/cloister/*")], ssmSource),
  ],
  "ssm:DeleteParameter generation": (place) => [
    grant("ssm:DeleteParameter", [ssmArn(place, "parameter/cloister/*/g*/*")], ssmSource),
  ],
  "ssm:CancelCommand": () => [
    {
      ...grant("ssm:CancelCommand", ["*"], ssmSource),
      unlimited: "AWS knows no resource of it; the step cancels commands of our documents to its own cluster's nodes",
    },
  ],
  "ssm:DeleteParameter join": (place) => [
    grant("ssm:DeleteParameter", [ssmArn(place, "parameter/cloister/*/g*/join")], ssmSource),
  ],
};

/**
 * Whoever may not list gets 403 for an object that is not there, and would take it for a missing permission. S3 does not document
 * whether that silent check carries `s3:prefix`, hence IfExists.
 */
const mayBeAbsent = (bucketArn: string, prefix: string): Grant => ({
  action: "s3:ListBucket",
  why: "dependent",
  resources: [bucketArn],
  condition: { StringLikeIfExists: { "s3:prefix": prefix } },
  source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html",
});

/** What each call to S3 needs, by the kind of object. */
export const s3Calls: CallTable = {
  "s3:GetObject record": ({ bucketArn }) => [
    grant("s3:GetObject", [`${bucketArn}/clusters/*/record.json`], s3Source),
    mayBeAbsent(bucketArn, "clusters/*"),
  ],
  "s3:PutObject record": ({ bucketArn }) => [
    grant("s3:PutObject", [`${bucketArn}/clusters/*/record.json`], s3Source),
    {
      action: "s3:GetObject",
      why: "dependent",
      resources: [`${bucketArn}/clusters/*/record.json`],
      source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html",
    },
  ],
  "s3:PutObject evidence": ({ bucketArn }) => [grant("s3:PutObject", [`${bucketArn}/evidence/*`], s3Source)],
  "s3:ListObjectsV2": ({ bucketArn }) => [
    grant("s3:ListBucket", [bucketArn], s3Source, { StringLike: { "s3:prefix": "clusters/*" } }),
  ],
  "s3:GetObject evidence": ({ bucketArn }) => [
    grant("s3:GetObject", [`${bucketArn}/evidence/*`], s3Source),
    mayBeAbsent(bucketArn, "evidence/*"),
  ],
  "s3:GetObject bundle": ({ bundleBucketArn }) => [
    grant("s3:GetObject", [`${bundleBucketArn}/*`], s3Source),
    mayBeAbsent(bundleBucketArn, "*"),
  ],
};

const start =
  (machine: string) =>
  ({ partition, region, account }: Place) => [
    grant(
      "states:StartExecution",
      [`arn:${partition}:states:${region}:${account}:stateMachine:cloister-${machine}`],
      reference("awsstepfunctions"),
    ),
  ];

/** What the calls to Step Functions, EventBridge, Secrets Manager and Service Quotas need. */
export const serviceCalls: CallTable = {
  "sfn:DescribeExecution": ({ partition, region, account }) => [
    grant(
      "states:DescribeExecution",
      [`arn:${partition}:states:${region}:${account}:execution:cloister-*:*`],
      reference("awsstepfunctions"),
    ),
  ],
  "sfn:GetExecutionHistory": ({ partition, region, account }) => [
    grant(
      "states:GetExecutionHistory",
      [`arn:${partition}:states:${region}:${account}:execution:cloister-*:*`],
      reference("awsstepfunctions"),
    ),
  ],
  ...Object.fromEntries(
    ["build-cluster", "destroy-cluster", "rebuild-cluster"].map((machine) => [`sfn:StartExecution ${machine}`, start(machine)]),
  ),
  "events:PutEvents": ({ partition, region, account }) => [
    grant(
      "events:PutEvents",
      [`arn:${partition}:events:${region}:${account}:event-bus/default`],
      reference("amazoneventbridge"),
      // Nobody of ours speaks in another's name.
      { StringEquals: { "events:source": "cloister" } },
    ),
  ],
  // Under Secrets Manager's own key, which needs no grant of KMS.
  "secrets:GetSecretValue": ({ callersSecretArn }) => [
    grant("secretsmanager:GetSecretValue", [callersSecretArn], reference("awssecretsmanager")),
  ],
  // The reference names eight more actions; they are for services whose limits Service Quotas reads from the service, and not for EC2 and VPC.
  "quotas:GetServiceQuota": read("servicequotas:GetServiceQuota", reference("servicequotas")),
};
