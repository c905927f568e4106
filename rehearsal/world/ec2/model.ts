import type { Resource } from "./shelf.ts";

export interface Vpc extends Resource {
  readonly cidr: string;
  state: "pending" | "available";
  dnsSupport: boolean;
  dnsHostnames: boolean;
}

/** Addresses of a subnet that nobody gets who does not ask for them. */
export interface Reservation {
  readonly id: string;
  readonly cidr: string;
  readonly tags: ReadonlyMap<string, string>;
}

export interface Subnet extends Resource {
  readonly vpcId: string;
  readonly cidr: string;
  readonly zone: string;
  state: "pending" | "available";
  mapsPublicAddresses: boolean;
  hostnameType: "ip-name" | "resource-name";
  reservations: Reservation[];
}

export interface Gateway extends Resource {
  vpcId: string | null;
}

export interface Route {
  /** A CIDR block or a prefix list's id. */
  readonly destination: string;
  /** `local`, `igw-…`, `vpce-…`, `nat-…`, `tgw-…`, `pcx-…`. */
  readonly target: string;
}

export interface Association {
  readonly id: string;
  /** null: the VPC's main table. */
  readonly subnetId: string | null;
}

export interface RouteTable extends Resource {
  readonly vpcId: string;
  routes: Route[];
  associations: Association[];
}

export interface Rule extends Resource {
  readonly groupId: string;
  readonly isEgress: boolean;
  /** `-1` for all, else `tcp`, `udp`, `icmp` or a number. */
  readonly protocol: string;
  readonly from: number;
  readonly to: number;
  /** A CIDR block, `sg-…` or `pl-…`. */
  readonly peer: string;
  readonly description: string;
}

export interface SecurityGroup extends Resource {
  readonly vpcId: string;
  readonly name: string;
  readonly description: string;
}

export interface Endpoint extends Resource {
  readonly vpcId: string;
  readonly service: string;
  readonly kind: "Gateway" | "Interface";
  readonly policy: string;
  readonly hasPrivateDns: boolean;
  readonly routeTableIds: readonly string[];
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
  readonly interfaceIds: readonly string[];
  state: "pending" | "available" | "deleting" | "deleted" | "failed";
  /** When the VPC's resolver answers with its private names; null until it is available. */
  resolvableAt: number | null;
}

export interface NetworkInterface extends Resource {
  readonly vpcId: string;
  readonly subnetId: string;
  readonly zone: string;
  readonly address: string;
  readonly description: string;
  groupIds: string[];
  /** Who made it, when that was AWS for a service: `amazon-elb`, `vpc-endpoint`. */
  readonly requester: string | null;
  readonly kind: "interface" | "vpc_endpoint" | "network_load_balancer";
  instanceId: string | null;
  publicAddress: string | null;
  sourceDestCheck: boolean;
}

export type InstanceState = "pending" | "running" | "shutting-down" | "terminated" | "stopping" | "stopped";

export interface Instance extends Resource {
  readonly reservationId: string;
  readonly index: number;
  readonly imageId: string;
  readonly instanceType: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly zone: string;
  readonly interfaceId: string;
  readonly address: string;
  readonly privateDnsName: string;
  readonly profile: string | null;
  /** Bought otherwise than On-Demand. */
  lifecycle: "spot" | null;
  /** Base64, as it was sent. */
  readonly userData: string;
  readonly metadata: { readonly tokens: string; readonly hopLimit: number; readonly endpoint: string; readonly tags: string };
  readonly token: string;
  state: InstanceState;
  terminatedAt: number | null;
  /** AWS's code for a launch that came to nothing, such as `Client.VolumeLimitExceeded`. */
  stateReason: string | null;
}

export interface Volume extends Resource {
  readonly zone: string;
  readonly size: number;
  readonly volumeType: string;
  readonly isEncrypted: boolean;
  state: "creating" | "available" | "in-use";
  /** A disk that is being taken off is still in use. */
  isDetaching: boolean;
  attachment: {
    readonly instanceId: string;
    readonly device: string;
    readonly goesWithInstance: boolean;
    readonly at: number;
  } | null;
}

export interface Snapshot extends Resource {
  readonly volumeId: string;
  readonly size: number;
  readonly isEncrypted: boolean;
  readonly description: string;
  state: "pending" | "completed";
}

export interface Image extends Resource {
  readonly owner: string;
  readonly name: string;
  readonly architecture: string;
  readonly rootDeviceName: string;
  readonly volumeGiB: number;
  state: "available" | "pending" | "deregistered";
}

export interface PrefixList {
  readonly id: string;
  readonly name: string;
  readonly cidrs: readonly string[];
}

export interface InstanceType {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly architecture: "x86_64" | "arm64";
  /** Whose On-Demand vCPUs it takes: those of the Standard families have one quota, each other group its own (EC2, On-Demand Instance quotas). */
  readonly family: "standard" | "g";
}
