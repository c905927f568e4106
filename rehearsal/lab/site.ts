import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DescribeInstanceAttributeCommand } from "@aws-sdk/client-ec2";
import type { Aws } from "../../functions/aws/aws.ts";
import { Host } from "./hosts/host.ts";
import { BalancerSeats, readVpcs } from "./network/account-view.ts";
import { Fabric } from "./network/fabric.ts";
import { accessKeyOf, type Identity } from "./network/metadata.ts";
import { resolverOf } from "./network/rules.ts";
import type { InstanceState, VpcState } from "./network/state.ts";

export interface SiteOptions {
  /** Clients that call moto itself: what the lab asks for its own sake is nobody's call. */
  readonly aws: Aws;
  /** Begins every name that the lab gives on this machine. */
  readonly prefix: string;
  readonly folder: string;
  /** The root file system of every host. */
  readonly base: string;
  /** And of its containerd; null: an empty one. */
  readonly store: string | null;
  /** The socket file on which AWS answers over TLS. */
  readonly socket: string;
  readonly failed: (error: Error) => void;
  /** Divides what AWS waits between two looks of its own. */
  readonly scale: number;
  /** What every host has that its image has not, by path. */
  readonly files: Map<string, string>;
}

/** Some changes come without a call, such as an endpoint that becomes available. */
const lookAgainMilliseconds = 1_000;

interface Placed {
  readonly host: Host;
  /** As it was last seen: moto shows an instance for a moment before its tags and its profile. */
  instance: InstanceState;
  identity: Identity;
}

/** Makes networks and hosts what the account says, again and again: level by level, never by what a call seems to have done. */
export class Site {
  readonly #options: SiteOptions;
  readonly #seats = new BalancerSeats();
  readonly #fabrics = new Map<string, Fabric>();
  readonly #hosts = new Map<string, Placed>();
  readonly #ending = new Set<Promise<void>>();
  #looking: Promise<void> = Promise.resolve();
  #isStale = false;
  #isClosed = false;
  readonly #timer: NodeJS.Timeout;

