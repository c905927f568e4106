import type * as sdk from "@aws-sdk/client-ec2";
import type { Operations } from "../operation.ts";
import type { InventoryItem, Operation, Service, Universe } from "../service.ts";
import { absentOperations } from "./absent.ts";
import { endpointOperations } from "./endpoints.ts";
import { gatewayOperations } from "./gateways.ts";
import { imageOperations } from "./images.ts";
import { instanceOperations } from "./instances.ts";
import { interfaceOperations } from "./interfaces.ts";
import { runInstances } from "./launch.ts";
import type { Instance } from "./model.ts";
import { offeringOperations } from "./offerings.ts";
import { prefixListOperations } from "./prefix-lists.ts";
import { routeTableOperations } from "./route-tables.ts";
import { addGroup, securityGroupOperations } from "./security-groups.ts";
import type { Resource } from "./shelf.ts";
import { snapshotOperations } from "./snapshots.ts";
import { type Ec2Options, Ec2State } from "./state.ts";
import { addSubnet, subnetOperations } from "./subnets.ts";
import { tagOperations } from "./tags.ts";
import { volumeOperations } from "./volumes.ts";
import { addVpc, vpcOperations } from "./vpcs.ts";
import { Watch } from "./watch.ts";

export interface SeedImage {
  /** `ami-` and 17 hex digits. */
  readonly id: string;
  readonly name: string;
  /** The account of the universe when left out. */
  readonly owner?: string;
  readonly architecture: "x86_64" | "arm64";
  /** Of the root device's snapshot. */
  readonly volumeGiB?: number;
  readonly tags: Readonly<Record<string, string>>;
}

interface ForeignKind {
  readonly type?: sdk._InstanceType;
  readonly lifecycle?: Instance["lifecycle"];
}

/** An instance as whatever runs on it sees it. */
export type InstanceView = Readonly<Instance>;

/** Facts for the report, of whatever kind. */
function factsOf(item: Resource): Record<string, string | number | boolean> {
  const facts = item as unknown as Readonly<Record<string, unknown>>;
  const keys = [
    "vpcId",
    "cidr",
    "zone",
    "state",
    "name",
    "service",
    "kind",
    "instanceType",
    "address",
    "size",
    "volumeType",
    "publicAddress",
    "volumeId",
  ];
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = facts[key];
      return typeof value === "string" || typeof value === "number" ? [[key, value]] : [];
    }),
  );
}

/** The virtual EC2. It keeps state, takes time and refuses as AWS does. */
export class Ec2 implements Service {
  readonly name = "ec2";
  readonly state: Ec2State;
  readonly operations: Operations;
  readonly #watch: Watch;

