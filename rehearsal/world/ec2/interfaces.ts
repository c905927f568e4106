import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { type Operations, reads, writes } from "../operation.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import { nodeName } from "./launch.ts";
import type { NetworkInterface } from "./model.ts";
import { tagList } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

const isHeld = ({ instanceId, requester }: NetworkInterface): boolean => instanceId !== null || requester !== null;
const statusOf = (own: NetworkInterface): string => (isHeld(own) ? "in-use" : "available");

const facets: Facets<NetworkInterface> = {
  "network-interface-id": ({ id }) => [id],
  "vpc-id": ({ vpcId }) => [vpcId],
  "subnet-id": ({ subnetId }) => [subnetId],
  "availability-zone": ({ zone }) => [zone],
  "group-id": ({ groupIds }) => groupIds,
  description: ({ description }) => [description],
  "interface-type": ({ kind }) => [kind],
  "requester-managed": ({ requester }) => [String(requester !== null)],
  "private-ip-address": ({ address }) => [address],
  "addresses.private-ip-address": ({ address }) => [address],
  "association.public-ip": ({ publicAddress }) => (publicAddress === null ? [] : [publicAddress]),
  "attachment.instance-id": ({ instanceId }) => (instanceId === null ? [] : [instanceId]),
  status: (own) => [statusOf(own)],
};

/** A locally administered address, unlike for every private address. */
export const macAddress = (address: string): string =>
  ["02", "00", ...address.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"))].join(":");

/** An interface has a name only where its VPC gives host names. */
export const privateName = (state: Ec2State, { vpcId, address }: NetworkInterface): { PrivateDnsName?: string } =>
  state.vpcs.find(vpcId)?.dnsHostnames === true ? { PrivateDnsName: nodeName(state.universe.region, address) } : {};

/** How an interface hangs on its instance; every instance here has one, from birth to death. */
export const attachmentShown = ({ id, born }: NetworkInterface) => ({
  AttachmentId: id.replace(/^eni-/, "eni-attach-"),
  AttachTime: new Date(born),
  DeviceIndex: 0,
  NetworkCardIndex: 0,
  Status: "attached",
  DeleteOnTermination: true,
});

const shown = (state: Ec2State, own: NetworkInterface) => ({
  NetworkInterfaceId: own.id,
  VpcId: own.vpcId,
  SubnetId: own.subnetId,
  AvailabilityZone: own.zone,
  MacAddress: macAddress(own.address),
  PrivateIpAddress: own.address,
  ...privateName(state, own),
  PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: own.address, ...privateName(state, own) }],
  Ipv6Addresses: [],
  Description: own.description,
  InterfaceType: own.kind,
  RequesterManaged: own.requester !== null,
  ...(own.requester === null ? {} : { RequesterId: own.requester }),
  Groups: own.groupIds.map((GroupId) => ({ GroupId, GroupName: state.groups.find(GroupId)?.name ?? "" })),
  SourceDestCheck: own.sourceDestCheck,
  Status: statusOf(own),
  OwnerId: state.universe.account,
  ...(own.publicAddress === null ? {} : { Association: { PublicIp: own.publicAddress, IpOwnerId: "amazon" } }),
  ...(own.instanceId === null
    ? {}
    : { Attachment: { ...attachmentShown(own), InstanceId: own.instanceId, InstanceOwnerId: state.universe.account } }),
  TagSet: tagList(own.tags),
});

export const interfaceOperations = (state: Ec2State): Operations => ({
  DescribeNetworkInterfaces: reads<sdk.DescribeNetworkInterfacesCommandInput>(
    ["NetworkInterfaceIds", "Filters", "MaxResults", "NextToken"],
    (input) => {
      const found = filtered(state.interfaces.seen(input.NetworkInterfaceIds), input.Filters, facets);
      const { page, ...rest } = paged(found, input, state.pageSize);
      return { NetworkInterfaces: page.map((own) => shown(state, own)), ...rest };
    },
  ),
  DeleteNetworkInterface: writes<sdk.DeleteNetworkInterfaceCommandInput>(["NetworkInterfaceId"], ({ NetworkInterfaceId }) => {
    const own = state.interfaces.get(NetworkInterfaceId);
    // What AWS made for a service goes with that service only (facts 7.1, 7.3).
    if (isHeld(own)) throw fault("ec2", "InvalidParameterValue", `Network interface '${own.id}' is currently in use.`);
    state.interfaces.remove(own.id);
    return {};
  }),
});
