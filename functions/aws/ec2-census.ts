import {
  paginateDescribeInstances,
  paginateDescribeInternetGateways,
  paginateDescribeRouteTables,
  paginateDescribeSecurityGroups,
  paginateDescribeSubnets,
  paginateDescribeVpcEndpoints,
  paginateDescribeVpcs,
} from "@aws-sdk/client-ec2";
import type { Census } from "../domain/census.ts";
import type { Lock } from "../domain/lock.ts";
import type { Aws } from "./aws.ts";
import { elbApi } from "./elb-api.ts";

export interface CensusPort {
  /** Everything that carries this generation's owner tags, from each service's own Describe call (the tag index lags, facts 7.3). */
  take(lock: Lock): Promise<Census>;
}

async function collect<Page>(
  pages: AsyncIterable<Page>,
  ids: (page: Page) => readonly (string | undefined)[],
): Promise<string[]> {
  const found: string[] = [];
  for await (const page of pages) found.push(...ids(page).filter((id) => id !== undefined));
  return found.sort();
}

const living = ["pending", "running", "stopping", "stopped"];

export const ec2Census = ({ ec2, elb }: Pick<Aws, "ec2" | "elb">): CensusPort => ({
  async take(lock) {
    const client = { client: ec2 };
    const Filters = [
      { Name: "tag:cloister:cluster", Values: [lock.cluster] },
      { Name: "tag:cloister:generation", Values: [String(lock.generation)] },
    ];
    const instances = { Filters: [...Filters, { Name: "instance-state-name", Values: living }] };
    const endpoints = {
      Filters: [...Filters, { Name: "vpc-endpoint-state", Values: ["pending", "available", "pendingAcceptance"] }],
    };
    const [vpc, subnet, gateway, routeTable, group, endpoint, instance, loadBalancer] = await Promise.all([
      collect(paginateDescribeVpcs(client, { Filters }), ({ Vpcs = [] }) => Vpcs.map(({ VpcId }) => VpcId)),
      collect(paginateDescribeSubnets(client, { Filters }), ({ Subnets = [] }) => Subnets.map(({ SubnetId }) => SubnetId)),
      collect(paginateDescribeInternetGateways(client, { Filters }), ({ InternetGateways = [] }) =>
        InternetGateways.map(({ InternetGatewayId }) => InternetGatewayId),
      ),
      collect(paginateDescribeRouteTables(client, { Filters }), ({ RouteTables = [] }) =>
        RouteTables.map(({ RouteTableId }) => RouteTableId),
      ),
      collect(paginateDescribeSecurityGroups(client, { Filters }), ({ SecurityGroups = [] }) =>
        SecurityGroups.map(({ GroupId }) => GroupId),
      ),
      collect(paginateDescribeVpcEndpoints(client, endpoints), ({ VpcEndpoints = [] }) =>
        VpcEndpoints.map(({ VpcEndpointId }) => VpcEndpointId),
      ),
      collect(paginateDescribeInstances(client, instances), ({ Reservations = [] }) =>
        Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId }) => InstanceId)),
      ),
      elbApi({ elb }).find(lock),
    ]);
    return {
      vpc,
      subnet,
      "internet-gateway": gateway,
      "route-table": routeTable,
      "security-group": group,
      endpoint,
      instance,
      "load-balancer": loadBalancer === null ? [] : [loadBalancer.name],
    };
  },
});
