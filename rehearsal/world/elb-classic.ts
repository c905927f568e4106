import type * as sdk from "@aws-sdk/client-elastic-load-balancing";
import type { Ec2 } from "./ec2/ec2.ts";
import { asList, asMap } from "./elbv2-tags.ts";
import { fault } from "./fault.ts";
import { type Operations, reads, writes } from "./operation.ts";
import type { InventoryItem, Service, Universe } from "./service.ts";

interface ClassicLoadBalancer {
  readonly name: string;
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
  readonly interfaceIds: readonly string[];
  readonly tags: Map<string, string>;
}

/** DescribeTags takes so many names at once. */
const tagsMax = 20;

/** The older load balancing API. The cloud provider uses it for a Service that asks for nothing else; names are its ids. */
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
        (input) => ({ DNSName: this.#create(input) }),
      ),
      DescribeLoadBalancers: reads<sdk.DescribeLoadBalancersCommandInput>(
        ["LoadBalancerNames", "Marker", "PageSize"],
        ({ LoadBalancerNames: names, Marker, PageSize = 400 }) => {
          const found = names === undefined ? [...this.#all.values()] : names.map((name) => this.#find(name));
          const start = Number(Marker ?? 0);
          const LoadBalancerDescriptions = found.slice(start, start + PageSize).map(({ name, vpcId, subnetIds, groupIds }) => ({
            LoadBalancerName: name,
            VPCId: vpcId,
            Subnets: [...subnetIds],
            SecurityGroups: [...groupIds],
            Scheme: "internal",
          }));
          const next = start + PageSize;
          return { LoadBalancerDescriptions, ...(next < found.length ? { NextMarker: String(next) } : {}) };
        },
      ),
      DescribeTags: reads<sdk.DescribeTagsCommandInput>(["LoadBalancerNames"], ({ LoadBalancerNames = [] }) => {
        if (LoadBalancerNames.length > tagsMax) throw fault("elbClassic", "ValidationError", `At most ${tagsMax} names a call`);
        const described = LoadBalancerNames.map((name) => ({ LoadBalancerName: name, Tags: asList(this.#find(name).tags) }));
        return { TagDescriptions: described };
      }),
      DeleteLoadBalancer: writes<sdk.DeleteLoadBalancerCommandInput>(["LoadBalancerName"], ({ LoadBalancerName = "" }) => {
        this.#delete(LoadBalancerName);
        return {};
      }),
    };
  }

  #find(name: string): ClassicLoadBalancer {
    const found = this.#all.get(name);
    if (found === undefined)
      throw fault("elbClassic", "LoadBalancerNotFound", `There is no ACTIVE Load Balancer named '${name}'`);
    return found;
  }

  #create({ LoadBalancerName: name = "", Subnets = [], SecurityGroups = [], Tags }: sdk.CreateLoadBalancerCommandInput): string {
    if (this.#all.has(name)) throw fault("elbClassic", "DuplicateLoadBalancerName", `'${name}' exists already`);
    const { state } = this.#ec2;
    const [first] = Subnets.map((id) => {
      const subnet = state.subnets.find(id);
      if (subnet === undefined) throw fault("elbClassic", "SubnetNotFound", `The subnet ID '${id}' does not exist`);
      return subnet;
    });
    if (first === undefined) throw fault("elbClassic", "ValidationError", "A load balancer needs at least one subnet");
    const shared = { groupIds: SecurityGroups, description: `ELB ${name}`, requester: "amazon-elb", kind: "interface" as const };
    const interfaceIds = Subnets.map(
      (subnetId) => state.newInterface({ ...shared, subnetId, subject: `elb-classic/${name}` }).id,
    );
    const made = { name, vpcId: first.vpcId, subnetIds: Subnets, groupIds: SecurityGroups, interfaceIds, tags: asMap(Tags) };
    this.#all.set(name, made);
    return `internal-${name}.${this.#universe.region}.elb.amazonaws.com`;
  }

  /** Deleting what is not there succeeds (API reference). Gone from answers at once, its interfaces only later (facts 7.1). */
  #delete(name: string): void {
    const found = this.#all.get(name);
    if (found === undefined) return;
    this.#all.delete(name);
    const { clock, chance } = this.#universe;
    clock.after(chance.seconds("nlb.delete.enisGone", `classic/${name}`), () => {
      for (const id of found.interfaceIds) this.#ec2.state.interfaces.remove(id);
    });
  }

  inventory(): readonly InventoryItem[] {
    return [...this.#all.values()].map(({ name, vpcId, tags }) => ({
      type: "classic-load-balancer",
      id: name,
      tags: Object.fromEntries(tags),
      facts: { name, vpcId },
    }));
  }
}
