import type { Ec2 } from "./ec2/ec2.ts";
import { contains } from "./ec2/ipv4.ts";
import type { Instance, NetworkInterface, Rule } from "./ec2/model.ts";
import { privateNameOf } from "./ec2/region.ts";
import type { Elbv2 } from "./elbv2.ts";
import type { LoadBalancer, Target, TargetGroup } from "./elbv2-model.ts";
import type { Fabric, Listeners } from "./fabric-types.ts";

type Outcome = "open" | "timeout" | "refused";
type Protocol = "tcp" | "udp";

/** A public address for a name: the same one each time. TEST-NET-3, so it can be nobody's. */
function publicAddress(name: string): string {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.charCodeAt(0)) % 254;
  return `203.0.113.${sum + 1}`;
}

/** How packets and names travel, from the state of EC2 and the load balancers alone. */
export class VpcFabric implements Fabric {
  readonly #ec2: Ec2;
  readonly #elb: Elbv2;
  readonly #listeners: Listeners;

  constructor(ec2: Ec2, elb: Elbv2, listeners: Listeners) {
    this.#ec2 = ec2;
    this.#elb = elb;
    this.#listeners = listeners;
    elb.probe = (...check) => this.#probe(...check);
  }

  resolve(instanceId: string, name: string): readonly string[] {
    const { state } = this.#ec2;
    const instance = state.instances.find(instanceId);
    const vpc = state.vpcs.find(instance?.vpcId);
    if (instance === undefined || vpc === undefined || !vpc.dnsSupport) return [];
    const node = state.instances
      .all()
      .find((other) => other.vpcId === vpc.id && other.privateDnsName === name && other.state !== "terminated");
    if (node !== undefined) return [node.address];
    if (name.endsWith(".internal")) return [];
    const front = [...this.#elb.loadBalancers.values()].find(({ dnsName }) => dnsName.toLowerCase() === name.toLowerCase());
    if (front !== undefined) return front.state === "active" ? this.#doors(front) : [];
    const endpoint = this.#privateEndpoint(vpc.id, name);
    if (endpoint !== undefined) return this.#addresses(endpoint.interfaceIds);
    return [this.#isS3(name) ? "52.218.128.10" : publicAddress(name)];
  }

  connect(instanceId: string, address: string, port: number, protocol: Protocol = "tcp"): Outcome {
    const instance = this.#ec2.state.instances.find(instanceId);
    if (instance?.state !== "running") return "timeout";
    if (address.startsWith("127.") || address === instance.address)
      return this.#listeners.listens(instanceId, port, protocol) ? "open" : "refused";
    // Metadata, time and DNS live on the host itself; no route table or security group sees them (facts 6.2).
    if (address.startsWith("169.254.")) return "open";
    const own = this.#ec2.state.interfaces.find(instance.interfaceId);
    if (own === undefined || !this.#leaves(own, address, port, protocol)) return "timeout";
    const target = this.#ec2.state.interfaces.all().find((other) => other.vpcId === own.vpcId && other.address === address);
    if (target === undefined) return this.#beyond(own, address, port);
    if (!this.#enters(own, target, port, protocol)) return "timeout";
    if (target.kind === "vpc_endpoint") return port === 443 && this.#isAvailable(target) ? "open" : "refused";
    if (target.kind === "network_load_balancer") return protocol === "tcp" ? this.#balanced(own, target, port) : "timeout";
    return this.#atInstance(target, port, protocol);
  }

  endpointFor(instanceId: string, service: string): { readonly endpointId: string; readonly policy: string } | null {
    const { state } = this.#ec2;
    const [address = ""] = this.resolve(instanceId, privateNameOf(service, state.universe.region));
    if (this.connect(instanceId, address, 443) !== "open") return null;
    const instance = state.instances.find(instanceId);
    const own = state.interfaces.find(instance?.interfaceId);
    const at = state.interfaces.all().find((other) => other.vpcId === own?.vpcId && other.address === address);
    const byInterface = state.endpoints.all().find(({ interfaceIds }) => at !== undefined && interfaceIds.includes(at.id));
    const route = own === undefined ? undefined : this.#gatewayRoute(own, address);
    const endpoint = byInterface ?? state.endpoints.find(route);
    return endpoint === undefined ? null : { endpointId: endpoint.id, policy: endpoint.policy };
  }

  /** Whether a pod on one node reaches a pod on another. Facts 4.1. */
  podReachable(
    fromInstance: string,
    toInstance: string,
    overlay: { readonly encapsulation: "vxlan-always" | "cross-subnet" },
  ): boolean {
    const { state } = this.#ec2;
    const ends = [fromInstance, toInstance].map((id) => {
      const instance = state.instances.find(id);
      return instance?.state === "running" ? state.interfaces.find(instance.interfaceId) : undefined;
    });
    const [from, to] = ends;
    if (from === undefined || to === undefined) return false;
    if (from === to) return true;
    // Not wrapped, a packet carries a pod's address, which the check drops; the group must let everything in.
    if (overlay.encapsulation === "cross-subnet" && from.subnetId === to.subnetId)
      return !from.sourceDestCheck && !to.sourceDestCheck;
    const passes = (a: NetworkInterface, b: NetworkInterface) =>
      this.#leaves(a, b.address, 4789, "udp") && this.#enters(a, b, 4789, "udp");
    return passes(from, to) && passes(to, from);
  }

  #addresses(interfaceIds: readonly string[]): string[] {
    return interfaceIds.flatMap((id) => this.#ec2.state.interfaces.find(id)?.address ?? []);
  }

  #isS3(name: string): boolean {
    return name.endsWith(`s3.${this.#ec2.state.universe.region}.amazonaws.com`) || name.endsWith("s3.amazonaws.com");
  }

  /** Private DNS: both attributes of the VPC, asked for, available, and known to the resolver (facts 8.2). */
  #privateEndpoint(vpcId: string, name: string) {
    const { state } = this.#ec2;
    const { region, clock } = state.universe;
    const vpc = state.vpcs.find(vpcId);
    if (vpc === undefined || !vpc.dnsSupport || !vpc.dnsHostnames) return undefined;
    return state.endpoints.all().find((endpoint) => {
      const isReady = endpoint.resolvableAt !== null && endpoint.resolvableAt <= clock.now() && endpoint.state === "available";
      const zone = privateNameOf(endpoint.service, region);
      const isNamed = name === zone || (endpoint.service === "ecr.dkr" && name.endsWith(`.${zone}`));
      return isReady && endpoint.vpcId === vpcId && endpoint.kind === "Interface" && endpoint.hasPrivateDns && isNamed;
    });
  }

  #isAvailable(own: NetworkInterface): boolean {
    return this.#ec2.state.endpoints
      .all()
      .some(({ interfaceIds, state }) => interfaceIds.includes(own.id) && state === "available");
  }

  #rules(own: NetworkInterface, isEgress: boolean): Rule[] {
    return this.#ec2.state.rules.all().filter((rule) => rule.isEgress === isEgress && own.groupIds.includes(rule.groupId));
  }

