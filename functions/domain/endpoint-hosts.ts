/** `ec2` -> `ec2.us-west-2.amazonaws.com`. A service of two words is turned around: `ecr.api` answers at `api.ecr.<region>`. */
export const endpointHost = (service: string, region: string): string =>
  `${service.split(".").reverse().join(".")}.${region}.amazonaws.com`;

/** `com.amazonaws.us-west-2.ec2`: what an endpoint is created for. */
export const endpointService = (service: string, region: string): string => `com.amazonaws.${region}.${service}`;
