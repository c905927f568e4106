import type { Defect } from "./defect.ts";

const adapter = (file: string, name: string, from: string, to: string): Defect => ({
  name,
  file: `functions/aws/${file}.ts`,
  from,
  to,
});

/** In the adapters: what is sent to AWS, and what is made of its answers. */
export const aws: readonly Defect[] = [
  adapter(
    "ec2-network",
    "a VPC is born without tags",
    'new CreateVpcCommand({ CidrBlock: cidr, TagSpecifications: tagSpecifications(["vpc"], tags) })',
    "new CreateVpcCommand({ CidrBlock: cidr })",
  ),
  adapter("ec2-machines", "nodes' volumes are born without tags", '["instance", "volume", "network-interface"]', '["instance"]'),
  adapter("ec2-machines", "nodes are launched without a client token", "  ClientToken: order.token,\n", ""),
  adapter(
    "ec2-network",
    "a route table is made without a client token",
    "ClientToken: token, TagSpecifications",
    "TagSpecifications",
  ),
  adapter("ec2-machines", "hop limit 2", "HttpPutResponseHopLimit: 1", "HttpPutResponseHopLimit: 2"),
  adapter(
    "ec2-machines",
    "metadata answers without a token",
    'HttpTokens: "required" as const',
    'HttpTokens: "optional" as const',
  ),
  adapter(
    "ec2-machines",
    "nodes get public addresses",
    `  SubnetId: order.subnetId,
  SecurityGroupIds: [...order.groupIds],
  ...(order.address === null ? {} : { PrivateIpAddress: order.address }),
`,
    `  NetworkInterfaces: [{
    DeviceIndex: 0,
    SubnetId: order.subnetId,
    Groups: [...order.groupIds],
    AssociatePublicIpAddress: true,
    ...(order.address === null ? {} : { PrivateIpAddress: order.address }),
  }],
`,
  ),
  adapter("elb-api", "the API's load balancer faces the Internet", 'Scheme: "internal"', 'Scheme: "internet-facing"'),
  adapter(
    "elb-api",
    "the API's load balancer keeps the caller's address",
    '"preserve_client_ip.enabled": "false"',
    '"preserve_client_ip.enabled": "true"',
  ),
  adapter("removals", "whatever a removal throws is swallowed", "if (!isAbsent(error)) throw error;", ""),
  adapter(
    "ec2-removals",
    "a thing is deleted before what hangs on it",
    "each([...(await loosening(ec2, holding)), deletion(ec2, holding)])",
    "each([deletion(ec2, holding), ...(await loosening(ec2, holding))])",
  ),
  adapter(
    "s3-records",
    "the record is written without a condition",
    'etag === undefined ? { IfNoneMatch: "*" } : { IfMatch: etag }',
    "{}",
  ),
  adapter(
    "s3-records",
    "a lost race counts as won",
    "throw new TransientError(`the record of",
    "return; throw new TransientError(`the record of",
  ),
  adapter("executions", "an execution that does not show yet counts as dead", 'return "unknown";', 'return "ended";'),
  adapter(
    "ssm-commands",
    "a command goes to every generation's nodes",
    '  { Key: "tag:cloister:generation", Values: ownersOf(lock).generations.map(String) },\n',
    "",
  ),
  adapter(
    "elb-holdings",
    "classic load balancers are forgotten",
    "[...(await current(aws)), ...(await classic(aws))]",
    "current(aws)",
  ),
  adapter("fault", "a read that lags is a defect", '    "InvalidVpcID.NotFound",\n', ""),
];