  /** Whether a rule speaks of this address, by block, prefix list or the groups of who has it. */
  #names(rule: Rule, address: string, other: NetworkInterface | undefined): boolean {
    if (rule.peer.startsWith("sg-")) return other?.groupIds.includes(rule.peer) ?? false;
    if (!rule.peer.startsWith("pl-")) return contains(rule.peer, address);
    const list = this.#ec2.state.prefixLists.find(({ id }) => id === rule.peer);
    return list?.cidrs.some((cidr) => contains(cidr, address)) ?? false;
  }

  #admits(
    rules: readonly Rule[],
    address: string,
    other: NetworkInterface | undefined,
    port: number,
    protocol: Protocol,
  ): boolean {
    return rules.some(
      (rule) =>
        (rule.protocol === "-1" || (rule.protocol === protocol && rule.from <= port && port <= rule.to)) &&
        this.#names(rule, address, other),
    );
  }

  #leaves(own: NetworkInterface, address: string, port: number, protocol: Protocol): boolean {
    const target = this.#ec2.state.interfaces.all().find((other) => other.vpcId === own.vpcId && other.address === address);
    return this.#admits(this.#rules(own, true), address, target, port, protocol);
  }

  #enters(from: NetworkInterface, to: NetworkInterface, port: number, protocol: Protocol): boolean {
    // A load balancer made without groups lets everything through (facts 3.7).
    if (to.kind === "network_load_balancer" && to.groupIds.length === 0) return true;
    return this.#admits(this.#rules(to, false), from.address, from, port, protocol);
  }

  #gatewayRoute(own: NetworkInterface, address: string): string | undefined {
    const { state } = this.#ec2;
    const subnet = state.subnets.find(own.subnetId);
    if (subnet === undefined) return undefined;
    const covers = (destination: string) => {
      const list = state.prefixLists.find(({ id }) => id === destination);
      return list?.cidrs.some((cidr) => contains(cidr, address)) ?? contains(destination, address);
    };
    const routes = state.routeTableOf(subnet).routes.filter(({ destination }) => covers(destination));
    return (routes.find(({ destination }) => destination.startsWith("pl-")) ?? routes[0])?.target;
  }

  /** Outside of the VPC: S3 through its gateway; the Internet only by a gateway and with a public address, or by NAT. */
  #beyond(own: NetworkInterface, address: string, port: number): Outcome {
    const target = this.#gatewayRoute(own, address);
    if (target === undefined || target === "local") return "timeout";
    if (target.startsWith("igw-") && own.publicAddress === null) return "timeout";
    return port === 443 || port === 80 ? "open" : "timeout";
  }

  #atInstance(target: NetworkInterface, port: number, protocol: Protocol): Outcome {
    const instance = this.#ec2.state.instances.find(target.instanceId ?? "");
    if (instance?.state !== "running") return "timeout";
    return this.#listeners.listens(instance.id, port, protocol) ? "open" : "refused";
  }

  #interfaceOf(target: string): NetworkInterface | undefined {
    const { state } = this.#ec2;
    const instance: Instance | undefined = state.instances.find(target);
    return instance === undefined
      ? state.interfaces.all().find(({ address, kind }) => address === target && kind === "interface")
      : state.interfaces.find(instance.interfaceId);
  }

  #probe(front: LoadBalancer, target: string, port: number, { protocol, path }: TargetGroup["health"]): boolean {
    const to = this.#interfaceOf(target);
    const from = this.#ec2.state.interfaces.find(front.interfaceIds[0]);
    if (to === undefined || from === undefined || this.#hop(from, to, port) !== "open") return false;
    return protocol === "TCP" || this.#listeners.isWell(to.instanceId ?? "", port, path);
  }

  /** From a load balancer's own interface to a target. */
  #hop(from: NetworkInterface, to: NetworkInterface, port: number): Outcome {
    const isOut = from.groupIds.length === 0 || this.#leaves(from, to.address, port, "tcp");
    return isOut && this.#enters(from, to, port, "tcp") ? this.#atInstance(to, port, "tcp") : "timeout";
  }

  #isCrossZone(front: LoadBalancer, group: TargetGroup): boolean {
    const own = group.attributes.get("load_balancing.cross_zone.enabled");
    return (own === "true" || own === "false" ? own : front.attributes.get("load_balancing.cross_zone.enabled")) === "true";
  }

  /** DNS leaves out the zones that have no healthy target, unless that is all of them (AWS's guide: target group health, DNS failover). */
  #doors(front: LoadBalancer): string[] {
    const groups = [...this.#elb.listeners.values()]
      .filter(({ loadBalancerArn }) => loadBalancerArn === front.arn)
      .flatMap(({ targetGroupArn }) => this.#elb.targetGroups.get(targetGroupArn) ?? []);
    const doors = front.interfaceIds.flatMap((id) => this.#ec2.state.interfaces.find(id) ?? []);
    const healthy = doors.filter(({ zone }) =>
      groups.every((group) => this.#near(front, group, zone).some(({ target }) => target.state === "healthy")),
    );
    return (healthy.length > 0 ? healthy : doors).map(({ address }) => address);
  }

  /** The targets that a zone's address reaches. */
  #near(front: LoadBalancer, group: TargetGroup, zone: string): { target: Target; to: NetworkInterface | undefined }[] {
    const all = [...group.targets.values()].map((target) => ({ target, to: this.#interfaceOf(target.id) }));
    return this.#isCrossZone(front, group) ? all : all.filter(({ to }) => to?.zone === zone);
  }

  /** Healthy targets, or all when none is: it fails open. Facts 3.7. */
  #candidates(front: LoadBalancer, group: TargetGroup, zone: string): { target: Target; to: NetworkInterface | undefined }[] {
    const near = this.#near(front, group, zone);
    const healthy = near.filter(({ target }) => target.state === "healthy");
    return healthy.length > 0 ? healthy : near;
  }

  #balanced(from: NetworkInterface, at: NetworkInterface, port: number): Outcome {
    const front = [...this.#elb.loadBalancers.values()].find(({ interfaceIds }) => interfaceIds.includes(at.id));
    if (front?.state !== "active") return "timeout";
    const listener = [...this.#elb.listeners.values()].find((one) => one.loadBalancerArn === front.arn && one.port === port);
    if (listener === undefined) return "refused";
    const group = this.#elb.targetGroups.get(listener.targetGroupArn);
    const candidates = group === undefined ? [] : this.#candidates(front, group, at.zone);
    // One of them, always the same for the same caller: the world has no dice here.
    const chosen = candidates[Number(from.address.split(".").at(-1)) % candidates.length];
    if (group === undefined || chosen?.to === undefined) return "timeout";
    const { target, to } = chosen;
    if (group.attributes.get("preserve_client_ip.enabled") !== "true") return this.#hop(at, to, target.port);
    // The target sees its own address as the caller's, and answers itself.
    if (to.id === from.id) return "timeout";
    const isIn = this.#enters(from, to, target.port, "tcp") || this.#enters(at, to, target.port, "tcp");
    return isIn ? this.#atInstance(to, target.port, "tcp") : "timeout";
  }
}
