import type { ServiceName } from "./fault.ts";

/** What any call of a service may end in, whatever it asks for: a throttle, a server's failure, a missing permission. */
const common: Readonly<Record<ServiceName, readonly string[]>> = {
  ec2: ["RequestLimitExceeded", "InternalError", "UnauthorizedOperation"],
  elb: ["Throttling", "InternalFailure", "AccessDenied"],
  elbClassic: ["Throttling", "InternalFailure", "AccessDenied"],
  ssm: ["ThrottlingException", "InternalServerError", "AccessDeniedException"],
  s3: ["SlowDown", "InternalError", "AccessDenied"],
  sfn: ["ThrottlingException", "InternalFailure", "AccessDeniedException"],
  quotas: ["TooManyRequestsException", "ServiceException", "AccessDeniedException"],
  events: ["ThrottlingException", "InternalException", "AccessDeniedException"],
};

export const codesOf = (service: ServiceName, _operation: string): readonly string[] => common[service];
