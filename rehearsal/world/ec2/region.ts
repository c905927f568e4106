import type { InstanceType, PrefixList } from "./model.ts";

/** AWS-managed prefix lists. The blocks are for the virtual world: all of its S3 is one block. */
export const prefixLists = (region: string): PrefixList[] => [
  { id: "pl-68a54001", name: `com.amazonaws.${region}.s3`, cidrs: ["52.218.128.0/17"] },
  { id: "pl-00a54069", name: `com.amazonaws.${region}.dynamodb`, cidrs: ["52.94.8.0/24"] },
];

/** Endpoint services, and the private names that an interface endpoint takes over. Facts 2.8, 5.7. */
export const endpointServices: readonly { readonly name: string; readonly kinds: readonly ("Gateway" | "Interface")[] }[] = [
  ...[
    "autoscaling",
    "ec2",
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "elasticloadbalancing",
    "kms",
    "logs",
    "ssm",
    "ssmmessages",
    "sts",
  ].map((name) => ({ name, kinds: ["Interface"] as const })),
  { name: "s3", kinds: ["Gateway", "Interface"] },
  { name: "dynamodb", kinds: ["Gateway"] },
];

/** `ecr.api` is called as `api.ecr`: AWS turns the two parts round. */
export const privateNameOf = (service: string, region: string): string =>
  `${service.split(".").reverse().join(".")}.${region}.amazonaws.com`;

/** What DescribeVpcEndpointServices says about a service's private name. */
export const privateNamesOf = (service: string, region: string) => {
  const PrivateDnsName = privateNameOf(service, region);
  return { PrivateDnsName, PrivateDnsNames: [{ PrivateDnsName }], PrivateDnsNameVerificationState: "verified" };
};

const type = (
  name: string,
  vcpus: number,
  gib: number,
  architecture: InstanceType["architecture"],
  family: InstanceType["family"] = "standard",
): InstanceType => ({ name, vcpus, memoryMiB: gib * 1024, architecture, family });

export const instanceTypes: readonly InstanceType[] = [
  type("m7i.large", 2, 8, "x86_64"),
  type("m7i.xlarge", 4, 16, "x86_64"),
  type("m7i.2xlarge", 8, 32, "x86_64"),
  type("m6i.large", 2, 8, "x86_64"),
  type("c7i.large", 2, 4, "x86_64"),
  type("c7i.xlarge", 4, 8, "x86_64"),
  type("r7i.large", 2, 16, "x86_64"),
  type("t3.large", 2, 8, "x86_64"),
  type("t3.medium", 2, 4, "x86_64"),
  type("m7g.large", 2, 8, "arm64"),
  type("m7g.xlarge", 4, 16, "arm64"),
  type("c7g.large", 2, 4, "arm64"),
  type("g6.xlarge", 4, 16, "x86_64", "g"),
];
