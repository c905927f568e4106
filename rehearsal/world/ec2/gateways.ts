import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { type Operations, reads, writes } from "../operation.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import type { Gateway } from "./model.ts";
import { tagList, tagsAtBirth } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

const facets: Facets<Gateway> = {
  "internet-gateway-id": ({ id }) => [id],
  "attachment.vpc-id": ({ vpcId }) => (vpcId === null ? [] : [vpcId]),
  "attachment.state": ({ vpcId }) => (vpcId === null ? [] : ["available"]),
};

const shown = (state: Ec2State, gateway: Gateway) => ({
  InternetGatewayId: gateway.id,
  Attachments: gateway.vpcId === null ? [] : [{ VpcId: gateway.vpcId, State: "available" }],
  OwnerId: state.universe.account,
  Tags: tagList(gateway.tags),
});

function create(state: Ec2State, { TagSpecifications }: sdk.CreateInternetGatewayCommandInput): object {
  const tags = tagsAtBirth("internet-gateway", TagSpecifications);
  if (state.gateways.all().length >= state.quotas.internetGateways)
    throw fault("ec2", "InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached.");
  const born = state.universe.clock.now();
  const gateway = state.gateways.add({ id: state.newId("igw"), type: "internet-gateway", tags, born, vpcId: null });
  return { InternetGateway: shown(state, gateway) };
}

function attach(state: Ec2State, { InternetGatewayId, VpcId }: sdk.AttachInternetGatewayCommandInput): object {
  const gateway = state.gateways.get(InternetGatewayId);
  const vpc = state.vpcs.get(VpcId);
  if (gateway.vpcId !== null)
    throw fault("ec2", "Resource.AlreadyAssociated", `resource ${gateway.id} is already attached to network ${gateway.vpcId}`);
  if (state.gateways.all().some(({ vpcId }) => vpcId === vpc.id))
    throw fault("ec2", "InvalidParameterValue", `Network ${vpc.id} already has an internet gateway attached`);
  gateway.vpcId = vpc.id;
  return {};
}

function detach(state: Ec2State, { InternetGatewayId, VpcId }: sdk.DetachInternetGatewayCommandInput): object {
  const gateway = state.gateways.get(InternetGatewayId);
  const vpc = state.vpcs.get(VpcId);
  if (gateway.vpcId !== vpc.id)
    throw fault("ec2", "Gateway.NotAttached", `resource ${gateway.id} is not attached to network ${vpc.id}`);
  if (state.interfaces.all().some(({ vpcId, publicAddress }) => vpcId === vpc.id && publicAddress !== null))
    throw fault("ec2", "DependencyViolation", `Network ${vpc.id} has some mapped public address(es). Please unmap those first.`);
  gateway.vpcId = null;
  return {};
}

export const gatewayOperations = (state: Ec2State): Operations => ({
  CreateInternetGateway: writes<sdk.CreateInternetGatewayCommandInput>(["TagSpecifications"], (input) => create(state, input)),
  AttachInternetGateway: writes<sdk.AttachInternetGatewayCommandInput>(["InternetGatewayId", "VpcId"], (input) =>
    attach(state, input),
  ),
  DetachInternetGateway: writes<sdk.DetachInternetGatewayCommandInput>(["InternetGatewayId", "VpcId"], (input) =>
    detach(state, input),
  ),
  DescribeInternetGateways: reads<sdk.DescribeInternetGatewaysCommandInput>(
    ["InternetGatewayIds", "Filters", "MaxResults", "NextToken"],
    (input) => {
      const found = filtered(state.gateways.seen(input.InternetGatewayIds), input.Filters, facets);
      const { page, ...rest } = paged(found, input, state.pageSize);
      return { InternetGateways: page.map((gateway) => shown(state, gateway)), ...rest };
    },
  ),
  DeleteInternetGateway: writes<sdk.DeleteInternetGatewayCommandInput>(["InternetGatewayId"], ({ InternetGatewayId }) => {
    const gateway = state.gateways.get(InternetGatewayId);
    if (gateway.vpcId !== null)
      throw fault("ec2", "DependencyViolation", `The internetGateway '${gateway.id}' has dependencies and cannot be deleted.`);
    state.gateways.remove(gateway.id);
    return {};
  }),
});
