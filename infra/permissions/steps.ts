import type { DocumentName } from "../../functions/domain/documents.ts";
import { ec2Calls } from "./ec2-calls.ts";
import type { CallTable, Grant, Place } from "./grants.ts";
import { elbCalls, elbClassicCalls, s3Calls, serviceCalls, ssmCalls } from "./other-calls.ts";

/** Every call that any step may make, and the actions it needs. */
const callTable: CallTable = { ...ec2Calls, ...elbCalls, ...elbClassicCalls, ...ssmCalls, ...s3Calls, ...serviceCalls };

/** The fence of a step that changes something reads the record. */
const fence = ["s3:GetObject record"];
const changeRecord = [...fence, "s3:PutObject record"];
/** Whoever takes the lock asks whether its holders still run. */
const takeLock = [...changeRecord, "sfn:DescribeExecution"];
const evidence = ["s3:PutObject evidence"];
/** Finds its earlier command, or sends one. */
const command = (document: DocumentName): readonly string[] => [...fence, "ssm:ListCommands", `ssm:SendCommand ${document}`];
const ec2 = (...operations: readonly string[]): readonly string[] => operations.map((operation) => `ec2:${operation}`);
const elb = (...operations: readonly string[]): readonly string[] => operations.map((operation) => `elb:${operation}`);

/** What a generation holds, as the census before a commit and after a failure counts it. */
const census = [
  ...ec2(
    "DescribeInstances",
    "DescribeInternetGateways",
    "DescribeRouteTables",
    "DescribeSecurityGroups",
    "DescribeSubnets",
    "DescribeVpcEndpoints",
    "DescribeVpcs",
  ),
  ...elb("DescribeLoadBalancers"),
];
/** Everything that a tear-down looks for: in EC2 by tag, VPC and name, and among the account's load balancers. */
const everything = ec2(
  "DescribeInstances",
  "DescribeInternetGateways",
  "DescribeNatGateways",
  "DescribeNetworkInterfaces",
  "DescribeRouteTables",
  "DescribeSecurityGroups",
  "DescribeSnapshots",
  "DescribeSubnets",
  "DescribeVolumes",
  "DescribeVpcEndpoints",
  "DescribeVpcs",
);
/** Volumes and snapshots lie in no VPC. */
const inVpc = everything.filter((call) => !/Volumes|Snapshots/.test(call));
const balancers = [
  ...elb("DescribeLoadBalancers", "DescribeTags", "DescribeTargetGroups"),
  "elbClassic:DescribeLoadBalancers",
  "elbClassic:DescribeTags",
];
const launch = ec2("DescribeInstances", "RunInstances");

