export interface LoadBalancer {
  readonly arn: string;
  readonly name: string;
  readonly dnsName: string;
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
  readonly interfaceIds: readonly string[];
  readonly tags: Map<string, string>;
  readonly attributes: Map<string, string>;
  readonly born: number;
  state: "provisioning" | "active" | "deleting";
}

export interface TargetGroup {
  readonly arn: string;
  readonly name: string;
  readonly vpcId: string;
  readonly targetType: "ip" | "instance";
  readonly port: number;
  readonly health: {
    readonly protocol: "TCP" | "HTTPS";
    /** Of HTTPS. */
    readonly path: string;
    readonly intervalSeconds: number;
    readonly timeoutSeconds: number;
    readonly healthy: number;
    readonly unhealthy: number;
    readonly port: number;
  };
  readonly tags: Map<string, string>;
  readonly attributes: Map<string, string>;
  /** `<address or instance>:<port>`. */
  readonly targets: Map<string, Target>;
}

export interface Target {
  readonly id: string;
  readonly port: number;
  state: "initial" | "healthy" | "unhealthy";
  /** Checks in a row that disagree with the state. */
  streak: number;
  /** Milliseconds of virtual time. */
  readonly since: number;
}

export interface Listener {
  readonly arn: string;
  readonly loadBalancerArn: string;
  readonly port: number;
  readonly targetGroupArn: string;
  readonly tags: Map<string, string>;
}
