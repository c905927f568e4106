import { EC2ServiceException } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingServiceException } from "@aws-sdk/client-elastic-load-balancing";
import { ElasticLoadBalancingV2ServiceException } from "@aws-sdk/client-elastic-load-balancing-v2";
import { EventBridgeServiceException } from "@aws-sdk/client-eventbridge";
import { S3ServiceException } from "@aws-sdk/client-s3";
import { ServiceQuotasServiceException } from "@aws-sdk/client-service-quotas";
import { SFNServiceException } from "@aws-sdk/client-sfn";
import { SSMServiceException } from "@aws-sdk/client-ssm";

export type ServiceName = "ec2" | "elb" | "elbClassic" | "ssm" | "s3" | "sfn" | "quotas" | "events" | RareService;
/** What an operator's command, or the authorizer, alone talks to. */
type RareService = "cloudFormation" | "lambda" | "sts" | "secrets";

type ExceptionClass = new (options: ConstructorParameters<typeof SFNServiceException>[0]) => Error;

const exceptions: { [Service in ServiceName]?: ExceptionClass } = {
  ec2: EC2ServiceException,
  elb: ElasticLoadBalancingV2ServiceException,
  elbClassic: ElasticLoadBalancingServiceException,
  ssm: SSMServiceException,
  s3: S3ServiceException,
  sfn: SFNServiceException,
  quotas: ServiceQuotasServiceException,
  events: EventBridgeServiceException,
};

/** A service that few stories need brings its exceptions along when it is opened: its client would cost every other start. */
export const bringExceptions = (service: RareService, Exception: ExceptionClass): void => {
  exceptions[service] = Exception;
};

/** Codes that the SDK's standard retry mode takes for throttling; the lists are those of @smithy/service-error-classification. */
const throttling = new Set([
  "RequestLimitExceeded",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
  "SlowDown",
  "RequestThrottled",
]);
/** Codes that it tries again because they pass. */
const transient = new Set([
  "InternalError",
  "InternalFailure",
  "InternalServerError",
  "InternalException",
  "InternalServiceError",
  "ServiceException",
  "ServiceUnavailable",
  "Unavailable",
  "RequestTimeout",
  "TimeoutError",
]);

export const isThrottling = (code: string): boolean => throttling.has(code);
export const isTransient = (code: string): boolean => transient.has(code);

/** S3 speaks HTTP: its refusals have their own statuses; those of the other services are 400. */
const statuses: Readonly<Record<string, number>> = { NoSuchBucket: 404, NoSuchKey: 404, NotFound: 404, PreconditionFailed: 412 };

/** The exception a client of that service throws for this code: the SDK's own class, its name the wire code. */
export function fault(service: ServiceName, code: string, message: string): Error {
  const server =
    isTransient(code) || code === "InsufficientInstanceCapacity" || code === "RequestLimitExceeded" || code === "SlowDown";
  const Exception = exceptions[service];
  if (Exception === undefined) throw new RangeError(`${service} was not opened in this world`);
  return new Exception({
    name: code,
    message,
    $fault: server ? "server" : "client",
    $metadata: { httpStatusCode: server ? 503 : (statuses[code] ?? 400) },
  });
}
