import type { ServiceName } from "./fault.ts";

/**
 * The error codes that a planned fault may give to a call. Only what AWS may answer whatever the world's state is, or what a lag or a neighbour
 * makes true for a moment: throttles, server errors, permissions, limits, stock, what still hangs on a thing, and a read that lags a write.
 * A code that states a lasting fact about a thing (NotFound on a delete, Duplicate on a create) is no fault: the world gives it where it is true.
 */
type Rows = Readonly<Record<string, readonly string[]>>;

/** Any call: throttle, server error, permission (facts 8.4, 8.5; each API's "Common errors"), and a connection that breaks, by the SDK's name. */
const everywhere: Readonly<Record<ServiceName, readonly string[]>> = {
  ec2: ["RequestLimitExceeded", "InternalError", "Unavailable", "UnauthorizedOperation", "TimeoutError"],
  elb: ["Throttling", "InternalFailure", "ServiceUnavailable", "AccessDenied", "TimeoutError"],
  elbClassic: ["Throttling", "InternalFailure", "ServiceUnavailable", "AccessDenied", "TimeoutError"],
  ssm: ["ThrottlingException", "InternalServerError", "AccessDeniedException", "TimeoutError"],
  s3: ["SlowDown", "InternalError", "AccessDenied", "RequestTimeout", "TimeoutError"],
  sfn: ["ThrottlingException", "InternalFailure", "AccessDeniedException", "TimeoutError"],
  quotas: ["TooManyRequestsException", "ServiceException", "AccessDeniedException", "TimeoutError"],
  events: ["ThrottlingException", "InternalException", "AccessDeniedException", "TimeoutError"],
  secrets: ["ThrottlingException", "InternalServiceError", "AccessDeniedException", "TimeoutError"],
  cloudFormation: ["Throttling", "InternalFailure", "ServiceUnavailable", "AccessDenied", "TimeoutError"],
  lambda: ["TooManyRequestsException", "ServiceException", "AccessDeniedException", "TimeoutError"],
  sts: ["Throttling", "InternalFailure", "ServiceUnavailable", "AccessDenied", "TimeoutError"],
};

const nothingElse = (...operations: readonly string[]): Rows => Object.fromEntries(operations.map((name) => [name, []]));

/** AWSEC2/latest/APIReference/errors-overview.html. Limits and stock: facts 8.5. NotFound: a read that lags a write, facts 8.3. */
const ec2: Rows = {
  CreateVpc: ["VpcLimitExceeded"],
  ModifyVpcAttribute: ["InvalidVpcID.NotFound"],
  CreateSubnet: ["SubnetLimitExceeded", "InvalidVpcID.NotFound"],
  CreateSubnetCidrReservation: ["InvalidSubnetID.NotFound"],
  ...nothingElse("GetSubnetCidrReservations", "DeleteSubnetCidrReservation"),
  CreateInternetGateway: ["InternetGatewayLimitExceeded"],
  AttachInternetGateway: ["InvalidInternetGatewayID.NotFound", "InvalidVpcID.NotFound"],
  CreateRouteTable: ["RouteTableLimitExceeded", "InvalidVpcID.NotFound"],
  CreateRoute: ["RouteLimitExceeded", "InvalidRouteTableID.NotFound"],
  AssociateRouteTable: ["InvalidRouteTableID.NotFound", "InvalidSubnetID.NotFound"],
  CreateSecurityGroup: ["SecurityGroupLimitExceeded", "InvalidVpcID.NotFound"],
  AuthorizeSecurityGroupIngress: ["RulesPerSecurityGroupLimitExceeded", "InvalidGroup.NotFound"],
  AuthorizeSecurityGroupEgress: ["RulesPerSecurityGroupLimitExceeded", "InvalidGroup.NotFound"],
  // Of the rule that every new group is born with.
  RevokeSecurityGroupEgress: ["InvalidGroup.NotFound"],
  CreateVpcEndpoint: ["VpcEndpointLimitExceeded", "InvalidSubnetID.NotFound", "InvalidRouteTableID.NotFound"],
  RunInstances: [
    "InsufficientInstanceCapacity",
    "InsufficientFreeAddressesInSubnet",
    "Unsupported",
    "VcpuLimitExceeded",
    "InstanceLimitExceeded",
    "InvalidSubnetID.NotFound",
    "InvalidGroup.NotFound",
  ],
  // Facts 7.3: something that lingers still holds it.
  ...Object.fromEntries(
    [
      "DetachInternetGateway",
      "DeleteInternetGateway",
      "DeleteRouteTable",
      "DeleteSecurityGroup",
      "DeleteSubnet",
      "DeleteVpc",
    ].map((name) => [name, ["DependencyViolation"]]),
  ),
  DeleteVolume: ["VolumeInUse", "IncorrectState"],
  DeleteSnapshot: ["InvalidSnapshot.InUse"],
  ...nothingElse("RevokeSecurityGroupIngress", "DeleteVpcEndpoints", "TerminateInstances", "DisassociateRouteTable"),
  ...nothingElse("DescribeAvailabilityZones", "DescribeImages", "DescribeInstances", "DescribeInstanceTypes"),
  ...nothingElse("DescribeInstanceTypeOfferings", "DescribeInternetGateways", "DescribeEgressOnlyInternetGateways"),
  ...nothingElse("DescribeManagedPrefixLists", "DescribeNatGateways", "DescribeNetworkInterfaces", "DescribeRouteTables"),
  ...nothingElse("DescribeSecurityGroups", "DescribeSecurityGroupRules", "DescribeSnapshots", "DescribeSubnets"),
  ...nothingElse("DescribeTransitGatewayVpcAttachments", "DescribeVolumes", "DescribeVpcEndpoints", "DescribeVpcs"),
  ...nothingElse("DescribeVpcEndpointServices", "DescribeVpcPeeringConnections", "DescribeVpnGateways"),
};

