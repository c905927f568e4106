import {
  allOf,
  alreadyOurs,
  type CallTable,
  type Condition,
  type Grant,
  madeAsOurs,
  madeByDriver,
  type Place,
  reference,
} from "./grants.ts";

const source = reference("amazonec2");
const tagging = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html";

const arn = ({ partition, region, account }: Place, type: string): string =>
  `arn:${partition}:ec2:${region}:${account}:${type}/*`;
const direct = (action: string, resources: readonly string[], condition?: Condition): Grant => ({
  action: `ec2:${action}`,
  why: "direct",
  resources,
  ...(condition && { condition }),
  source,
});

/** Reads of EC2 know no single resources. */
const read = (action: string) => (): readonly Grant[] => [direct(action, ["*"])];
const readFor = (action: string, from = source): Grant => ({
  action: `ec2:${action}`,
  why: "dependent",
  resources: ["*"],
  source: from,
});

/** Tags in the create call are a request of their own, and only there: nothing that exists can be given our tag. */
const tagAtBirth = (place: Place, call: string, types: readonly string[]): Grant => ({
  action: "ec2:CreateTags",
  why: "dependent",
  resources: types.map((type) => arn(place, type)),
  condition: allOf(madeAsOurs, { StringEquals: { "ec2:CreateAction": call } }),
  source: tagging,
});

/** A create call: what comes to be carries our tag, what it is made in or from carries it already. */
const create =
  (call: string, made: readonly string[], within: readonly string[] = []) =>
  (place: Place): readonly Grant[] => [
    direct(
      call,
      made.map((type) => arn(place, type)),
      madeAsOurs,
    ),
    ...(within.length === 0
      ? []
      : [
          direct(
            call,
            within.map((type) => arn(place, type)),
            alreadyOurs,
          ),
        ]),
    tagAtBirth(place, call, made),
  ];

/** A call that changes or deletes what is there. */
const change =
  (call: string, ...types: readonly string[]) =>
  (place: Place): readonly Grant[] => [
    direct(
      call,
      types.map((type) => arn(place, type)),
      alreadyOurs,
    ),
  ];

/** Data of pods carries the driver's tag, a node's own disk ours. */
const deleteData = (call: string, type: string) => (place: Place) => [
  ...change(call, type)(place),
  direct(call, [arn(place, type)], madeByDriver),
];

/** Groups that controllers make for Services bear the cluster in the key of their only tag, and one that was leaked has none. */
const changeGroup = (call: string) => (place: Place) => [
  {
    ...direct(call, [arn(place, "security-group")]),
    unlimited: "IAM knows neither a group's name nor whose VPC it lies in; the step takes owned groups, and k8s-* in its own VPC",
  },
];

const reads = [
  "DescribeAvailabilityZones",
  "DescribeEgressOnlyInternetGateways",
  "DescribeImages",
  "DescribeInstances",
  "DescribeInstanceTypeOfferings",
  "DescribeInstanceTypes",
  "DescribeInternetGateways",
  "DescribeManagedPrefixLists",
  "DescribeNatGateways",
  "DescribeNetworkInterfaces",
  "DescribeRouteTables",
  "DescribeSecurityGroupRules",
  "DescribeSecurityGroups",
  "DescribeSnapshots",
  "DescribeSubnets",
  "DescribeTransitGatewayVpcAttachments",
  "DescribeVolumes",
  "DescribeVpcEndpoints",
  "DescribeVpcEndpointServices",
  "DescribeVpcPeeringConnections",
  "DescribeVpcs",
  "DescribeVpnGateways",
  "GetSubnetCidrReservations",
];

