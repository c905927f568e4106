import type { SeenEndpoint } from "../domain/endpoint-state.ts";
import type {
  EndpointId,
  InstanceId,
  InternetGatewayId,
  Role,
  RouteTableId,
  SecurityGroupId,
  SubnetId,
  VpcId,
} from "../domain/ids.ts";
import type { AnyLock, Lock } from "../domain/lock.ts";
import type { Tags } from "../domain/tags.ts";

interface Tagged {
  readonly tags: Tags;
}

export interface FoundSubnet extends Tagged {
  readonly subnetId: SubnetId;
  readonly cidr: string;
  readonly zone: string;
}

export interface FoundRouteTable extends Tagged {
  readonly routeTableId: RouteTableId;
  readonly subnetIds: readonly SubnetId[];
  readonly hasDefaultRoute: boolean;
}

/** One rule as it stands in AWS. `peer` is a CIDR, a group's id or a prefix list's; `all` has the ports -1. */
export interface FoundRule {
  readonly direction: "ingress" | "egress";
  readonly protocol: "tcp" | "udp" | "icmp" | "all" | "other";
  readonly from: number;
  readonly to: number;
  readonly peer: string;
}

export interface FoundGroup extends Tagged {
  readonly groupId: SecurityGroupId;
  readonly groupName: string;
  readonly rules: readonly FoundRule[];
}

/** `taken`: another of that kind stands there. Perhaps it is ours and a read did not show it yet: look again. */
export type Created = "done" | "taken";

/** The VPC and what lies in it. What is `find` goes by owner tags; what is `...Of` gives everything in the VPC, with its tags. */
export interface NetworkPort {
  findVpcs(lock: Lock): Promise<readonly VpcId[]>;
  createVpc(cidr: string, tags: Tags): Promise<VpcId>;
  deleteVpc(vpcId: VpcId): Promise<"done" | "absent">;
  enable(vpcId: VpcId, attribute: "dnsSupport" | "dnsHostnames"): Promise<void>;
  subnetsOf(vpcId: VpcId): Promise<readonly FoundSubnet[]>;
  createSubnet(vpcId: VpcId, subnet: { readonly zone: string; readonly cidr: string }, tags: Tags): Promise<Created>;
  /** AWS gives nobody an address of this range any more, unless it is asked for by number. */
  reserve(subnetId: SubnetId, cidr: string, tags: Tags): Promise<void>;
  findInternetGateways(
    lock: Lock,
  ): Promise<readonly { readonly internetGatewayId: InternetGatewayId; readonly isAttached: boolean }[]>;
  createInternetGateway(tags: Tags): Promise<InternetGatewayId>;
  deleteInternetGateway(id: InternetGatewayId): Promise<"done" | "absent">;
  attachInternetGateway(id: InternetGatewayId, vpcId: VpcId): Promise<void>;
  routeTablesOf(vpcId: VpcId): Promise<readonly FoundRouteTable[]>;
  createRouteTable(vpcId: VpcId, tags: Tags, token: string): Promise<RouteTableId>;
  associate(routeTableId: RouteTableId, subnetId: SubnetId): Promise<void>;
  /** The default route of public subnets; private ones never get one. */
  routeOut(routeTableId: RouteTableId, internetGatewayId: InternetGatewayId): Promise<void>;
  groupsOf(vpcId: VpcId): Promise<readonly FoundGroup[]>;
  createGroup(vpcId: VpcId, groupName: string, description: string, tags: Tags): Promise<Created>;
  /** All of these rules or, where one of them stands there already, `present` and none. */
  allow(groupId: SecurityGroupId, direction: FoundRule["direction"], rules: readonly FoundRule[]): Promise<"done" | "present">;
  revokeEgress(groupId: SecurityGroupId, rules: readonly FoundRule[]): Promise<void>;
  /** The id of AWS's own list of a service's addresses, by the service's full name. */
  prefixListOf(service: string): Promise<string>;
}

export interface FoundEndpoint extends Tagged, SeenEndpoint {
  readonly endpointId: EndpointId;
  readonly hasPrivateDns: boolean;
  readonly policy: string;
}

export interface InterfaceEndpoint {
  readonly vpcId: VpcId;
  readonly service: string;
  readonly subnetIds: readonly SubnetId[];
  readonly groupId: SecurityGroupId;
  readonly policy: string;
}

export interface GatewayEndpoint {
  readonly vpcId: VpcId;
  readonly service: string;
  readonly routeTableId: RouteTableId;
  readonly policy: string;
}

export interface EndpointsPort {
  /** In any state, those that failed or are being deleted included. */
  find(lock: Lock): Promise<readonly FoundEndpoint[]>;
  createInterface(endpoint: InterfaceEndpoint, tags: Tags, token: string): Promise<Created>;
  createGateway(endpoint: GatewayEndpoint, tags: Tags, token: string): Promise<Created>;
  remove(endpointIds: readonly EndpointId[]): Promise<void>;
}

export interface Machine {
  readonly instanceId: InstanceId;
  readonly name: string;
  readonly role: Role;
  readonly zone: string;
  /** Null once it has ended. */
  readonly address: string | null;
  readonly state: "pending" | "running" | "shutting-down" | "terminated" | "stopping" | "stopped";
  readonly launchedAt: Date;
  /** Why it ended: `Server.InsufficientInstanceCapacity`, and AWS's sentence; empty while it lives. */
  readonly endCode: string;
  readonly endMessage: string;
}

/** One RunInstances: machines that differ in nothing. */
export interface LaunchOrder {
  readonly count: number;
  readonly zone: string;
  readonly subnetId: SubnetId;
  readonly groupIds: readonly SecurityGroupId[];
  /** Chosen beforehand for a control plane; null lets AWS choose. */
  readonly address: string | null;
  readonly imageId: string;
  readonly instanceType: string;
  readonly profile: string;
  readonly rootDeviceName: string;
  readonly volumeGiB: number;
  readonly userData: string;
  readonly tags: Tags;
  readonly token: string;
}

export interface MachinesPort {
  /** Every one of the generation, ended ones included as long as EC2 shows them (about an hour). */
  find(lock: Lock): Promise<readonly Machine[]>;
  /** All or none. `no-capacity`: the zone has no stock or no room; `address-taken`: the chosen address is still somebody's. */
  launch(order: LaunchOrder): Promise<readonly InstanceId[] | "no-capacity" | "address-taken">;
  end(instanceIds: readonly InstanceId[]): Promise<void>;
}

export interface Agent {
  readonly isOnline: boolean;
  readonly version: string;
  readonly lastPing: Date | null;
}

export interface AgentsPort {
  /** The SSM agents that have called in, by their tags. */
  find(lock: AnyLock): Promise<ReadonlyMap<InstanceId, Agent>>;
}
