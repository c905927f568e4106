import { fault } from "../fault.ts";
import type { Universe } from "../service.ts";
import { contains, parseBlock, toAddress } from "./ipv4.ts";
import type * as model from "./model.ts";
import { endpointServices, instanceTypes, prefixLists } from "./region.ts";
import { type Resource, Shelf, type Sight } from "./shelf.ts";

/** The account's limits. The defaults are AWS's (facts 8.2, 8.5), but for the vCPUs, of which a new account has 5. */
export interface Quotas {
  vpcs: number;
  internetGateways: number;
  interfaceEndpointsPerVpc: number;
  gatewayEndpoints: number;
  vcpus: number;
}

export interface Ec2Options {
  /** A write shows in reads so much later. Facts 8.3. */
  readonly reads?: { readonly lagSeconds: number };
  /** The most that one page of an answer holds. */
  readonly pageSize?: number;
  readonly quotas?: Partial<Quotas>;
  readonly zones?: readonly string[];
}

interface Remembered {
  readonly input: string;
  readonly answer: unknown;
  forgotten(now: number): boolean;
}

/** All that EC2 knows about one account in one Region. The operations of each resource family read and change it. */
export class Ec2State {
  readonly universe: Universe;
  readonly quotas: Quotas;
  /** The account's own default (ModifyInstanceMetadataDefaults): whether an instance's tags show in its metadata. */
  metadataTags: "enabled" | "disabled" = "disabled";
  readonly zones: readonly string[];
  readonly pageSize: number;
  readonly vpcs: Shelf<model.Vpc>;
  readonly subnets: Shelf<model.Subnet>;
  readonly gateways: Shelf<model.Gateway>;
  readonly routeTables: Shelf<model.RouteTable>;
  readonly groups: Shelf<model.SecurityGroup>;
  readonly rules: Shelf<model.Rule>;
  readonly endpoints: Shelf<model.Endpoint>;
  readonly interfaces: Shelf<model.NetworkInterface>;
  readonly instances: Shelf<model.Instance>;
  readonly volumes: Shelf<model.Volume>;
  readonly snapshots: Shelf<model.Snapshot>;
  readonly images: Shelf<model.Image>;
  readonly prefixLists: readonly model.PrefixList[];
  readonly instanceTypes = new Map(instanceTypes.map((type) => [type.name, type]));
  /** `<type>/<zone>` that are not offered. */
  readonly notOffered = new Set<string>();
  /** `<type>/<zone>` -> how many more can be launched. */
  readonly capacity = new Map<string, number>();
  /** Short endpoint service name -> zones that have it. */
  readonly endpointZones: Map<string, readonly string[]>;
  /** Short names of the services whose next endpoint ends as `failed`. */
  readonly failingEndpoints = new Set<string>();
  /** Short endpoint service name -> the code with which its next deletion is refused, inside a 200 (facts 7.2). */
  readonly refusedDeletions = new Map<string, string>();
  /** Instance profile -> role. */
  readonly profiles = new Map<string, { readonly role: string; readonly usableAt: number }>();
  readonly runningListeners: ((instance: model.Instance) => void)[] = [];
  readonly stoppedListeners: ((instance: model.Instance) => void)[] = [];
  readonly #counts = new Map<string, number>();
  readonly #tokens = new Map<string, Remembered>();

  constructor(universe: Universe, options: Ec2Options) {
    this.universe = universe;
    this.pageSize = options.pageSize ?? 1000;
    this.zones = options.zones ?? ["a", "b", "c"].map((letter) => `${universe.region}${letter}`);
    this.quotas = {
      vpcs: 5,
      internetGateways: 5,
      interfaceEndpointsPerVpc: 50,
      gatewayEndpoints: 20,
      vcpus: 64,
      ...options.quotas,
    };
    this.prefixLists = prefixLists(universe.region);
    this.endpointZones = new Map(endpointServices.map(({ name }) => [name, this.zones]));
    const sight: Sight = { now: () => universe.clock.now(), lagSeconds: options.reads?.lagSeconds ?? 0 };
    // The codes of facts 8.3.
    this.vpcs = new Shelf(sight, "vpc", "InvalidVpcID.NotFound");
    this.subnets = new Shelf(sight, "subnet", "InvalidSubnetID.NotFound");
    this.gateways = new Shelf(sight, "igw", "InvalidInternetGatewayID.NotFound");
    this.routeTables = new Shelf(sight, "rtb", "InvalidRouteTableID.NotFound");
    this.groups = new Shelf(sight, "sg", "InvalidGroup.NotFound");
    this.rules = new Shelf(sight, "sgr", "InvalidSecurityGroupRuleId.NotFound");
    this.endpoints = new Shelf(sight, "vpce", "InvalidVpcEndpointId.NotFound");
    this.interfaces = new Shelf(sight, "eni", "InvalidNetworkInterfaceID.NotFound");
    this.instances = new Shelf(sight, "i", "InvalidInstanceID.NotFound");
    this.volumes = new Shelf(sight, "vol", "InvalidVolume.NotFound");
    this.snapshots = new Shelf(sight, "snap", "InvalidSnapshot.NotFound");
    this.images = new Shelf(sight, "ami", "InvalidAMIID.NotFound");
  }

  shelves(): Shelf<Resource>[] {
    return [
      this.vpcs,
      this.subnets,
      this.gateways,
      this.routeTables,
      this.groups,
      this.rules,
      this.endpoints,
      this.interfaces,
      this.instances,
      this.volumes,
      this.snapshots,
      this.images,
    ] as unknown as Shelf<Resource>[];
  }

