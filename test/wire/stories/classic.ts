import * as sdk from "@aws-sdk/client-elastic-load-balancing";
import type { Story } from "../story.ts";
import { place } from "./endpoints.ts";

/** The balancer that the cloud provider makes for a Service without annotations, and what a destroy asks about it. */
export const classicBalancers: Story = async (site, note) => {
  const { elbClassic } = site;
  const { subnetIds, GroupId } = await place(site, "10.59");
  const LoadBalancerName = "a0123456789abcdef";
  const create = (change: Partial<sdk.CreateLoadBalancerCommandInput> = {}) =>
    elbClassic.send(
      new sdk.CreateLoadBalancerCommand({
        LoadBalancerName,
        Listeners: [{ Protocol: "TCP", LoadBalancerPort: 80, InstanceProtocol: "TCP", InstancePort: 30080 }],
        Subnets: [...subnetIds],
        SecurityGroups: [GroupId],
        Scheme: "internal",
        Tags: [{ Key: "story", Value: "wire" }],
        ...change,
      }),
    );
  const names = { LoadBalancerNames: [LoadBalancerName] };
  const none = { LoadBalancerNames: ["none"] };
  await note("Classic.CreateLoadBalancer", create());
  await note(
    "Classic.CreateLoadBalancer in an unknown subnet",
    create({ LoadBalancerName: "b", Subnets: ["subnet-0123456789abcdef0"] }),
  );
  await note("Classic.CreateLoadBalancer with other settings", create({ Scheme: "internet-facing" }));
  await note("Classic.DescribeLoadBalancers", elbClassic.send(new sdk.DescribeLoadBalancersCommand(names)));
  await note("Classic.DescribeLoadBalancers of an unknown name", elbClassic.send(new sdk.DescribeLoadBalancersCommand(none)));
  const Tags = [{ Key: "late", Value: "yes" }];
  await note("Classic.AddTags", elbClassic.send(new sdk.AddTagsCommand({ ...names, Tags })));
  await note("Classic.AddTags of an unknown name", elbClassic.send(new sdk.AddTagsCommand({ ...none, Tags })));
  await note("Classic.DescribeTags", elbClassic.send(new sdk.DescribeTagsCommand(names)));
  await note("Classic.DescribeTags of an unknown name", elbClassic.send(new sdk.DescribeTagsCommand(none)));
  await note("Classic.DeleteLoadBalancer", elbClassic.send(new sdk.DeleteLoadBalancerCommand({ LoadBalancerName })));
  await note("Classic.DeleteLoadBalancer again", elbClassic.send(new sdk.DeleteLoadBalancerCommand({ LoadBalancerName })));
};
