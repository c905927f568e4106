import {
  CreateVpcEndpointCommand,
  DeleteVpcEndpointsCommand,
  paginateDescribeVpcEndpoints,
  type VpcEndpoint,
} from "@aws-sdk/client-ec2";
import { EndpointId } from "../domain/ids.ts";
import type { Aws } from "./aws.ts";
import { ownerFilters, tagSpecifications, tagsOf } from "./ec2-tags.ts";
import { isRefusal } from "./fault.ts";
import type { Created, EndpointsPort, FoundEndpoint } from "./ports.ts";

export const toFoundEndpoint = (endpoint: VpcEndpoint): FoundEndpoint => ({
  endpointId: EndpointId.parse(endpoint.VpcEndpointId),
  service: endpoint.ServiceName ?? "",
  type: endpoint.VpcEndpointType?.toLowerCase() === "gateway" ? "gateway" : "interface",
  state: endpoint.State?.toLowerCase() ?? "",
  privateNames: (endpoint.DnsEntries ?? []).flatMap(({ DnsName }) => (DnsName === undefined ? [] : [DnsName])),
  hasPrivateDns: endpoint.PrivateDnsEnabled === true,
  policy: endpoint.PolicyDocument ?? "",
  tags: tagsOf(endpoint.Tags),
});

/** A second endpoint of a service cannot have its private name, nor a second gateway its route (facts 8.2). */
const isTaken = (error: unknown): boolean =>
  isRefusal(error, "RouteAlreadyExists") ||
  (isRefusal(error, "InvalidParameter") && /conflicting DNS domain/i.test((error as Error).message));

async function unlessTaken(create: () => Promise<unknown>): Promise<Created> {
  try {
    await create();
    return "done";
  } catch (error) {
    if (isTaken(error)) return "taken";
    throw error;
  }
}

export const ec2Endpoints = ({ ec2 }: Pick<Aws, "ec2">): EndpointsPort => ({
  async find(lock) {
    const found: FoundEndpoint[] = [];
    for await (const { VpcEndpoints = [] } of paginateDescribeVpcEndpoints({ client: ec2 }, { Filters: ownerFilters(lock) }))
      found.push(...VpcEndpoints.map(toFoundEndpoint));
    return found;
  },
  createInterface: ({ vpcId, service, subnetIds, groupId, policy }, tags, token) =>
    unlessTaken(() =>
      ec2.send(
        new CreateVpcEndpointCommand({
          VpcId: vpcId,
          ServiceName: service,
          // AWS's default is Gateway, and the default for private DNS is not documented: both are written out (facts 8.2).
          VpcEndpointType: "Interface",
          PrivateDnsEnabled: true,
          SubnetIds: [...subnetIds],
          SecurityGroupIds: [groupId],
          PolicyDocument: policy,
          ClientToken: token,
          TagSpecifications: tagSpecifications(["vpc-endpoint"], tags),
        }),
      ),
    ),
  createGateway: ({ vpcId, service, routeTableId, policy }, tags, token) =>
    unlessTaken(() =>
      ec2.send(
        new CreateVpcEndpointCommand({
          VpcId: vpcId,
          ServiceName: service,
          VpcEndpointType: "Gateway",
          RouteTableIds: [routeTableId],
          PolicyDocument: policy,
          ClientToken: token,
          TagSpecifications: tagSpecifications(["vpc-endpoint"], tags),
        }),
      ),
    ),
  async remove(endpointIds) {
    // What it could not delete it gives back in its answer instead of throwing; whoever asked looks again.
    await ec2.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds: [...endpointIds] }));
  },
});