  constructor(options: SiteOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.changed(), lookAgainMilliseconds);
  }

  /** Something may have changed: looks as soon as the look that is under way is over, once for however many calls. */
  changed(): void {
    if (this.#isStale || this.#isClosed) return;
    this.#isStale = true;
    this.#looking = this.#looking.then(async () => {
      this.#isStale = false;
      if (!this.#isClosed) await this.#follow().catch((error: Error) => this.#options.failed(error));
    });
  }

  /** What every host that boots from now on has beside its image, by path. */
  get files(): Map<string, string> {
    return this.#options.files;
  }

  hosts(): readonly Placed[] {
    return [...this.#hosts.values()];
  }

  /** Where the API of the first cluster answers. */
  apiSocket(): string | null {
    return this.#fabrics.values().next().value?.apiSocket ?? null;
  }

  /** When hosts, names and packets are what the account says now. */
  async settled(): Promise<void> {
    this.changed();
    await this.#looking;
  }

  /** Runs a program beside the hosts of the VPC that was made first, where no security group judges: a bastion's place. */
  async fromBastion(program: string, ...args: string[]): Promise<string> {
    const [fabric] = this.#fabrics.values();
    if (fabric === undefined) throw new Error("there is no VPC");
    return fabric.inside(program, ...args);
  }

  instanceOf(accessKeyId: string): InstanceState | null {
    return this.hosts().find(({ instance }) => accessKeyOf(instance.instanceId) === accessKeyId)?.instance ?? null;
  }

  async #follow(): Promise<void> {
    const vpcs = await readVpcs(this.#options.aws, this.#seats);
    const alive = new Set(vpcs.flatMap(({ instances }) => instances.map(({ instanceId }) => instanceId)));
    for (const [instanceId, placed] of this.#hosts) {
      if (alive.has(instanceId)) continue;
      this.#hosts.delete(instanceId);
      this.#end(placed, true);
    }
    for (const vpc of vpcs) await this.#followVpc(vpc);
    for (const [vpcId, fabric] of this.#fabrics) {
      if (vpcs.some((vpc) => vpc.vpcId === vpcId)) continue;
      this.#fabrics.delete(vpcId);
      await fabric.stop();
    }
  }

  #end({ host, identity: { vpcId }, instance }: Placed, isTerminated: boolean): void {
    // Now: the account can be rid of the VPC before the host has shut down.
    const fabric = this.#fabrics.get(vpcId);
    const ended = (async () => {
      await host.stop(isTerminated);
      await fabric?.unplug(instance.address, host.options.namespace);
    })();
    this.#ending.add(ended);
    ended.then(
      () => this.#ending.delete(ended),
      (error: Error) => this.#options.failed(error),
    );
  }

  async #followVpc(vpc: VpcState): Promise<void> {
    const { aws, prefix, folder, socket, scale } = this.#options;
    let fabric = this.#fabrics.get(vpc.vpcId);
    if (fabric === undefined) {
      const own = join(folder, vpc.vpcId);
      mkdirSync(own, { recursive: true });
      fabric = new Fabric(`${prefix}-${vpc.vpcId}`, own, aws.deployment.region, scale);
      this.#fabrics.set(vpc.vpcId, fabric);
      await fabric.start(vpc.cidr, socket);
    }
    for (const instance of vpc.instances) {
      const placed = this.#hosts.get(instance.instanceId);
      if (placed === undefined) continue;
      placed.instance = instance;
      placed.identity = { ...placed.identity, instance };
    }
    const added = vpc.instances.filter(({ instanceId }) => !this.#hosts.has(instanceId));
    const identities = new Map(this.hosts().map(({ instance, identity }) => [instance.instanceId, identity]));
    for (const instance of added) {
      identities.set(instance.instanceId, await this.#identityOf(instance, vpc.vpcId));
      await fabric.plug(instance, vpc, `${prefix}-${instance.instanceId}`);
    }
    const byAddress = Object.fromEntries(
      [...identities.values()].filter(({ vpcId }) => vpcId === vpc.vpcId).map((one) => [one.instance.address, one]),
    );
    await fabric.follow(vpc, byAddress);
    for (const instance of added) this.#boot(instance, vpc, identities.get(instance.instanceId) as Identity);
  }

  async #identityOf(instance: InstanceState, vpcId: string): Promise<Identity> {
    const { ec2, deployment } = this.#options.aws;
    const asked = new DescribeInstanceAttributeCommand({ InstanceId: instance.instanceId, Attribute: "userData" });
    const { UserData } = await ec2.send(asked);
    const userData = Buffer.from(UserData?.Value ?? "", "base64").toString();
    return { instance, userData, vpcId, region: deployment.region, account: deployment.account };
  }

  #boot(instance: InstanceState, { cidr }: VpcState, identity: Identity): void {
    const { prefix, folder, base, store, failed, files } = this.#options;
    const name = `${prefix}-${instance.instanceId}`;
    const host = new Host({
      name,
      folder: join(folder, "hosts", instance.instanceId),
      base,
      store,
      namespace: name,
      hostname: instance.name,
      address: instance.address,
      resolver: resolverOf(cidr),
      files: Object.fromEntries(files),
    });
    this.#hosts.set(instance.instanceId, { host, instance, identity });
    host.up.catch((error: Error) => {
      if (this.#hosts.has(instance.instanceId) && !this.#isClosed) failed(error);
    });
  }

  /** Ends every host and every network, whatever the account says. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#looking;
    for (const placed of this.#hosts.values()) this.#end(placed, false);
    this.#hosts.clear();
    await Promise.all(this.#ending);
    for (const fabric of this.#fabrics.values()) await fabric.stop();
    this.#fabrics.clear();
  }
}
