import {
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcEndpointsCommand,
  DescribeVpcsCommand,
} from "@aws-sdk/client-ec2";
import { DescribeLoadBalancersCommand, DescribeTargetGroupsCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { GetParametersByPathCommand } from "@aws-sdk/client-ssm";
import type { Aws } from "../../functions/aws/aws.ts";

/** Everything in the account that a cluster can leave, by no tag and no name: what an auditor compares before and after. */
export async function inventory({ ec2, elb, ssm }: Aws): Promise<string[]> {
  const [vpcs, subnets, tables, groups, endpoints, gateways, interfaces, volumes, instances] = await Promise.all([
    ec2.send(new DescribeVpcsCommand({})),
    ec2.send(new DescribeSubnetsCommand({})),
    ec2.send(new DescribeRouteTablesCommand({})),
    ec2.send(new DescribeSecurityGroupsCommand({})),
    ec2.send(new DescribeVpcEndpointsCommand({})),
    ec2.send(new DescribeInternetGatewaysCommand({})),
    ec2.send(new DescribeNetworkInterfacesCommand({})),
    ec2.send(new DescribeVolumesCommand({})),
    ec2.send(new DescribeInstancesCommand({})),
  ]);
  const [balancers, targets, parameters] = await Promise.all([
    elb.send(new DescribeLoadBalancersCommand({})),
    elb.send(new DescribeTargetGroupsCommand({})),
    ssm.send(new GetParametersByPathCommand({ Path: "/cloister", Recursive: true })),
  ]);
  const alive = (instances.Reservations ?? [])
    .flatMap(({ Instances = [] }) => Instances)
    .filter(({ State }) => State?.Name !== "terminated");
  const ids = [
    vpcs.Vpcs?.map(({ VpcId }) => VpcId),
    subnets.Subnets?.map(({ SubnetId }) => SubnetId),
    tables.RouteTables?.map(({ RouteTableId }) => RouteTableId),
    groups.SecurityGroups?.map(({ GroupId }) => GroupId),
    endpoints.VpcEndpoints?.map(({ VpcEndpointId }) => VpcEndpointId),
    gateways.InternetGateways?.map(({ InternetGatewayId }) => InternetGatewayId),
    interfaces.NetworkInterfaces?.map(({ NetworkInterfaceId }) => NetworkInterfaceId),
    volumes.Volumes?.map(({ VolumeId }) => VolumeId),
    alive.map(({ InstanceId }) => InstanceId),
    balancers.LoadBalancers?.map(({ LoadBalancerArn }) => LoadBalancerArn),
    targets.TargetGroups?.map(({ TargetGroupArn }) => TargetGroupArn),
    parameters.Parameters?.map(({ Name }) => Name),
  ];
  return ids
    .flatMap((list) => list ?? [])
    .flatMap((id) => (id === undefined ? [] : [id]))
    .sort();
}
