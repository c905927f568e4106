import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Ec2 } from "./ec2/ec2.ts";
import type { Listener, LoadBalancer, TargetGroup } from "./elbv2-model.ts";
import { asList, asMap, change } from "./elbv2-tags.ts";
import { targetOperations } from "./elbv2-targets.ts";
import { fault } from "./fault.ts";
import { type Operations, reads, writes } from "./operation.ts";
import type { InventoryItem, Service, Universe } from "./service.ts";

const sameSet = (a: readonly string[], b: readonly string[]): boolean => [...a].sort().join() === [...b].sort().join();

/** The virtual load balancing: network load balancers inside a VPC, nothing else. Codes are the SDK's names. */
export class Elbv2 implements Service {
  readonly name = "elb";
  readonly universe: Universe;
  readonly ec2: Ec2;
  readonly loadBalancers = new Map<string, LoadBalancer>();
  readonly targetGroups = new Map<string, TargetGroup>();
  readonly listeners = new Map<string, Listener>();
  readonly operations: Operations;
  /** Whether a target answers a health check of this load balancer's; the fabric sets it. */
  probe: (loadBalancer: LoadBalancer, target: string, port: number, health: TargetGroup["health"]) => boolean = () => false;

  constructor(universe: Universe, ec2: Ec2) {
    this.universe = universe;
    this.ec2 = ec2;
    this.operations = { ...this.#loadBalancerOperations(), ...this.#tagOperations(), ...targetOperations(this) };
  }

  /** ARNs end in 16 hex digits, seeded by the name: AWS makes names unique, and the same name has one at a time. */
  newArn(kind: string, name: string): string {
    const word = (half: string) =>
      Math.floor(this.universe.chance.uniform(`arn/${kind}/${name}/${half}/${this.universe.clock.now()}`) * 2 ** 32)
        .toString(16)
        .padStart(8, "0");
    return `arn:aws:elasticloadbalancing:${this.universe.region}:${this.universe.account}:${kind}/${name}/${word("a")}${word("b")}`;
  }

  loadBalancer(arn: string | undefined): LoadBalancer {
    const found = this.loadBalancers.get(arn ?? "");
    if (found === undefined) throw fault("elb", "LoadBalancerNotFoundException", `Load balancer '${arn}' not found`);
    return found;
  }

  #create(input: sdk.CreateLoadBalancerCommandInput): LoadBalancer {
    const { Name: name = "", Subnets = [], SecurityGroups = [] } = input;
    if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,30}[A-Za-z0-9]$/.test(name) || name.startsWith("internal-"))
      throw fault("elb", "ValidationError", `The load balancer name '${name}' is not valid`);
    if (input.Type !== "network" || input.Scheme !== "internal")
      throw fault("elb", "InvalidConfigurationRequestException", "The virtual account has internal network load balancers only");
    if (Subnets.length === 0) throw fault("elb", "ValidationError", "A load balancer needs at least one subnet");
    const twin = [...this.loadBalancers.values()].find((other) => other.name === name);
    if (twin !== undefined) {
      // The same settings answer with what is there: facts 8.1.
      if (sameSet(twin.subnetIds, Subnets) && sameSet(twin.groupIds, SecurityGroups)) return twin;
      throw fault("elb", "DuplicateLoadBalancerNameException", `A load balancer with the name '${name}' exists already`);
    }
    const { state } = this.ec2;
    const subnets = Subnets.map((id) => {
      const subnet = state.subnets.find(id);
      if (subnet === undefined) throw fault("elb", "SubnetNotFoundException", `The subnet ID '${id}' does not exist`);
      return subnet;
    });
    if (new Set(subnets.map(({ zone }) => zone)).size < subnets.length)
      throw fault("elb", "InvalidConfigurationRequestException", "Only one subnet per Availability Zone");
    for (const id of SecurityGroups)
      if (state.groups.find(id) === undefined) throw fault("elb", "InvalidSecurityGroupException", `'${id}' does not exist`);
    return this.#add(name, subnets[0]?.vpcId ?? "", Subnets, SecurityGroups, asMap(input.Tags));
  }

  #add(name: string, vpcId: string, subnetIds: string[], groupIds: string[], tags: Map<string, string>): LoadBalancer {
    const { clock, chance, region } = this.universe;
    const arn = this.newArn("loadbalancer/net", name);
    const suffix = arn.split("/").at(-1) ?? "";
    const shared = { groupIds, description: `ELB net/${name}/${suffix}`, requester: "amazon-elb" };
    const interfaceIds = subnetIds.map(
      (subnetId) =>
        this.ec2.state.newInterface({ ...shared, subnetId, subject: `elb/${name}`, kind: "network_load_balancer" }).id,
    );
    const dnsName = `${name}-${suffix}.elb.${region}.amazonaws.com`;
    const attributes = new Map([
      ["deletion_protection.enabled", "false"],
      // Facts 3.7: off by default, and the reason for many a lost connection.
      ["load_balancing.cross_zone.enabled", "false"],
      ["access_logs.s3.enabled", "false"],
    ]);
    const made: LoadBalancer = {
      ...{ arn, name, dnsName, vpcId, subnetIds, groupIds, interfaceIds, tags, attributes },
      born: clock.now(),
      state: "provisioning",
    };
    this.loadBalancers.set(arn, made);
    clock.after(chance.seconds("nlb.active", name), () => {
      if (made.state === "provisioning") made.state = "active";
    });
    return made;
  }

  #shown(found: LoadBalancer) {
    return {
      LoadBalancerArn: found.arn,
      LoadBalancerName: found.name,
      DNSName: found.dnsName,
      // Of every network load balancer of us-west-2 (AWS General Reference, Elastic Load Balancing endpoints).
      CanonicalHostedZoneId: "Z18D5FSROUN65G",
      Type: "network",
      Scheme: "internal",
      VpcId: found.vpcId,
      IpAddressType: "ipv4",
      State: { Code: found.state },
      CreatedTime: new Date(found.born),
      SecurityGroups: [...found.groupIds],
      AvailabilityZones: found.subnetIds.map((id) => ({ SubnetId: id, ZoneName: this.ec2.state.subnets.find(id)?.zone })),
    };
  }

  #describe({ Names, LoadBalancerArns, Marker, PageSize = 400 }: sdk.DescribeLoadBalancersCommandInput): object {
    const all = [...this.loadBalancers.values()].filter(({ state }) => state !== "deleting");
    const missing = [
      ...(Names ?? []).filter((name) => !all.some((other) => other.name === name)),
      ...(LoadBalancerArns ?? []).filter((arn) => !all.some((other) => other.arn === arn)),
    ];
    if (missing.length > 0) throw fault("elb", "LoadBalancerNotFoundException", `Load balancers '[${missing.join()}]' not found`);
    const found = all.filter(({ name, arn }) => (Names?.includes(name) ?? true) && (LoadBalancerArns?.includes(arn) ?? true));
    const start = Number(Marker ?? 0);
    const page = found.slice(start, start + PageSize).map((one) => this.#shown(one));
    return { LoadBalancers: page, ...(start + PageSize < found.length ? { NextMarker: String(start + PageSize) } : {}) };
  }

  /** Facts 7.1, 7.2: gone from answers at once, its interfaces only later. */
  #delete(arn: string | undefined): object {
    const found = this.loadBalancers.get(arn ?? "");
    if (found === undefined || found.state === "deleting") return {};
    if (found.attributes.get("deletion_protection.enabled") === "true")
      throw fault("elb", "OperationNotPermittedException", "Deletion protection is enabled");
    found.state = "deleting";
    this.loadBalancers.delete(found.arn);
    for (const listener of [...this.listeners.values()])
      if (listener.loadBalancerArn === found.arn) this.listeners.delete(listener.arn);
    const { clock, chance } = this.universe;
    clock.after(chance.seconds("nlb.delete.enisGone", found.name), () => {
      for (const id of found.interfaceIds) this.ec2.state.interfaces.remove(id);
    });
    return {};
  }

  #loadBalancerOperations(): Operations {
    const attributes = (arn: string | undefined) => this.loadBalancer(arn).attributes;
    return {
      CreateLoadBalancer: writes<sdk.CreateLoadBalancerCommandInput>(
        ["Name", "Type", "Scheme", "IpAddressType", "Subnets", "SecurityGroups", "Tags"],
        (input) => ({ LoadBalancers: [this.#shown(this.#create(input))] }),
      ),
      DescribeLoadBalancers: reads<sdk.DescribeLoadBalancersCommandInput>(
        ["Names", "LoadBalancerArns", "Marker", "PageSize"],
        (input) => this.#describe(input),
      ),
      ModifyLoadBalancerAttributes: writes<sdk.ModifyLoadBalancerAttributesCommandInput>(
        ["LoadBalancerArn", "Attributes"],
        ({ LoadBalancerArn, Attributes = [] }) => {
          const mine = attributes(LoadBalancerArn);
          change(mine, Attributes);
          return { Attributes: asList(mine) };
        },
      ),
      DescribeLoadBalancerAttributes: reads<sdk.DescribeLoadBalancerAttributesCommandInput>(
        ["LoadBalancerArn"],
        ({ LoadBalancerArn }) => ({ Attributes: asList(attributes(LoadBalancerArn)) }),
      ),
      DeleteLoadBalancer: writes<sdk.DeleteLoadBalancerCommandInput>(["LoadBalancerArn"], ({ LoadBalancerArn }) =>
        this.#delete(LoadBalancerArn),
      ),
    };
  }

  #tagsOf(arn: string): Map<string, string> {
    const found = this.loadBalancers.get(arn) ?? this.targetGroups.get(arn) ?? this.listeners.get(arn);
    if (found !== undefined) return found.tags;
    const code = arn.includes(":targetgroup/") ? "TargetGroupNotFoundException" : "LoadBalancerNotFoundException";
    throw fault("elb", code, `'${arn}' not found`);
  }

  #tagOperations(): Operations {
    return {
      AddTags: writes<sdk.AddTagsCommandInput>(["ResourceArns", "Tags"], ({ ResourceArns = [], Tags }) => {
        for (const tags of ResourceArns.map((arn) => this.#tagsOf(arn)))
          for (const [key, value] of asMap(Tags)) tags.set(key, value);
        return {};
      }),
      DescribeTags: reads<sdk.DescribeTagsCommandInput>(["ResourceArns"], ({ ResourceArns = [] }) => {
        if (ResourceArns.length > 20) throw fault("elb", "ValidationError", "At most 20 resources a call");
        return { TagDescriptions: ResourceArns.map((arn) => ({ ResourceArn: arn, Tags: asList(this.#tagsOf(arn)) })) };
      }),
    };
  }

  inventory(): readonly InventoryItem[] {
    const item = (type: string) => (one: LoadBalancer | TargetGroup) => ({
      type,
      id: one.arn,
      tags: Object.fromEntries(one.tags),
      facts: { name: one.name, vpcId: one.vpcId },
    });
    return [
      ...[...this.loadBalancers.values()].map(item("load-balancer")),
      ...[...this.targetGroups.values()].map(item("target-group")),
    ].sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}
