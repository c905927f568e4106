/** What the account says of one VPC, as far as packets and names depend on it. */
export interface VpcState {
  readonly vpcId: string;
  readonly cidr: string;
  readonly subnets: readonly SubnetState[];
  readonly groups: readonly GroupState[];
  readonly instances: readonly InstanceState[];
  readonly endpoints: readonly EndpointView[];
  readonly balancers: readonly BalancerState[];
  /** Of AWS's lists, those that a rule or a route of this VPC names. */
  readonly prefixLists: ReadonlyMap<string, readonly string[]>;
}

export interface SubnetState {
  readonly subnetId: string;
  readonly cidr: string;
  /** Everything but the route inside the VPC. */
  readonly routes: readonly { readonly destination: string; readonly target: string }[];
}

export interface RuleState {
  readonly protocol: string;
  readonly from: number;
  readonly to: number;
  /** A block, a group or a prefix list. */
  readonly peer: string;
}

export interface GroupState {
  readonly groupId: string;
  readonly ingress: readonly RuleState[];
  readonly egress: readonly RuleState[];
}

/** Something with an address that groups guard. */
interface Guarded {
  readonly address: string;
  readonly groupIds: readonly string[];
}

export interface InstanceState extends Guarded {
  readonly instanceId: string;
  readonly name: string;
  readonly subnetId: string;
  readonly zone: string;
  readonly type: string;
  readonly imageId: string;
  readonly mac: string;
  readonly profile: string;
  readonly publicAddress: string | null;
  readonly tags: ReadonlyMap<string, string>;
}

export interface EndpointView {
  readonly endpointId: string;
  readonly service: string;
  readonly isGateway: boolean;
  /** The names that resolve to it inside the VPC. */
  readonly privateNames: readonly string[];
  readonly interfaces: readonly Guarded[];
}

/** How a target group looks after its targets. */
export interface HealthCheck {
  readonly protocol: "TCP" | "HTTP" | "HTTPS";
  /** Of HTTP and HTTPS. */
  readonly path: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  /** Checks in a row. */
  readonly healthy: number;
  readonly unhealthy: number;
}

export interface TargetState {
  readonly address: string;
  readonly port: number;
}

export interface BalancerState {
  readonly name: string;
  readonly dnsName: string;
  readonly addresses: readonly Guarded[];
  readonly listeners: readonly {
    readonly port: number;
    readonly targets: readonly TargetState[];
    readonly check: HealthCheck;
  }[];
}
