import type { ServiceName } from "../fault.ts";
import type { Context } from "../iam.ts";
import { SimulationGap } from "../service.ts";

/** What IAM knows of a thing that a call names. */
export interface Things {
  tagsOf(id: string): ReadonlyMap<string, string>;
  vpcOf(groupId: string): string;
}

/** One question that IAM is asked for a call. */
interface Requirement {
  readonly action: string;
  readonly resource: string;
  readonly context: Context;
  /** Asked by the service itself, with the caller's permissions: by no endpoint, and from no VPC. */
  readonly onBehalf?: true;
}

interface NodeCall {
  readonly region: string;
  readonly account: string;
  readonly things: Things;
  readonly service: ServiceName;
  /** The service's name in IAM's actions. */
  readonly iam: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

type Tags = readonly { readonly Key: string; readonly Value: string }[];

const requested = (tags: Tags = []): Context => ({
  ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
  "aws:TagKeys": tags.map(({ Key }) => Key),
});
const present = ({ things }: NodeCall, id: string): Context =>
  Object.fromEntries([...things.tagsOf(id)].map(([key, value]) => [`aws:ResourceTag/${key}`, value]));

/** Every question for a call; one that nobody looked up in the Service Authorization Reference is a gap. */
export function requirements(call: NodeCall): readonly Requirement[] {
  const { region, account, service, iam, operation, input } = call;
  const action = `${iam}:${operation}`;
  if (service === "ssm")
    return [{ action, resource: `arn:aws:ssm:${region}:${account}:parameter${String(input["Name"])}`, context: {} }];
  if (service === "s3")
    return [{ action, resource: `arn:aws:s3:::${String(input["Bucket"])}/${String(input["Key"])}`, context: {} }];
  if (operation.startsWith("Describe")) return [{ action, resource: "*", context: {} }];
  const asked = service === "ec2" ? ec2[operation] : service === "elb" ? elb[operation] : undefined;
  if (asked === undefined) throw new SimulationGap(`what IAM is asked for ${action} is not known`);
  return asked(call, action);
}

type Asks = (call: NodeCall, action: string) => readonly Requirement[];

const arn = ({ region, account }: NodeCall, kind: string, id: unknown): string =>
  `arn:aws:ec2:${region}:${account}:${kind}/${String(id)}`;

/** What comes to be with tags asks for the tags, too ("Grant permission to tag Amazon EC2 resources during creation"). */
const born = (call: NodeCall, kind: string): readonly Requirement[] => {
  const [specification] = (call.input["TagSpecifications"] ?? []) as readonly { readonly Tags: Tags }[];
  const context = requested(specification?.Tags);
  const resource = arn(call, kind, "*");
  const made = { action: `ec2:${call.operation}`, resource, context };
  const tagged = { action: "ec2:CreateTags", resource, context: { ...context, "ec2:CreateAction": call.operation } };
  return specification === undefined ? [made] : [made, tagged];
};

const onVolume: Asks = (call, action) => {
  const id = String(call.input["VolumeId"]);
  return [{ action, resource: arn(call, "volume", id), context: present(call, id) }];
};
/** A detach may leave the instance out. */
const betweenVolumeAndInstance: Asks = (call, action) => {
  const { InstanceId } = call.input;
  const instance = { action, resource: arn(call, "instance", InstanceId), context: present(call, String(InstanceId)) };
  return InstanceId === undefined ? onVolume(call, action) : [...onVolume(call, action), instance];
};
const onGroup: Asks = (call, action) => {
  const id = String(call.input["GroupId"]);
  const vpc = { "ec2:Vpc": arn(call, "vpc", call.things.vpcOf(id)) };
  return [{ action, resource: arn(call, "security-group", id), context: { ...present(call, id), ...vpc } }];
};

/** By "Actions, resources, and condition keys for Amazon EC2". */
const ec2: Readonly<Record<string, Asks>> = {
  CreateVolume: (call) => born(call, "volume"),
  AttachVolume: betweenVolumeAndInstance,
  DetachVolume: betweenVolumeAndInstance,
  DeleteVolume: onVolume,
  ModifyVolume: onVolume,
  CreateSecurityGroup: (call, action) => [
    ...born(call, "security-group"),
    { action, resource: arn(call, "vpc", call.input["VpcId"]), context: {} },
  ],
  AuthorizeSecurityGroupIngress: onGroup,
  RevokeSecurityGroupIngress: onGroup,
  DeleteSecurityGroup: onGroup,
};

/** What comes to be in load balancing: its kind, or the load balancer that a listener is added to. */
const bornBalancer =
  (kind: string): Asks =>
  (call, action) => {
    const { region, account, operation, input } = call;
    const tags = input["Tags"] as Tags | undefined;
    const context = requested(tags);
    const made = `arn:aws:elasticloadbalancing:${region}:${account}:${kind}/${String(input["Name"] ?? "new")}/new`;
    const [on, own] =
      kind === "listener/net" ? [String(input["LoadBalancerArn"]), present(call, String(input["LoadBalancerArn"]))] : [made, {}];
    const tagged = { ...context, "elasticloadbalancing:CreateAction": operation };
    return [
      { action, resource: on, context: { ...own, ...context } },
      ...(tags === undefined ? [] : [{ action: "elasticloadbalancing:AddTags", resource: made, context: tagged }]),
    ];
  };

const onBalancer =
  (field: string): Asks =>
  (call, action) => {
    const resource = String(call.input[field]);
    return [{ action, resource, context: present(call, resource) }];
  };

/** What Elastic Load Balancing asks EC2 in the caller's name (its user guide, API permissions). */
const asking =
  (asks: Asks, ...reads: readonly string[]): Asks =>
  (call, action) => [
    ...asks(call, action),
    ...reads.map((read) => ({ action: `ec2:Describe${read}`, resource: "*", context: {}, onBehalf: true as const })),
  ];

/** By "Actions, resources, and condition keys for AWS Elastic Load Balancing V2". */
const elb: Readonly<Record<string, Asks>> = {
  CreateLoadBalancer: asking(
    bornBalancer("loadbalancer/net"),
    ...["AccountAttributes", "Addresses", "InternetGateways", "SecurityGroups", "Subnets", "Vpcs"],
  ),
  CreateTargetGroup: asking(bornBalancer("targetgroup"), "InternetGateways", "Vpcs"),
  CreateListener: bornBalancer("listener/net"),
  ModifyTargetGroupAttributes: onBalancer("TargetGroupArn"),
  RegisterTargets: asking(onBalancer("TargetGroupArn"), "Instances", "InternetGateways", "Subnets", "Vpcs"),
  DeregisterTargets: onBalancer("TargetGroupArn"),
  DeleteTargetGroup: onBalancer("TargetGroupArn"),
  DeleteLoadBalancer: onBalancer("LoadBalancerArn"),
};