/** The calls of each step, and of the functions that no machine calls. A test holds this against the calls that they make. */
export const stepCalls: Readonly<Record<string, readonly string[]>> = {
  "validate-request": [
    ...ec2(
      "DescribeAvailabilityZones",
      "DescribeImages",
      "DescribeInstanceTypeOfferings",
      "DescribeInstanceTypes",
      "DescribeInstances",
      "DescribeVpcEndpointServices",
      "DescribeVpcs",
    ),
    "quotas:GetServiceQuota",
    "ssm:GetParameter bundle",
    "ssm:GetParameter image",
    "s3:GetObject bundle",
  ],
  "acquire-lock": takeLock,
  "create-network": [
    ...changeRecord,
    ...ec2(
      "AssociateRouteTable",
      "AttachInternetGateway",
      "AuthorizeSecurityGroupEgress",
      "AuthorizeSecurityGroupIngress",
      "CreateInternetGateway",
      "CreateRoute",
      "CreateRouteTable",
      "CreateSecurityGroup",
      "CreateSubnet",
      "CreateSubnetCidrReservation",
      "CreateVpc",
      "DeleteInternetGateway",
      "DeleteVpc",
      "DescribeInternetGateways",
      "DescribeManagedPrefixLists",
      "DescribeRouteTables",
      "DescribeSecurityGroups",
      "DescribeSubnets",
      "DescribeVpcs",
      "GetSubnetCidrReservations",
      "ModifyVpcAttribute",
      "RevokeSecurityGroupEgress",
    ),
  ],
  "create-endpoints": [...fence, ...ec2("CreateVpcEndpoint", "DeleteVpcEndpoints", "DescribeVpcEndpoints")],
  "wait-for-dns": ec2("DescribeVpcEndpoints"),
  "launch-nodes": [...fence, ...launch],
  "create-api-endpoint": [
    ...fence,
    ...elb(
      "CreateListener",
      "CreateLoadBalancer",
      "CreateTargetGroup",
      "DescribeListeners",
      "DescribeLoadBalancers",
      "DescribeTags",
      "DescribeTargetGroups",
      "ModifyLoadBalancerAttributes",
      "ModifyTargetGroupAttributes",
      "RegisterTargets",
    ),
  ],
  "wait-for-api-endpoint": elb("DescribeLoadBalancers"),
  "wait-for-nodes": [...fence, ...launch, ...ec2("TerminateInstances"), "ssm:DescribeInstanceInformation"],
  "check-dns": command("check-dns"),
  "preload-images": command("preload-images"),
  "kubeadm-init": command("kubeadm-init"),
  "capture-join": command("capture-join"),
  "install-networking": command("install-manifests"),
  "join-control-planes": command("join"),
  "join-workers": command("join"),
  "install-storage": command("install-manifests"),
  "verify-cluster": command("verify-cluster"),
  "probe-isolation": command("probe-isolation"),
  "revoke-join": [...command("revoke-join"), ...elb("DescribeTargetGroups", "RegisterTargets"), "ssm:DeleteParameter join"],
  "certify-isolation": [
    ...fence,
    ...evidence,
    ...ec2(
      "DescribeEgressOnlyInternetGateways",
      "DescribeInstances",
      "DescribeInternetGateways",
      "DescribeManagedPrefixLists",
      "DescribeNatGateways",
      "DescribeNetworkInterfaces",
      "DescribeRouteTables",
      "DescribeSecurityGroups",
      "DescribeSubnets",
      "DescribeTransitGatewayVpcAttachments",
      "DescribeVpcEndpoints",
      "DescribeVpcPeeringConnections",
      "DescribeVpcs",
      "DescribeVpnGateways",
    ),
    "ssm:GetParametersByPath generation",
    "ssm:ListCommandInvocations",
  ],
  "publish-access": command("publish-access"),
  "commit-generation": [...changeRecord, ...census],
  "release-lock": changeRecord,
  "await-command": ["ssm:GetCommandInvocation", "ssm:ListCommandInvocations", "ssm:ListCommands"],
  "record-failure": [...changeRecord, ...evidence, ...census],
  "cancel-commands": [...fence, "ssm:ListCommands", "ssm:CancelCommand"],
  "await-cancelled": ["ssm:ListCommands"],
  "acquire-teardown-lock": [...takeLock, ...everything, "ssm:GetParametersByPath cluster"],
  "release-resources": [...command("release-resources"), ...ec2("DescribeInstances"), "ssm:DescribeInstanceInformation"],
  "terminate-nodes": [...fence, ...ec2("DescribeInstances", "TerminateInstances")],
  "delete-load-balancers": [
    ...fence,
    ...inVpc,
    ...balancers,
    ...elb("DeleteLoadBalancer", "DeleteTargetGroup"),
    "elbClassic:DeleteLoadBalancer",
  ],
  "delete-volumes": [...fence, ...ec2("DescribeSnapshots", "DescribeVolumes", "DeleteSnapshot", "DeleteVolume")],
  "delete-endpoints": [...fence, ...ec2("DescribeVpcEndpoints", "DeleteVpcEndpoints")],
  "delete-network": [
    ...fence,
    ...inVpc,
    ...ec2(
      "DescribeSecurityGroupRules",
      "DeleteInternetGateway",
      "DeleteRouteTable",
      "DeleteSecurityGroup",
      "DeleteSubnet",
      "DeleteSubnetCidrReservation",
      "DeleteVpc",
      "DetachInternetGateway",
      "DisassociateRouteTable",
      "GetSubnetCidrReservations",
      "RevokeSecurityGroupEgress leaked",
      "RevokeSecurityGroupIngress",
    ),
  ],
  "prepare-rebuild": fence,
  "pick-cluster": [...fence, "s3:GetObject evidence", "s3:ListObjectsV2", "ssm:GetParameter image"],
  "acquire-rebuild-lock": takeLock,
  "retake-lock": takeLock,
  "switch-current": changeRecord,
  "announce-cluster": [...fence, "events:PutEvents"],
  "watch-executions": [...fence, "sfn:DescribeExecution", "sfn:StartExecution destroy-cluster"],
  "sweep-clusters": [...everything, ...fence, "s3:ListObjectsV2", "sfn:DescribeExecution", "sfn:StartExecution destroy-cluster"],
  "change-record": takeLock,
  "serve-api": [
    ...fence,
    "s3:GetObject evidence",
    "s3:ListObjectsV2",
    "sfn:DescribeExecution",
    "sfn:GetExecutionHistory",
    "sfn:StartExecution build-cluster",
    "sfn:StartExecution destroy-cluster",
    "sfn:StartExecution rebuild-cluster",
  ],
  "authorize-caller": ["secrets:GetSecretValue"],
  "delete-parameters": [...fence, "ssm:GetParametersByPath generation", "ssm:DeleteParameter generation"],
  "audit-residue": [...changeRecord, ...evidence, ...everything, ...balancers, "ssm:GetParametersByPath generation"],
};

/** The actions of a call. */
export function grantsOf(call: string, place: Place): readonly Grant[] {
  const row = callTable[call];
  if (row === undefined) throw new RangeError(`no row says what ${call} needs`);
  return row(place);
}

/** The calls of a step. */
export function callsOf(step: string): readonly string[] {
  const calls = stepCalls[step];
  if (calls === undefined) throw new RangeError(`infra/permissions/steps.ts does not say which calls ${step} makes`);
  return calls;
}
