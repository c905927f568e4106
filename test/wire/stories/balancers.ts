import * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Site } from "../sides.ts";
import type { Note, Story } from "../story.ts";
import { type Place, place } from "./endpoints.ts";

const Tags = [{ Key: "story", Value: "wire" }];
const absent = (kind: string): string => `arn:aws:elasticloadbalancing:us-west-2:123456789012:${kind}/0123456789abcdef`;

const unknown = absent("targetgroup/none");

/** The internal balancer of three control planes. */
export const balancers: Story = async (site, note) => {
  const { elb, pass } = site;
  const where = await place(site, "10.58");
  const create = (change: Partial<sdk.CreateLoadBalancerCommandInput> = {}) =>
    elb.send(
      new sdk.CreateLoadBalancerCommand({
        Name: "story-api",
        Type: "network",
        Scheme: "internal",
        Subnets: [...where.subnetIds],
        SecurityGroups: [where.GroupId],
        Tags,
        ...change,
      }),
    );
  const { LoadBalancers } = await note("CreateLoadBalancer", create());
  const LoadBalancerArn = LoadBalancers?.[0]?.LoadBalancerArn ?? "";
  await note("CreateLoadBalancer in an unknown subnet", create({ Name: "lost", Subnets: ["subnet-0123456789abcdef0"] }));
  await note("CreateLoadBalancer with a bad name", create({ Name: "-bad-" }));
  await pass(600);
  await note("DescribeLoadBalancers by name", elb.send(new sdk.DescribeLoadBalancersCommand({ Names: ["story-api"] })));
  await note("DescribeLoadBalancers of an unknown name", elb.send(new sdk.DescribeLoadBalancersCommand({ Names: ["none"] })));
  const lost = { LoadBalancerArns: [absent("loadbalancer/net/none")] };
  await note("DescribeLoadBalancers of an unknown ARN", elb.send(new sdk.DescribeLoadBalancersCommand(lost)));
  const Attributes = [{ Key: "load_balancing.cross_zone.enabled", Value: "true" }];
  await note(
    "ModifyLoadBalancerAttributes",
    elb.send(new sdk.ModifyLoadBalancerAttributesCommand({ LoadBalancerArn, Attributes })),
  );
  await note("DescribeLoadBalancerAttributes", elb.send(new sdk.DescribeLoadBalancerAttributesCommand({ LoadBalancerArn })));
  await note(
    "AddTags",
    elb.send(new sdk.AddTagsCommand({ ResourceArns: [LoadBalancerArn], Tags: [{ Key: "late", Value: "yes" }] })),
  );
  await note("DescribeTags of a balancer", elb.send(new sdk.DescribeTagsCommand({ ResourceArns: [LoadBalancerArn] })));
  await note(
    "DescribeTags of an unknown balancer",
    elb.send(new sdk.DescribeTagsCommand({ ResourceArns: [absent("loadbalancer/net/none")] })),
  );
  await targets(site, note, LoadBalancerArn, where);
  await note("DeleteLoadBalancer", elb.send(new sdk.DeleteLoadBalancerCommand({ LoadBalancerArn })));
  await note("DeleteLoadBalancer again", elb.send(new sdk.DeleteLoadBalancerCommand({ LoadBalancerArn })));
};

async function targets(site: Site, note: Note, LoadBalancerArn: string, { VpcId }: Place): Promise<void> {
  const { elb, pass } = site;
  const create = (change: Partial<sdk.CreateTargetGroupCommandInput> = {}) =>
    elb.send(
      new sdk.CreateTargetGroupCommand({
        Name: "story-api",
        Protocol: "TCP",
        Port: 6443,
        VpcId,
        TargetType: "ip",
        HealthCheckProtocol: "HTTPS",
        HealthCheckPath: "/readyz",
        HealthCheckIntervalSeconds: 5,
        HealthCheckTimeoutSeconds: 5,
        HealthyThresholdCount: 2,
        UnhealthyThresholdCount: 6,
        Tags,
        ...change,
      }),
    );
  const { TargetGroups } = await note("CreateTargetGroup", create());
  const TargetGroupArn = TargetGroups?.[0]?.TargetGroupArn ?? "";
  await note("CreateTargetGroup with a timeout over the interval", create({ Name: "slow", HealthCheckTimeoutSeconds: 6 }));
  await note("CreateTargetGroup with other settings", create({ Port: 443 }));
  await note("DescribeTargetGroups by name", elb.send(new sdk.DescribeTargetGroupsCommand({ Names: ["story-api"] })));
  await note("DescribeTargetGroups of an unknown name", elb.send(new sdk.DescribeTargetGroupsCommand({ Names: ["none"] })));
  const Attributes = [{ Key: "preserve_client_ip.enabled", Value: "false" }];
  await note("ModifyTargetGroupAttributes", elb.send(new sdk.ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes })));
  await note("DescribeTargetGroupAttributes", elb.send(new sdk.DescribeTargetGroupAttributesCommand({ TargetGroupArn })));
  const Targets = [{ Id: "10.58.0.10", Port: 6443 }];
  await note("RegisterTargets", elb.send(new sdk.RegisterTargetsCommand({ TargetGroupArn, Targets })));
  await note(
    "RegisterTargets of an unknown group",
    elb.send(new sdk.RegisterTargetsCommand({ TargetGroupArn: unknown, Targets })),
  );
  const ListenerArn = await listeners(site, note, LoadBalancerArn, TargetGroupArn);
  await pass(120);
  await note("DescribeTargetHealth", elb.send(new sdk.DescribeTargetHealthCommand({ TargetGroupArn })));
  await note(
    "DescribeTargetHealth of an unknown group",
    elb.send(new sdk.DescribeTargetHealthCommand({ TargetGroupArn: unknown })),
  );
  await note("DeleteTargetGroup in use", elb.send(new sdk.DeleteTargetGroupCommand({ TargetGroupArn })));
  await note("DeregisterTargets", elb.send(new sdk.DeregisterTargetsCommand({ TargetGroupArn, Targets })));
  await note("DeleteListener", elb.send(new sdk.DeleteListenerCommand({ ListenerArn })));
  await note("DeleteListener again", elb.send(new sdk.DeleteListenerCommand({ ListenerArn })));
  await note("DeleteTargetGroup", elb.send(new sdk.DeleteTargetGroupCommand({ TargetGroupArn })));
  await note("DeleteTargetGroup again", elb.send(new sdk.DeleteTargetGroupCommand({ TargetGroupArn })));
}

async function listeners({ elb }: Site, note: Note, LoadBalancerArn: string, TargetGroupArn: string): Promise<string> {
  const listener = {
    LoadBalancerArn,
    Protocol: "TCP" as const,
    Port: 6443,
    DefaultActions: [{ Type: "forward" as const, TargetGroupArn }],
    Tags,
  };
  const { Listeners } = await note("CreateListener", elb.send(new sdk.CreateListenerCommand(listener)));
  const ListenerArn = Listeners?.[0]?.ListenerArn ?? "";
  await note(
    "CreateListener to an unknown group",
    elb.send(
      new sdk.CreateListenerCommand({ ...listener, Port: 443, DefaultActions: [{ Type: "forward", TargetGroupArn: unknown }] }),
    ),
  );
  await note("DescribeListeners", elb.send(new sdk.DescribeListenersCommand({ LoadBalancerArn })));
  return ListenerArn;
}
