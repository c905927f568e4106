import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  DescribeTargetGroupsCommand,
  ModifyLoadBalancerAttributesCommand,
  ModifyTargetGroupAttributesCommand,
  RegisterTargetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import * as z from "zod";
import type { SecurityGroupId, SubnetId, VpcId } from "../domain/ids.ts";
import { clusterId, type Lock } from "../domain/lock.ts";
import type { Tags } from "../domain/tags.ts";
import type { Aws } from "./aws.ts";
import { tagList, tagsOf } from "./ec2-tags.ts";
import { isRefusal } from "./fault.ts";

const Arn = z.string().regex(/^arn:aws[a-z-]*:elasticloadbalancing:/);
export const apiPort = 6443;

export interface ApiLoadBalancer {
  readonly arn: string;
  readonly name: string;
  readonly dnsName: string;
  /** AWS's word: `provisioning`, `active`, `active_impaired` or `failed`. */
  readonly state: string;
  readonly reason: string;
}

/** The load balancer in front of a generation's control planes. It and its target group are found by name; AWS makes those unique. */
export interface ApiPort {
  find(lock: Lock): Promise<ApiLoadBalancer | null>;
  findTargetGroup(lock: Lock): Promise<string | null>;
  hasListener(loadBalancerArn: string): Promise<boolean>;
  tags(arn: string): Promise<Tags>;
  /** `taken`: the name is in use, perhaps by ours, which a read did not show yet. */
  create(lock: Lock, subnets: readonly SubnetId[], group: SecurityGroupId, tags: Tags): Promise<"created" | "taken">;
  createTargetGroup(lock: Lock, vpcId: VpcId, tags: Tags): Promise<"created" | "taken">;
  keepOwnAddress(targetGroupArn: string): Promise<void>;
  crossZones(loadBalancerArn: string): Promise<void>;
  register(targetGroupArn: string, addresses: readonly string[]): Promise<void>;
  listen(loadBalancerArn: string, targetGroupArn: string, tags: Tags): Promise<void>;
}

/** 30 characters at most: 20 of the cluster's name, the generation, and AWS takes 32. */
const nameOf = (lock: Lock): string => `${clusterId(lock)}-api`;

/**
 * CAPA's figures: healthy after 10 s of checks instead of AWS's 150 (facts 3.7). A check may not outlast its interval. An API server takes
 * connections before it is ready, and refuses what it does not know yet: /readyz tells, to anybody.
 */
const healthCheck = {
  HealthCheckProtocol: "HTTPS",
  HealthCheckPath: "/readyz",
  HealthCheckIntervalSeconds: 5,
  HealthCheckTimeoutSeconds: 5,
  HealthyThresholdCount: 2,
  UnhealthyThresholdCount: 6,
} as const;

const attributes = (values: Readonly<Record<string, string>>) => Object.entries(values).map(([Key, Value]) => ({ Key, Value }));

/** The answer, or null where AWS says by this code that there is none. */
async function unless<T>(absent: string, look: () => Promise<T>): Promise<T | null> {
  try {
    return await look();
  } catch (error) {
    if (isRefusal(error, absent)) return null;
    throw error;
  }
}

async function unlessTaken(code: string, create: () => Promise<unknown>): Promise<"created" | "taken"> {
  return (await unless(code, create)) === null ? "taken" : "created";
}

export const elbApi = ({ elb }: Pick<Aws, "elb">): ApiPort => ({
  find: (lock) =>
    unless("LoadBalancerNotFound", async () => {
      const { LoadBalancers } = await elb.send(new DescribeLoadBalancersCommand({ Names: [nameOf(lock)] }));
      const found = LoadBalancers?.[0];
      if (found === undefined) return null;
      return {
        arn: Arn.parse(found.LoadBalancerArn),
        name: nameOf(lock),
        dnsName: z.string().min(3).parse(found.DNSName).toLowerCase(),
        state: found.State?.Code ?? "provisioning",
        reason: found.State?.Reason ?? "",
      };
    }),
  findTargetGroup: (lock) =>
    unless("TargetGroupNotFound", async () => {
      const { TargetGroups } = await elb.send(new DescribeTargetGroupsCommand({ Names: [nameOf(lock)] }));
      return TargetGroups?.[0] === undefined ? null : Arn.parse(TargetGroups[0].TargetGroupArn);
    }),
  async hasListener(loadBalancerArn) {
    // One listener a load balancer is all that we make, and a page holds more.
    const { Listeners = [] } = await elb.send(new DescribeListenersCommand({ LoadBalancerArn: loadBalancerArn }));
    return Listeners.some(({ Port }) => Port === apiPort);
  },
  async tags(arn) {
    const { TagDescriptions } = await elb.send(new DescribeTagsCommand({ ResourceArns: [arn] }));
    return tagsOf(TagDescriptions?.[0]?.Tags);
  },
  create: (lock, subnets, group, tags) =>
    unlessTaken("DuplicateLoadBalancerName", () =>
      elb.send(
        new CreateLoadBalancerCommand({
          Name: nameOf(lock),
          Type: "network",
          Scheme: "internal",
          IpAddressType: "ipv4",
          Subnets: [...subnets],
          // Only at birth: a network load balancer made without a group can never get one (facts 3.7).
          SecurityGroups: [group],
          Tags: tagList(tags),
        }),
      ),
    ),
  createTargetGroup: (lock, vpcId, tags) =>
    unlessTaken("DuplicateTargetGroupName", () =>
      elb.send(
        new CreateTargetGroupCommand({
          Name: nameOf(lock),
          Protocol: "TCP",
          Port: apiPort,
          TargetType: "ip",
          VpcId: vpcId,
          ...healthCheck,
          Tags: tagList(tags),
        }),
      ),
    ),
  async keepOwnAddress(targetGroupArn) {
    // Off, or a control plane that is routed to itself sees its own address as the caller's and waits for ever (facts 3.7).
    const Attributes = attributes({
      "preserve_client_ip.enabled": "false",
      "target_health_state.unhealthy.connection_termination.enabled": "false",
      "target_health_state.unhealthy.draining_interval_seconds": "300",
    });
    await elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn: targetGroupArn, Attributes }));
  },
  async crossZones(loadBalancerArn) {
    // During kubeadm init one zone alone has a live target, but every zone's address is handed out (facts 3.7).
    const Attributes = attributes({ "load_balancing.cross_zone.enabled": "true" });
    await elb.send(new ModifyLoadBalancerAttributesCommand({ LoadBalancerArn: loadBalancerArn, Attributes }));
  },
  async register(targetGroupArn, addresses) {
    const Targets = addresses.map((Id) => ({ Id, Port: apiPort }));
    await elb.send(new RegisterTargetsCommand({ TargetGroupArn: targetGroupArn, Targets }));
  },
  async listen(loadBalancerArn, targetGroupArn, tags) {
    const forward = { Type: "forward" as const, TargetGroupArn: targetGroupArn };
    const listener = { LoadBalancerArn: loadBalancerArn, Protocol: "TCP" as const, Port: apiPort };
    await unlessTaken("DuplicateListener", () =>
      elb.send(new CreateListenerCommand({ ...listener, DefaultActions: [forward], Tags: tagList(tags) })),
    );
  },
});
