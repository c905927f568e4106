import type { ServiceName } from "../../rehearsal/world/fault.ts";
import type { Request } from "../../rehearsal/world/iam.ts";

/** A call of a step's, with the tags of what was there at its moment. */
export interface Call {
  readonly service: ServiceName;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  tagsOf(id: string): Readonly<Record<string, string>>;
}

const partition = "arn:aws";
const place = "us-west-2:111122223333";

type Tags = readonly { readonly Key: string; readonly Value: string }[];
const context = (prefix: string, tags: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`${prefix}/${key}`, value]));
const requested = (tags: Tags): Record<string, string> =>
  context("aws:RequestTag", Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value])));

const ask = (action: string, resource = "*", keys: Readonly<Record<string, string>> = {}): Request => ({
  action,
  resource,
  context: keys,
});

/** Which type of thing an id of EC2's names. */
const types: Readonly<Record<string, string>> = {
  vpc: "vpc",
  subnet: "subnet",
  rtb: "route-table",
  igw: "internet-gateway",
  sg: "security-group",
  i: "instance",
  vpce: "vpc-endpoint",
  vol: "volume",
  snap: "snapshot",
  rtbassoc: "route-table",
};
/** What a rule or a route leads to is not what the call is made on. */
const targets = new Set([
  "IpPermissions",
  "GatewayId",
  "ClientToken",
  "Filters",
  "Filter",
  "UserData",
  "PolicyDocument",
  "SecurityGroupRuleIds",
]);

function idsIn(value: unknown): string[] {
  if (typeof value === "string") return /^[a-z]+-[0-9a-f]{8,17}$/.test(value) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (targets.has(key) ? [] : idsIn(inner)));
}

/** What EC2 asks beside the calls' own actions; from the same pages as the table in infra/permissions, read a second time. */
const dependents: Readonly<Record<string, (input: Readonly<Record<string, unknown>>) => readonly Request[]>> = {
  CreateVpcEndpoint: ({ PrivateDnsEnabled }) => [
    ask("ec2:DescribeVpcs"),
    ask("ec2:DescribeSubnets"),
    ask("ec2:DescribeSecurityGroups"),
    ...(PrivateDnsEnabled === true ? [ask("route53:AssociateVPCWithHostedZone", `${partition}:route53:::hostedzone/Z1`)] : []),
  ],
  RunInstances: ({ ImageId, IamInstanceProfile }) => [
    ask("ec2:RunInstances", `${partition}:ec2:us-west-2::image/${ImageId}`, { "ec2:Owner": "111122223333" }),
    ask("iam:PassRole", `${partition}:iam::111122223333:role/${(IamInstanceProfile as { Name: string }).Name}`, {
      "iam:PassedToService": "ec2.amazonaws.com",
    }),
  ],
};

function ec2({ operation, input, tagsOf }: Call): readonly Request[] {
  const action = `ec2:${operation}`;
  // Of what IAM knows no single resource (Service Authorization Reference, Amazon EC2).
  if (/^(?:Describe|Get|DeleteSubnetCidrReservation$)/.test(operation)) return [ask(action)];
  const arn = (type: string, id: string) => `${partition}:ec2:${place}:${type}/${id}`;
  const made = ((input["TagSpecifications"] ?? []) as { ResourceType: string; Tags: Tags }[]).flatMap(
    ({ ResourceType, Tags }) => {
      const resource = arn(ResourceType, "new");
      return [
        // A reservation is made on its subnet alone.
        ...(ResourceType === "subnet-cidr-reservation" ? [] : [ask(action, resource, requested(Tags))]),
        ask("ec2:CreateTags", resource, { ...requested(Tags), "ec2:CreateAction": operation }),
      ];
    },
  );
  const named = idsIn(input).flatMap((id) => {
    const type = types[id.split("-")[0] ?? ""];
    return type === undefined ? [] : [ask(action, arn(type, id), context("aws:ResourceTag", tagsOf(id)))];
  });
  return [...made, ...named, ...(dependents[operation]?.(input) ?? [])];
}

const balancer = `${partition}:elasticloadbalancing:${place}`;
const elbMade: Readonly<Record<string, readonly [on: string, tagged: string, asks: readonly string[]]>> = {
  CreateLoadBalancer: [
    "loadbalancer/net/new/1",
    "loadbalancer/net/new/1",
    ["AccountAttributes", "Addresses", "InternetGateways", "SecurityGroups", "Subnets", "Vpcs"],
  ],
  CreateTargetGroup: ["targetgroup/new/1", "targetgroup/new/1", ["InternetGateways", "Vpcs"]],
  CreateListener: ["loadbalancer/net/ours/1", "listener/net/ours/1/1", []],
};