  /** The next id with this prefix: counted, so the same run gives the same ids, and seeded, so no one can guess them. */
  newId(prefix: string): string {
    const count = (this.#counts.get(prefix) ?? 0) + 1;
    this.#counts.set(prefix, count);
    const word = (half: string) =>
      Math.floor(this.universe.chance.uniform(`id/${prefix}/${count}/${half}`) * 2 ** 32)
        .toString(16)
        .padStart(8, "0");
    return `${prefix}-0${word("a")}${word("b")}`;
  }

  /** A client token answers the same call with the same thing, and refuses another call. Facts 8.1. */
  once<A>(operation: string, token: string | undefined, input: object, make: () => A, gone: (answer: A) => number | null): A {
    if (token === undefined || token === "") return make();
    if (token.length > 64) throw fault("ec2", "InvalidParameterValue", "The client token is longer than 64 characters");
    const key = `${operation}/${token}`;
    const text = JSON.stringify(input);
    const known = this.#tokens.get(key);
    if (known !== undefined && !known.forgotten(this.universe.clock.now())) {
      if (known.input !== text)
        throw fault("ec2", "IdempotentParameterMismatch", `Client token ${token} was used with other parameters`);
      return known.answer as A;
    }
    const answer = make();
    const day = 24 * 3600 * 1000;
    const forgotten = (now: number) => {
      const since = gone(answer);
      return since !== null && now > since + day;
    };
    this.#tokens.set(key, { input: text, answer, forgotten });
    return answer;
  }

  #taken(subnet: model.Subnet): Set<string> {
    return new Set(this.interfaces.all().flatMap(({ subnetId, address }) => (subnetId === subnet.id ? [address] : [])));
  }

  /** AWS keeps the first four addresses of a subnet and the last. */
  freeAddresses(subnet: model.Subnet): number {
    return 2 ** (32 - (parseBlock(subnet.cidr)?.prefix ?? 32)) - 5 - this.#taken(subnet).size;
  }

  #pickAddress(subnet: model.Subnet, subject: string): string {
    const block = parseBlock(subnet.cidr);
    const taken = this.#taken(subnet);
    const usable = block === null ? 0 : block.last - block.first - 4;
    const start = Math.floor(this.universe.chance.uniform(`address/${subnet.cidr}/${subject}`) * usable);
    for (let step = 0; step < usable; step++) {
      const address = toAddress((block?.first ?? 0) + 4 + ((start + step) % usable));
      if (!taken.has(address) && !subnet.reservations.some(({ cidr }) => contains(cidr, address))) return address;
    }
    throw fault("ec2", "InsufficientFreeAddressesInSubnet", `Insufficient free addresses in subnet '${subnet.id}'`);
  }

  checkAddress(subnet: model.Subnet, address: string): string {
    const block = parseBlock(subnet.cidr);
    const reserved =
      block === null ? [] : [0, 1, 2, 3].map((step) => toAddress(block.first + step)).concat(toAddress(block.last));
    if (!contains(subnet.cidr, address) || reserved.includes(address))
      throw fault("ec2", "InvalidParameterValue", `Address ${address} does not fall within the subnet's address range`);
    if (this.#taken(subnet).has(address)) throw fault("ec2", "InvalidIPAddress.InUse", `Address ${address} is in use.`);
    return address;
  }

  /** A network interface in a subnet. `subject` seeds its address and must not depend on the order of calls. */
  newInterface(wanted: {
    readonly subnetId: string;
    readonly groupIds: readonly string[];
    readonly description: string;
    readonly subject: string;
    readonly address?: string | undefined;
    readonly requester: string | null;
    readonly kind: model.NetworkInterface["kind"];
    readonly tags?: Map<string, string>;
  }): model.NetworkInterface {
    const subnet = this.subnets.get(wanted.subnetId);
    const address =
      wanted.address === undefined ? this.#pickAddress(subnet, wanted.subject) : this.checkAddress(subnet, wanted.address);
    return this.interfaces.add({
      id: this.newId("eni"),
      type: "network-interface",
      tags: wanted.tags ?? new Map(),
      born: this.universe.clock.now(),
      vpcId: subnet.vpcId,
      subnetId: subnet.id,
      zone: subnet.zone,
      address,
      description: wanted.description,
      groupIds: [...wanted.groupIds],
      requester: wanted.requester,
      kind: wanted.kind,
      instanceId: null,
      publicAddress: null,
      sourceDestCheck: true,
    });
  }

  /** Groups that an interface in this VPC can have; the VPC's default group when none is named. */
  groupsFor(vpcId: string, ids: readonly string[] | undefined): string[] {
    const chosen = ids === undefined || ids.length === 0 ? [this.defaultGroup(vpcId).id] : [...ids];
    for (const id of chosen) {
      if (this.groups.get(id).vpcId !== vpcId)
        throw fault("ec2", "InvalidParameter", `Security group ${id} and subnet belong to different networks.`);
    }
    // Facts 8.5: five groups an interface.
    if (chosen.length > 5) throw fault("ec2", "SecurityGroupsPerInterfaceLimitExceeded", "More than 5 security groups");
    return chosen;
  }

  defaultGroup(vpcId: string): model.SecurityGroup {
    const found = this.groups.all().find((group) => group.vpcId === vpcId && group.name === "default");
    if (found === undefined) throw new Error(`${vpcId} has no default security group`);
    return found;
  }

  /** The table that a subnet goes by: its own, or the VPC's main one. */
  routeTableOf(subnet: model.Subnet): model.RouteTable {
    const tables = this.routeTables.all().filter(({ vpcId }) => vpcId === subnet.vpcId);
    const own = tables.find(({ associations }) => associations.some(({ subnetId }) => subnetId === subnet.id));
    const main = tables.find(({ associations }) => associations.some(({ subnetId }) => subnetId === null));
    const table = own ?? main;
    if (table === undefined) throw new Error(`${subnet.vpcId} has no main route table`);
    return table;
  }
}
