import {
  DeleteLoadBalancerCommand as DeleteClassicLoadBalancerCommand,
  DescribeTagsCommand as DescribeClassicTagsCommand,
  paginateDescribeLoadBalancers as paginateClassicLoadBalancers,
} from "@aws-sdk/client-elastic-load-balancing";
import {
  DeleteLoadBalancerCommand,
  DeleteTargetGroupCommand,
  DescribeTagsCommand,
  paginateDescribeLoadBalancers,
  paginateDescribeTargetGroups,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Holding, HoldingKind } from "../domain/holdings.ts";
import type { Aws } from "./aws.ts";
import { collect } from "./collect.ts";
import { tagsOf } from "./ec2-tags.ts";
import { type Removal, removal } from "./removals.ts";

export interface ElbHoldingsPort {
  /** Every load balancer and target group of the account, both APIs: neither can be asked for by tag or by VPC. */
  all(): Promise<readonly Holding[]>;
  remove(holding: Holding): Promise<Removal>;
}

type Untagged = Omit<Holding, "tags">;
/** DescribeTags takes so many at once, in both APIs (facts 7.1). */
const tagsMax = 20;

const chunks = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / tagsMax) }, (_, index) => items.slice(index * tagsMax, (index + 1) * tagsMax));

const seen = (kind: HoldingKind, id: string, name: string, vpcId: string | undefined, state = ""): Untagged => ({
  kind,
  id,
  name,
  vpcId: vpcId ?? null,
  state,
  sizeGiB: 0,
});

async function current({ elb }: Pick<Aws, "elb">): Promise<Holding[]> {
  const client = { client: elb };
  const balancers = await collect(paginateDescribeLoadBalancers(client, {}), ({ LoadBalancers = [] }) =>
    LoadBalancers.map(({ LoadBalancerArn = "", LoadBalancerName = "", VpcId, State }) =>
      seen("load-balancer", LoadBalancerArn, LoadBalancerName, VpcId, State?.Code),
    ),
  );
  const groups = await collect(paginateDescribeTargetGroups(client, {}), ({ TargetGroups = [] }) =>
    TargetGroups.map(({ TargetGroupArn = "", TargetGroupName = "", VpcId }) =>
      seen("target-group", TargetGroupArn, TargetGroupName, VpcId),
    ),
  );
  const tagged: Holding[] = [];
  for (const chunk of chunks([...balancers, ...groups])) {
    const { TagDescriptions = [] } = await elb.send(new DescribeTagsCommand({ ResourceArns: chunk.map(({ id }) => id) }));
    const tags = new Map(TagDescriptions.map(({ ResourceArn = "", Tags }) => [ResourceArn, tagsOf(Tags)]));
    tagged.push(...chunk.map((item) => ({ ...item, tags: tags.get(item.id) ?? {} })));
  }
  return tagged;
}

async function classic({ elbClassic }: Pick<Aws, "elbClassic">): Promise<Holding[]> {
  const balancers = await collect(paginateClassicLoadBalancers({ client: elbClassic }, {}), ({ LoadBalancerDescriptions = [] }) =>
    LoadBalancerDescriptions.map(({ LoadBalancerName: name = "", VPCId }) => seen("classic-load-balancer", name, name, VPCId)),
  );
  const tagged: Holding[] = [];
  for (const chunk of chunks(balancers)) {
    const LoadBalancerNames = chunk.map(({ id }) => id);
    const { TagDescriptions = [] } = await elbClassic.send(new DescribeClassicTagsCommand({ LoadBalancerNames }));
    const tags = new Map(TagDescriptions.map(({ LoadBalancerName = "", Tags }) => [LoadBalancerName, tagsOf(Tags)]));
    tagged.push(...chunk.map((item) => ({ ...item, tags: tags.get(item.id) ?? {} })));
  }
  return tagged;
}

export const elbHoldings = (aws: Pick<Aws, "elb" | "elbClassic">): ElbHoldingsPort => ({
  all: async () => [...(await current(aws)), ...(await classic(aws))],
  remove: ({ kind, id }) =>
    removal(async () => {
      if (kind === "target-group") await aws.elb.send(new DeleteTargetGroupCommand({ TargetGroupArn: id }));
      else if (kind === "load-balancer") await aws.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: id }));
      else await aws.elbClassic.send(new DeleteClassicLoadBalancerCommand({ LoadBalancerName: id }));
    }),
});
