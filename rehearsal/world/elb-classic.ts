import type * as sdk from "@aws-sdk/client-elastic-load-balancing";
import type { Ec2 } from "./ec2/ec2.ts";
import { asList, asMap } from "./elbv2-tags.ts";
import { fault } from "./fault.ts";
import { type Operations, reads, writes } from "./operation.ts";
import type { InventoryItem, Service, Universe } from "./service.ts";

interface ClassicLoadBalancer {
  readonly name: string;
  readonly dnsName: string;
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
  readonly interfaceIds: readonly string[];
  readonly scheme: "internal" | "internet-facing";
  readonly listeners: readonly sdk.Listener[];
  readonly tags: Map<string, string>;
  readonly born: number;
}

/** DescribeTags takes at most so many names, a page of DescribeLoadBalancers holds 1 to 400 (facts 7.1, API reference). */
const limits = { names: 20, page: 400 } as const;

/**
 * The virtual classic load balancing: what the cloud provider makes for a Service without annotations (facts 2.10). Codes are the SDK's names;
 * on the wire `AccessPointNotFound` is LoadBalancerNotFound.
 */
export class ElbClassic implements Service {
  readonly name = "elbClassic";
  readonly operations: Operations;
  readonly #universe: Universe;
  readonly #ec2: Ec2;
  readonly #all = new Map<string, ClassicLoadBalancer>();