/** What each call to EC2 needs. */
export const ec2Calls: CallTable = {
  ...Object.fromEntries(reads.map((action) => [`ec2:${action}`, read(action)])),
  "ec2:CreateVpc": create("CreateVpc", ["vpc"]),
  "ec2:ModifyVpcAttribute": change("ModifyVpcAttribute", "vpc"),
  "ec2:DeleteVpc": change("DeleteVpc", "vpc"),
  "ec2:CreateSubnet": create("CreateSubnet", ["subnet"], ["vpc"]),
  "ec2:CreateSubnetCidrReservation": (place) => [
    ...change("CreateSubnetCidrReservation", "subnet")(place),
    tagAtBirth(place, "CreateSubnetCidrReservation", ["subnet-cidr-reservation"]),
  ],
  "ec2:CreateInternetGateway": create("CreateInternetGateway", ["internet-gateway"]),
  "ec2:AttachInternetGateway": change("AttachInternetGateway", "internet-gateway", "vpc"),
  "ec2:DeleteInternetGateway": change("DeleteInternetGateway", "internet-gateway"),
  "ec2:CreateRouteTable": create("CreateRouteTable", ["route-table"], ["vpc"]),
  "ec2:AssociateRouteTable": change("AssociateRouteTable", "route-table", "subnet"),
  "ec2:CreateRoute": change("CreateRoute", "route-table"),
  "ec2:CreateSecurityGroup": create("CreateSecurityGroup", ["security-group"], ["vpc"]),
  "ec2:AuthorizeSecurityGroupIngress": change("AuthorizeSecurityGroupIngress", "security-group"),
  "ec2:AuthorizeSecurityGroupEgress": change("AuthorizeSecurityGroupEgress", "security-group"),
  "ec2:RevokeSecurityGroupEgress": change("RevokeSecurityGroupEgress", "security-group"),
  "ec2:CreateVpcEndpoint": (place) => [
    ...create("CreateVpcEndpoint", ["vpc-endpoint"], ["vpc", "subnet", "security-group", "route-table"])(place),
    readFor("DescribeSecurityGroups"),
    readFor("DescribeSubnets"),
    readFor("DescribeVpcs"),
    // For private DNS: AWS's own hosted zone of the service, whose id nobody knows before.
    {
      action: "route53:AssociateVPCWithHostedZone",
      why: "dependent",
      resources: [`arn:${place.partition}:route53:::hostedzone/*`],
      source,
    },
  ],
  "ec2:DeleteVpcEndpoints": change("DeleteVpcEndpoints", "vpc-endpoint"),
  "ec2:RunInstances": (place) => [
    ...create("RunInstances", ["instance", "volume", "network-interface"], ["subnet", "security-group"])(place),
    direct("RunInstances", [`arn:${place.partition}:ec2:${place.region}::image/*`], {
      StringEquals: { "ec2:Owner": place.imageOwners },
    }),
    {
      action: "iam:PassRole",
      why: "dependent",
      resources: place.nodeRoleArns,
      condition: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
      source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html",
    },
  ],
  "ec2:TerminateInstances": change("TerminateInstances", "instance"),
  "ec2:DeleteVolume": deleteData("DeleteVolume", "volume"),
  "ec2:DeleteSnapshot": deleteData("DeleteSnapshot", "snapshot"),
  "ec2:DisassociateRouteTable": change("DisassociateRouteTable", "route-table", "subnet"),
  "ec2:DeleteRouteTable": change("DeleteRouteTable", "route-table"),
  "ec2:DetachInternetGateway": change("DetachInternetGateway", "internet-gateway", "vpc"),
  "ec2:DeleteSubnetCidrReservation": () => [
    {
      ...direct("DeleteSubnetCidrReservation", ["*"]),
      unlimited: "IAM knows no single reservation; the step takes those of its own subnets",
    },
  ],
  "ec2:DeleteSubnet": change("DeleteSubnet", "subnet"),
  "ec2:DeleteSecurityGroup": changeGroup("DeleteSecurityGroup"),
  "ec2:RevokeSecurityGroupIngress": changeGroup("RevokeSecurityGroupIngress"),
  "ec2:RevokeSecurityGroupEgress leaked": changeGroup("RevokeSecurityGroupEgress"),
};
