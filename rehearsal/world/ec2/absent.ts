import type { Filter } from "@aws-sdk/client-ec2";
import { type Operations, reads } from "../operation.ts";
import { type Facets, filtered } from "./filters.ts";

interface Query {
  readonly Filter?: readonly Filter[];
  readonly Filters?: readonly Filter[];
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

const names = (...known: readonly string[]): Facets<never> => Object.fromEntries(known.map((name) => [name, () => []]));

/** Kinds that this account cannot have, because nothing here creates them: their lists are empty, their filters are still checked. */
const none = (list: string, facets: Facets<never>, filterField: "Filter" | "Filters" = "Filters") =>
  reads<Query>([filterField, "MaxResults", "NextToken"], (input) => ({
    [list]: filtered<never>([], [...(input[filterField] ?? [])], facets),
  }));

export const absentOperations = (): Operations => ({
  DescribeNatGateways: none("NatGateways", names("vpc-id", "subnet-id", "state", "nat-gateway-id"), "Filter"),
  DescribeEgressOnlyInternetGateways: none("EgressOnlyInternetGateways", names()),
  DescribeTransitGatewayVpcAttachments: none("TransitGatewayVpcAttachments", names("vpc-id", "state", "transit-gateway-id")),
  DescribeTransitGatewayAttachments: none(
    "TransitGatewayAttachments",
    names("resource-id", "resource-type", "state", "transit-gateway-id"),
  ),
  DescribeVpnGateways: none("VpnGateways", names("attachment.vpc-id", "attachment.state", "state", "vpn-gateway-id")),
  DescribeVpnConnections: none("VpnConnections", names("vpn-gateway-id", "transit-gateway-id", "state", "vpn-connection-id")),
  DescribeVpcPeeringConnections: none(
    "VpcPeeringConnections",
    names("accepter-vpc-info.vpc-id", "requester-vpc-info.vpc-id", "status-code", "vpc-peering-connection-id"),
  ),
  DescribeCarrierGateways: none("CarrierGateways", names("vpc-id", "state", "carrier-gateway-id")),
  DescribeAddresses: none("Addresses", names("instance-id", "network-interface-id", "domain", "public-ip", "allocation-id")),
});
