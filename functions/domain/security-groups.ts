export type GroupName = "controlPlane" | "worker" | "loadBalancer" | "endpoints" | "api";

export type Peer = { readonly group: GroupName } | { readonly cidr: string } | { readonly prefixList: "s3" };

/** One rule. For ICMP, `from` is the type and `to` the code; `all` has neither. */
export interface Rule {
  readonly direction: "ingress" | "egress";
  readonly protocol: "tcp" | "udp" | "icmp" | "all";
  readonly from: number;
  readonly to: number;
  readonly peer: Peer;
  readonly why: string;
}

export interface GroupPlan {
  readonly name: GroupName;
  /** The last part of the group's name: `orchid-g1-control-plane`. */
  readonly suffix: string;
  /** Exactly one group of a node carries the cloud provider's tag; with two its Services fail (facts 2.6). */
  readonly forCloudProvider: boolean;
  readonly rules: readonly Rule[];
}

const nodes = ["controlPlane", "worker"] as const;

const ingress = (protocol: "tcp" | "udp", from: number, to: number, peer: GroupName, why: string): Rule => ({
  direction: "ingress",
  protocol,
  from,
  to,
  peer: { group: peer },
  why,
});

/** Facts 6.1, between nodes. NodePorts are left to the cloud provider, which opens them on its own group for each Service. */
const betweenNodes = (): Rule[] =>
  nodes.flatMap((peer): Rule[] => [
    ingress("udp", 4789, 4789, peer, "Calico VXLAN"),
    { direction: "ingress", protocol: "icmp", from: 3, to: 4, peer: { group: peer }, why: "path MTU discovery" },
  ]);

/**
 * Facts 6.2: out to the VPC and to S3's prefix list, and nowhere else. Not narrowed to single groups, because the load balancers of
 * Services get groups of their own later, and what runs on nodes must reach them.
 */
const nodeEgress = (vpcCidr: string): Rule[] => [
  { direction: "egress", protocol: "all", from: -1, to: -1, peer: { cidr: vpcCidr }, why: "inside the VPC" },
  { direction: "egress", protocol: "tcp", from: 443, to: 443, peer: { prefixList: "s3" }, why: "S3 through its gateway" },
];

/** Every security group with all its rules. AWS's own first egress rule, to everywhere, is in none of them and has to go. */
export function securityGroupPlans(vpcCidr: string, isHighlyAvailable: boolean): GroupPlan[] {
  const controlPlane: Rule[] = [
    ...nodes.map((peer) => ingress("tcp", 6443, 6443, peer, "API")),
    // Client-IP preservation is off, so calls and health checks come from the load balancer itself (facts 3.7).
    ...(isHighlyAvailable ? [ingress("tcp", 6443, 6443, "api", "API by its load balancer")] : []),
    ingress("tcp", 2379, 2380, "controlPlane", "etcd"),
    ingress("tcp", 10250, 10250, "controlPlane", "kubelet"),
    ...betweenNodes(),
    ...nodeEgress(vpcCidr),
  ];
  const worker: Rule[] = [ingress("tcp", 10250, 10250, "controlPlane", "kubelet"), ...betweenNodes(), ...nodeEgress(vpcCidr)];
  const api: Rule[] = [
    ...nodes.map((peer) => ingress("tcp", 6443, 6443, peer, "API clients")),
    { direction: "egress", protocol: "tcp", from: 6443, to: 6443, peer: { group: "controlPlane" }, why: "API and health checks" },
  ];
  const group = (name: GroupName, suffix: string, rules: readonly Rule[]): GroupPlan => ({
    name,
    suffix,
    forCloudProvider: name === "loadBalancer",
    rules,
  });
  return [
    group("controlPlane", "control-plane", controlPlane),
    group("worker", "worker", worker),
    group("loadBalancer", "load-balancer", []),
    group(
      "endpoints",
      "endpoints",
      nodes.map((peer) => ingress("tcp", 443, 443, peer, "PrivateLink")),
    ),
    ...(isHighlyAvailable ? [group("api", "api", api)] : []),
  ];
}
