import {
  AccessError,
  CapacityError,
  DefectError,
  InvalidRequestError,
  QuotaError,
  StepError,
  TransientError,
} from "../errors.ts";

type Kind = new (message: string, facts?: Readonly<Record<string, unknown>>, options?: ErrorOptions) => StepError;

const rows = (kind: Kind, codes: readonly string[]): [string, Kind][] => codes.map((code) => [code, kind]);

/** AWS's codes by what a caller can do about them. A code that is in no row is a defect: somebody has to read about it first. */
const byCode: ReadonlyMap<string, Kind> = new Map([
  // Throttles and server errors, facts 8.4.
  ...rows(TransientError, [
    "RequestLimitExceeded",
    "Throttling",
    "TooManyRequests",
    "RequestThrottled",
    "RateExceeded",
    "SlowDown",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "ServiceUnavailable",
    "Unavailable",
    "RequestTimeout",
    "TimeoutError",
  ]),
  // Broken sockets: Node's names, found in error.code.
  ...rows(TransientError, ["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "EPIPE", "ENOTFOUND", "EAI_AGAIN"]),
  // A read that lags a write, facts 8.3: what a step names was made a moment ago by itself or by the step before.
  ...rows(TransientError, [
    "InvalidVpcID.NotFound",
    "InvalidSubnetID.NotFound",
    "InvalidGroup.NotFound",
    "InvalidSecurityGroupID.NotFound",
    "InvalidRouteTableID.NotFound",
    "InvalidInternetGatewayID.NotFound",
    "Gateway.NotAttached",
    "InvalidVpcEndpointId.NotFound",
    "InvalidVpcEndpoint.NotFound",
    "InvalidInstanceID.NotFound",
    "IncorrectInstanceState",
    "InvalidNetworkInterfaceID.NotFound",
    "LoadBalancerNotFound",
    "TargetGroupNotFound",
    "InvocationDoesNotExist",
    "InvalidInstanceId",
  ]),
  // No stock, or no room in the subnet, facts 8.5.
  ...rows(CapacityError, ["InsufficientInstanceCapacity", "InsufficientFreeAddressesInSubnet", "Unsupported"]),
  // A volume smaller than its snapshot: the image has grown since it was looked at.
  ...rows(InvalidRequestError, ["InvalidBlockDeviceMapping"]),
  // Account limits, facts 8.5.
  ...rows(QuotaError, [
    "VpcLimitExceeded",
    "InternetGatewayLimitExceeded",
    "AddressLimitExceeded",
    "VpcEndpointLimitExceeded",
    "SecurityGroupLimitExceeded",
    "RulesPerSecurityGroupLimitExceeded",
    "SecurityGroupsPerInterfaceLimitExceeded",
    "RouteTableLimitExceeded",
    "RouteLimitExceeded",
    "SubnetLimitExceeded",
    "VcpuLimitExceeded",
    "InstanceLimitExceeded",
    "VolumeLimitExceeded",
    "TooManyLoadBalancers",
    "TooManyTargetGroups",
    "ParameterLimitExceeded",
  ]),
  // A permission, or an account that a person must open first, facts 8.5.
  ...rows(AccessError, [
    "UnauthorizedOperation",
    "AccessDenied",
    "AuthFailure",
    "OptInRequired",
    "PendingVerification",
    "ExpiredToken",
    "UnrecognizedClient",
    "InvalidClientTokenId",
    "OperationNotPermitted",
  ]),
]);

/** The SDK names some services' errors after its classes, which adds a word to the code: `LoadBalancerNotFoundException`. */
const bare = (name: string): string => name.replace(/Exception$/, "");

/** The code by which AWS, or Node's sockets, name a failure. */
const codeOf = (error: Error): string => {
  const { code } = error as { code?: unknown };
  const name = bare(error.name);
  return !byCode.has(name) && typeof code === "string" && byCode.has(code) ? code : name;
};

/** RunInstances does not know a young instance profile for up to a minute, and says so with the least telling of codes (facts 8.3). */
const isYoungProfile = (error: Error): boolean =>
  error.name === "InvalidParameterValue" && /iam instance profile/i.test(error.message);

function kindOf(error: Error, code: string): Kind {
  if (isYoungProfile(error)) return TransientError;
  const listed = byCode.get(code);
  if (listed !== undefined) return listed;
  return (error as { $fault?: unknown }).$fault === "server" ? TransientError : DefectError;
}

// An encoded authorization message is a page of base64; it stays in the cause, for sts:DecodeAuthorizationMessage.
const readable = (message: string): string =>
  message.replace(/Encoded authorization failure message: \S+/, "(encoded message left out)").slice(0, 1000);

/** Makes whatever was thrown one of our errors: by `error.name`, then `error.code`, then `$fault`. The original stays as its cause. */
export function toStepError(cause: unknown, facts: Readonly<Record<string, unknown>>): StepError {
  if (cause instanceof StepError) return cause;
  if (!(cause instanceof Error))
    return new DefectError(`something that is no error was thrown: ${String(cause)}`, facts, { cause });
  const code = codeOf(cause);
  const Kind = kindOf(cause, code);
  return new Kind(`${code}: ${readable(cause.message)}`, { ...facts, code }, { cause });
}

/** Whether AWS refused with one of these codes, given without the `Exception` that some classes add. */
export const isRefusal = (error: unknown, ...codes: readonly string[]): error is Error =>
  error instanceof Error && codes.includes(bare(error.name));