  constructor(universe: Universe, ec2: Ec2) {
    this.#universe = universe;
    this.#ec2 = ec2;
    this.operations = {
      CreateLoadBalancer: writes<sdk.CreateLoadBalancerCommandInput>(
        ["LoadBalancerName", "Listeners", "Subnets", "SecurityGroups", "Scheme", "Tags"],
        (input) => ({ DNSName: this.#create(input).dnsName }),
      ),
      DescribeLoadBalancers: reads<sdk.DescribeLoadBalancersCommandInput>(["LoadBalancerNames", "Marker", "PageSize"], (input) =>
        this.#describe(input),
      ),
      DeleteLoadBalancer: writes<sdk.DeleteLoadBalancerCommandInput>(["LoadBalancerName"], ({ LoadBalancerName }) =>
        this.#delete(LoadBalancerName),
      ),
      AddTags: writes<sdk.AddTagsCommandInput>(["LoadBalancerNames", "Tags"], ({ LoadBalancerNames = [], Tags }) => {
        for (const { tags } of LoadBalancerNames.map((name) => this.#find(name)))
          for (const [key, value] of asMap(Tags)) tags.set(key, value);
        return {};
      }),
      DescribeTags: reads<sdk.DescribeTagsCommandInput>(["LoadBalancerNames"], ({ LoadBalancerNames = [] }) => {
        if (LoadBalancerNames.length === 0 || LoadBalancerNames.length > limits.names)
          throw fault("elbClassic", "ValidationError", `From 1 to ${limits.names} load balancers a call`);
        const found = LoadBalancerNames.map((name) => this.#find(name));
        return { TagDescriptions: found.map(({ name, tags }) => ({ LoadBalancerName: name, Tags: asList(tags) })) };
      }),
    };
  }

  #find(name: string): ClassicLoadBalancer {
    const found = this.#all.get(name);
    if (found === undefined)
      throw fault("elbClassic", "AccessPointNotFoundException", `There is no ACTIVE Load Balancer named '${name}'`);
    return found;
  }

  #create(input: sdk.CreateLoadBalancerCommandInput): ClassicLoadBalancer {
    const { LoadBalancerName: name = "", Subnets = [], SecurityGroups = [], Listeners = [], Scheme } = input;
    if (!/^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$/.test(name) || Listeners.length === 0 || Subnets.length === 0)
      throw fault("elbClassic", "ValidationError", `'${name}' needs a valid name, a listener and a subnet`);
    if (Scheme !== undefined && Scheme !== "internal" && Scheme !== "internet-facing")
      throw fault("elbClassic", "InvalidSchemeException", `Scheme '${Scheme}' is not valid`);
    if (this.#all.has(name))
      throw fault("elbClassic", "DuplicateAccessPointNameException", `Load Balancer named '${name}' already exists`);
    const { subnets, groups } = this.#ec2.state;
    for (const id of Subnets)
      if (subnets.find(id) === undefined) throw fault("elbClassic", "SubnetNotFoundException", `'${id}' does not exist`);
    for (const id of SecurityGroups)
      if (groups.find(id) === undefined) throw fault("elbClassic", "InvalidSecurityGroupException", `'${id}' does not exist`);
    const { region, chance, clock } = this.#universe;
    const vpcId = subnets.get(Subnets[0]).vpcId;
    // The VPC's default group when none is named.
    const groupIds = this.#ec2.state.groupsFor(vpcId, SecurityGroups);
    const scheme = Scheme ?? "internet-facing";
    const number = Math.floor(chance.uniform(`elb/${name}/${clock.now()}`) * 1e10);
    const made: ClassicLoadBalancer = {
      ...{ name, vpcId, groupIds, scheme, subnetIds: Subnets, listeners: Listeners, tags: asMap(input.Tags), born: clock.now() },
      interfaceIds: Subnets.map((subnetId, index) => this.#interface(name, subnetId, groupIds, scheme, index)),
      dnsName: `${scheme === "internal" ? "internal-" : ""}${name}-${number}.${region}.elb.amazonaws.com`,
    };
    this.#all.set(name, made);
    this.#ec2.noteChange("CreateLoadBalancer");
    return made;
  }

  /** One in each subnet, described as facts 7.1 says; one that faces the Internet has a public address. */
  #interface(name: string, subnetId: string, groupIds: readonly string[], scheme: string, index: number): string {
    const own = this.#ec2.state.newInterface({
      ...{ subnetId, groupIds, subject: `elb-classic/${name}`, description: `ELB ${name}` },
      ...{ requester: "amazon-elb", kind: "interface" },
    });
    if (scheme === "internet-facing") own.publicAddress = `198.51.100.${200 + index}`;
    return own.id;
  }

  #describe({ LoadBalancerNames, Marker, PageSize = limits.page }: sdk.DescribeLoadBalancersCommandInput): object {
    const found = LoadBalancerNames?.map((name) => this.#find(name)) ?? [...this.#all.values()];
    const start = Number(Marker ?? 0);
    const LoadBalancerDescriptions = found.slice(start, start + PageSize).map((one) => this.#shown(one));
    return { LoadBalancerDescriptions, ...(start + PageSize < found.length ? { NextMarker: String(start + PageSize) } : {}) };
  }

  #shown({ name, dnsName, vpcId, subnetIds, groupIds, scheme, listeners, born }: ClassicLoadBalancer) {
    return {
      LoadBalancerName: name,
      DNSName: dnsName,
      VPCId: vpcId,
      Subnets: [...subnetIds],
      AvailabilityZones: subnetIds.map((id) => this.#ec2.state.subnets.find(id)?.zone),
      SecurityGroups: [...groupIds],
      Scheme: scheme,
      ListenerDescriptions: listeners.map((listener) => ({ Listener: listener, PolicyNames: [] })),
      Instances: [],
      CreatedTime: new Date(born),
    };
  }

  /** What is not there is deleted too (API reference). Gone from answers at once, its interfaces only later (facts 7.1, 7.2). */
  #delete(name = ""): object {
    const found = this.#all.get(name);
    if (found === undefined) return {};
    this.#all.delete(name);
    const { clock, chance } = this.#universe;
    // No sample of a classic one is known; a network load balancer's row stands in.
    clock.after(chance.seconds("nlb.delete.enisGone", `classic/${name}`), () => {
      for (const id of found.interfaceIds) this.#ec2.state.interfaces.remove(id);
    });
    return {};
  }

  inventory(): readonly InventoryItem[] {
    return [...this.#all.values()]
      .map(({ name, vpcId, scheme, tags }) => ({
        type: "classic-load-balancer",
        id: name,
        tags: Object.fromEntries(tags),
        facts: { name, vpcId, scheme },
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}