/** Elastic Load Balancing 2015-12-01: each operation's errors, by the SDK's class names. */
const elb: Rows = {
  CreateLoadBalancer: [
    "TooManyLoadBalancersException",
    "SubnetNotFoundException",
    "InvalidSubnetException",
    "InvalidSecurityGroupException",
  ],
  CreateTargetGroup: ["TooManyTargetGroupsException"],
  CreateListener: ["LoadBalancerNotFoundException", "TargetGroupNotFoundException", "TooManyListenersException"],
  RegisterTargets: ["TargetGroupNotFoundException", "TooManyTargetsException"],
  ModifyLoadBalancerAttributes: ["LoadBalancerNotFoundException"],
  ModifyTargetGroupAttributes: ["TargetGroupNotFoundException"],
  DescribeListeners: ["LoadBalancerNotFoundException"],
  // What was listed a moment ago may have gone meanwhile.
  DescribeTags: ["LoadBalancerNotFoundException", "TargetGroupNotFoundException"],
  DeleteLoadBalancer: ["ResourceInUseException", "OperationNotPermittedException"],
  DeleteTargetGroup: ["ResourceInUseException"],
  ...nothingElse("DescribeLoadBalancers", "DescribeTargetGroups"),
};

/** Elastic Load Balancing 2012-06-01; on the wire AccessPointNotFound is LoadBalancerNotFound. */
const elbClassic: Rows = {
  DescribeLoadBalancers: ["DependencyThrottleException"],
  DescribeTags: ["AccessPointNotFoundException"],
  ...nothingElse("DeleteLoadBalancer"),
};

/** Systems Manager: each operation's errors. An instance that is not registered, or shuts down, is InvalidInstanceId (facts 8.3). */
const ssm: Rows = {
  SendCommand: ["InvalidInstanceId"],
  GetCommandInvocation: ["InvocationDoesNotExist"],
  CancelCommand: ["InvalidInstanceId"],
  PutParameter: ["ParameterLimitExceeded", "TooManyUpdates"],
  ...nothingElse("ListCommands", "ListCommandInvocations", "DescribeInstanceInformation"),
  ...nothingElse("GetParameter", "GetParametersByPath", "DeleteParameter", "DeleteParameters"),
};

/** S3 reads its own writes, so nothing is missing by lag. 412 and 409 of a conditional write, also of one's own lost answer: lifecycle 1. */
const s3: Rows = {
  PutObject: ["PreconditionFailed", "ConditionalRequestConflict"],
  ...nothingElse("GetObject", "HeadObject", "DeleteObject", "ListObjectsV2"),
};

/** Step Functions: each operation's errors. DescribeExecution and GetExecutionHistory are eventually consistent (lifecycle 3). */
const sfn: Rows = {
  StartExecution: ["ExecutionLimitExceeded"],
  DescribeExecution: ["ExecutionDoesNotExist"],
  GetExecutionHistory: ["ExecutionDoesNotExist"],
  ...nothingElse("ListExecutions", "StopExecution"),
};

/** Service Quotas has no value for every quota; EventBridge's own refusals stand inside a 200. */
const quotas: Rows = { GetServiceQuota: ["NoSuchResourceException"] };
const events: Rows = nothingElse("PutEvents");
/** Secrets Manager, GetSecretValue: a key that is switched off, or not ours to use. */
const secrets: Rows = { GetSecretValue: ["DecryptionFailure"] };

/** What an operator's command alone asks. A function's own failure stands inside an answer, and a stack that is not there is no fault. */
const cloudFormation: Rows = nothingElse("DescribeStacks");
const lambda: Rows = nothingElse("Invoke");
const sts: Rows = nothingElse("GetCallerIdentity");

/** Operation -> the codes of its own, for every operation that a function calls. */
export const codes: Readonly<Record<ServiceName, Rows>> = {
  ec2,
  elb,
  elbClassic,
  ssm,
  s3,
  sfn,
  quotas,
  events,
  secrets,
  cloudFormation,
  lambda,
  sts,
};

/** All codes that may be given to a call, or null for an operation in no row. */
export function codesOf(service: ServiceName, operation: string): readonly string[] | null {
  const own = codes[service][operation];
  return own === undefined ? null : [...own, ...everywhere[service]];
}