  constructor(universe: Universe, options: Ec2Options = {}) {
    this.state = new Ec2State(universe, options);
    this.#watch = new Watch(this.state);
    const { state } = this;
    const all = {
      ...vpcOperations(state),
      ...subnetOperations(state),
      ...gatewayOperations(state),
      ...routeTableOperations(state),
      ...securityGroupOperations(state),
      ...endpointOperations(state),
      ...prefixListOperations(state),
      ...instanceOperations(state),
      ...interfaceOperations(state),
      ...imageOperations(state),
      ...offeringOperations(state),
      ...volumeOperations(state),
      ...snapshotOperations(state),
      ...tagOperations(state),
      ...absentOperations(),
    };
    this.operations = Object.fromEntries(Object.entries(all).map(([name, operation]) => [name, this.#watched(name, operation)]));
  }

  #watched(name: string, operation: Operation): Operation {
    if (!operation.mutates) return operation;
    return {
      ...operation,
      run: (input, caller) => {
        this.#watch.touch(name, input);
        const answer = operation.run(input, caller);
        this.#watch.check(name);
        return answer;
      },
    };
  }

  inventory(): readonly InventoryItem[] {
    const items = this.state.shelves().flatMap((shelf) => shelf.all());
    return items
      .filter(({ type }) => type !== "image" && type !== "security-group-rule")
      .map((item) => ({ type: item.type, id: item.id, tags: Object.fromEntries(item.tags), facts: factsOf(item) }))
      .sort((a, b) => (`${a.type}/${a.id}` < `${b.type}/${b.id}` ? -1 : 1));
  }

  onInstanceRunning(listener: (instance: InstanceView) => void): void {
    this.state.runningListeners.push(listener);
  }

  /** At the instant in which the machine begins to go down. */
  onInstanceStopped(listener: (instance: InstanceView) => void): void {
    this.state.stoppedListeners.push(listener);
  }

  /** Every moment in which something of the cluster's could have reached out, or was reachable: `<time> <operation>: <what>`. */
  breaches(): string[] {
    return this.#watch.breaches;
  }

  /** Changes that named what was there before and is not ours: `<operation> <id>`. */
  foreignTouched(): string[] {
    return this.#watch.foreignTouched;
  }

  /** Another service has changed what lies in a VPC: the watch looks again. */
  noteChange(operation: string): void {
    this.#watch.check(operation);
  }

  /** Call it when the world is set up: what is there now belongs to somebody else. */
  markForeign(): void {
    this.#watch.markForeign();
  }

  seedImage(image: SeedImage): void {
    const { universe, images } = this.state;
    images.add({
      id: image.id,
      type: "image",
      tags: new Map(Object.entries(image.tags)),
      born: universe.clock.now() - 24 * 3600 * 1000,
      owner: image.owner ?? universe.account,
      name: image.name,
      architecture: image.architecture,
      rootDeviceName: "/dev/sda1",
      volumeGiB: image.volumeGiB ?? 8,
      state: "available",
    });
  }

  /** A profile can be used `afterSeconds` from now: facts 8.3 has 10 to 60 for a new one. */
  seedProfile(name: string, role: string, afterSeconds = 0): void {
    this.state.profiles.set(name, { role, usableAt: this.state.universe.clock.now() + afterSeconds * 1000 });
  }

  /** Somebody else's network, to see that nobody touches it. */
  seedForeignVpc(cidr: string): { readonly vpcId: string; readonly subnetId: string; readonly groupId: string } {
    const { state } = this;
    const vpc = addVpc(state, cidr, new Map([["Name", "somebody-else"]]));
    const subnet = addSubnet(state, { vpcId: vpc.id, cidr: cidr.replace(/\/\d+$/, "/24"), zone: undefined }, new Map());
    const group = addGroup(state, { vpcId: vpc.id, name: "theirs", description: "Of somebody else" }, new Map());
    this.markForeign();
    return { vpcId: vpc.id, subnetId: subnet.id, groupId: group.id };
  }

  /** Somebody else's network interface in a subnet, which may be ours. */
  seedForeignInterface(subnetId: string): string {
    const shared = { groupIds: [], description: "Of somebody else", subject: "foreign", requester: null };
    const { id } = this.state.newInterface({ ...shared, subnetId, kind: "interface" });
    this.#watch.addForeign([id]);
    return id;
  }

  /** Somebody else's instance in a subnet, which may be ours, with what belongs to it. */
  seedForeignInstance(subnetId: string, imageId: string, kind: ForeignKind = {}): string {
    const { type: InstanceType = "m7i.large", lifecycle = null } = kind;
    const one = { ImageId: imageId, InstanceType, MinCount: 1, MaxCount: 1, SubnetId: subnetId };
    const ids = runInstances(this.state, one).instances.flatMap(({ id, interfaceId }) => {
      this.state.instances.get(id).lifecycle = lifecycle;
      const disks = this.state.volumes.all().filter(({ attachment }) => attachment?.instanceId === id);
      return [id, interfaceId, ...disks.map((disk) => disk.id)];
    });
    this.#watch.addForeign(ids);
    return ids[0] ?? "";
  }

  /** A route that no call of ours can make: to a NAT or transit gateway, a peering. */
  seedRoute(routeTableId: string, destination: string, target: string): void {
    this.state.routeTables.get(routeTableId).routes.push({ destination, target });
    this.#watch.check("outside");
  }

  /** The role of the instance's profile, or null when it has none. */
  roleOf(instanceId: string): string | null {
    const profile = this.state.instances.find(instanceId)?.profile ?? null;
    return profile === null ? null : (this.state.profiles.get(profile)?.role ?? null);
  }
}