function elb({ operation, input, tagsOf }: Call): readonly Request[] {
  const action = `elasticloadbalancing:${operation}`;
  // Of what IAM knows no single resource (Service Authorization Reference, Amazon EC2).
  if (/^(?:Describe|Get|DeleteSubnetCidrReservation$)/.test(operation)) return [ask(action)];
  const made = elbMade[operation];
  if (made !== undefined) {
    const [on, tagged, asks] = made;
    const tags = requested(input["Tags"] as Tags);
    return [
      ask(action, `${balancer}:${on}`, tags),
      ask("elasticloadbalancing:AddTags", `${balancer}:${tagged}`, { ...tags, "elasticloadbalancing:CreateAction": operation }),
      ...asks.map((what) => ask(`ec2:Describe${what}`)),
      ...(operation === "CreateLoadBalancer" ? [firstBalancer] : []),
    ];
  }
  const name = String(input["LoadBalancerName"]);
  const on = String(input["LoadBalancerArn"] ?? input["TargetGroupArn"] ?? `${balancer}:loadbalancer/${name}`);
  const asks = operation === "RegisterTargets" ? ["Instances", "InternetGateways", "Subnets", "Vpcs"] : [];
  return [
    ask(action, on, context("aws:ResourceTag", tagsOf(input["LoadBalancerName"] === undefined ? on : name))),
    ...asks.map((what) => ask(`ec2:Describe${what}`)),
  ];
}

const role = "elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing";
const firstBalancer = ask("iam:CreateServiceLinkedRole", `${partition}:iam::111122223333:role/aws-service-role/${role}`, {
  "iam:AWSServiceName": "elasticloadbalancing.amazonaws.com",
});

function ssm({ operation, input }: Call): readonly Request[] {
  const action = `ssm:${operation}`;
  if (operation === "SendCommand") {
    const tags = (input["Targets"] as { Key: string; Values: string[] }[]).map(({ Key, Values }): [string, string] => [
      Key.replace(/^tag:/, "ssm:resourceTag/"),
      Values[0] ?? "",
    ]);
    return [
      ask(action, `${partition}:ssm:${place}:document/${input["DocumentName"]}`),
      ask(action, `${partition}:ec2:${place}:instance/i-1`, Object.fromEntries(tags)),
    ];
  }
  const parameter = input["Name"] ?? input["Path"];
  return [ask(action, parameter === undefined ? "*" : `${partition}:ssm:${place}:parameter${parameter}`)];
}

function s3({ operation, input }: Call): readonly Request[] {
  if (operation === "ListObjectsV2")
    return [ask("s3:ListBucket", `${partition}:s3:::${input["Bucket"]}`, { "s3:prefix": String(input["Prefix"] ?? "") })];
  const object = `${partition}:s3:::${input["Bucket"]}/${input["Key"]}`;
  const bucket = `${partition}:s3:::${input["Bucket"]}`;
  return [
    ask(`s3:${operation}`, object),
    // A read of what is not there is 403 to whoever may not list; a write on a condition reads first.
    ...(operation === "GetObject"
      ? [ask("s3:ListBucket", bucket), ask("s3:ListBucket", bucket, { "s3:prefix": String(input["Key"]) })]
      : []),
    ...(operation === "PutObject" && input["IfMatch"] !== undefined ? [ask("s3:GetObject", object)] : []),
  ];
}

/** What AWS asks IAM for one call: each action with its resource and the keys of the request. An unknown service throws. */
export function asked(call: Call): readonly Request[] {
  switch (call.service) {
    case "ec2":
      return ec2(call);
    case "elb":
    case "elbClassic":
      return elb(call);
    case "ssm":
      return ssm(call);
    case "s3":
      return s3(call);
    case "sfn":
      // Deployed, a machine's name has our prefix.
      return [
        ask(
          `states:${call.operation}`,
          String(call.input["executionArn"] ?? call.input["stateMachineArn"]).replace(
            /:(execution|stateMachine):/,
            ":$1:cloister-",
          ),
        ),
      ];
    case "events": {
      const sources = (call.input["Entries"] as { Source: string }[]).map(({ Source }) => Source);
      const bus = `${partition}:events:${place}:event-bus/default`;
      return sources.map((source) => ask(`events:${call.operation}`, bus, { "events:source": source }));
    }
    case "secrets":
      return [ask(`secretsmanager:${call.operation}`, String(call.input["SecretId"]))];
    case "quotas":
      return [ask(`servicequotas:${call.operation}`)];
    default:
      throw new RangeError(`what IAM is asked for a call to ${String(call.service)} is not known`);
  }
}
