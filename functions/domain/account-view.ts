/** A rule of a security group: `tcp 443`, and the block, group or prefix list at its other end. */
export interface GroupRule {
  readonly traffic: string;
  readonly peer: string;
}

/** What the account itself says about one VPC, as far as isolation depends on it. Plain strings: nothing in it is acted upon. */
export interface AccountView {
  readonly addresses6: readonly string[];
  readonly subnets: readonly { readonly subnetId: string; readonly cidr: string; readonly givesPublicAddress: boolean }[];
  readonly routeTables: readonly {
    readonly routeTableId: string;
    readonly isMain: boolean;
    readonly subnetIds: readonly string[];
    readonly routes: readonly { readonly destination: string; readonly target: string }[];
  }[];
  /** Ids of whatever can lead out of the VPC. */
  readonly waysOut: Readonly<Record<WayOut, readonly string[]>>;
  readonly interfaces: readonly {
    readonly interfaceId: string;
    readonly subnetId: string;
    readonly publicAddresses: readonly string[];
    readonly addresses6: readonly string[];
  }[];
  readonly groups: readonly {
    readonly groupId: string;
    readonly ingress: readonly GroupRule[];
    readonly egress: readonly GroupRule[];
  }[];
  /** AWS's list of S3's addresses, which the gateway endpoint serves. */
  readonly s3PrefixList: string;
  readonly endpoints: readonly {
    readonly service: string;
    readonly type: "interface" | "gateway";
    readonly state: string;
    readonly hasPrivateDns: boolean;
    readonly policy: string;
  }[];
  readonly instances: readonly {
    readonly instanceId: string;
    readonly imageId: string;
    readonly subnetId: string;
    readonly groupIds: readonly string[];
    readonly tokenRequired: boolean;
    readonly hopLimit: number;
  }[];
}

export const wayOutKinds = [
  "internetGateways",
  "natGateways",
  "egressOnlyGateways",
  "peerings",
  "transitAttachments",
  "vpnGateways",
] as const;
export type WayOut = (typeof wayOutKinds)[number];
