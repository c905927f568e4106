import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { run, tryRun } from "../shell.ts";
import type { GatewayOrder } from "./gateway.ts";
import type { Identity } from "./metadata.ts";
import { filterOf, metadataAddress, resolverOf, s3Address } from "./rules.ts";
import type { InstanceState, VpcState } from "./state.ts";

/** Names that the Internet has. In the VPC they resolve, as on AWS; that nothing gets there is the routes' doing. */
const publicNames = ["registry.k8s.io", "dl.k8s.io", "amazonaws.com"];
export const publicElsewhere = "198.51.100.10";
/** The address that the product's probes dial, and the link on which the pretend Internet hangs. */
export const publicAddress = "1.1.1.1";
const [routerEnd, internetEnd] = ["192.0.2.1", "192.0.2.2"];

const startMilliseconds = 20_000;

const gatewayOf = (cidr: string): string => resolverOf(cidr).replace(/\d+$/, (last) => String(Number(last) - 1));

/** A VPC as one network namespace: every host hangs on it by a link of its own, so every packet between two hosts is routed and judged. */
export class Fabric {
  readonly namespace: string;
  readonly #folder: string;
  readonly #region: string;
  readonly #scale: number;
  #gateway: ChildProcess | null = null;
  #resolver: ChildProcess | null = null;
  /** It is there as soon as a route of the account leads to it. */
  #internet: ChildProcess | null = null;
  /** What is in place, so that only what changed is done again. */
  readonly #addresses = new Set<string>();
  readonly #links = new Map<string, string>();
  #filter = "";
  #names = "";
  #order = "";

  constructor(namespace: string, folder: string, region: string, scale: number) {
    this.namespace = namespace;
    this.#folder = folder;
    this.#region = region;
    this.#scale = scale;
  }

  /** Where the cluster's API can be called from outside of the namespace. */
  get apiSocket(): string {
    return join(this.#folder, "api.sock");
  }

  async start(cidr: string, socket: string): Promise<void> {
    await run("ip", ["netns", "add", this.namespace]);
    await this.#ip("link", "set", "lo", "up");
    await this.#ip("route", "add", "blackhole", "default");
    // br_netfilter is on in a new namespace and would show this filter the packets of bridges (lab-real.md, 8).
    const settings = ["net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0"];
    await this.inside("sysctl", "-q", "-w", ...settings);
    for (const address of [resolverOf(cidr), metadataAddress, s3Address]) await this.#own(address);
    const log = openSync(join(this.#folder, "gateway.log"), "a");
    const script = fileURLToPath(new URL("gateway.ts", import.meta.url));
    this.#gateway = spawn("nsenter", [`--net=/run/netns/${this.namespace}`, process.execPath, script, socket, this.apiSocket], {
      stdio: ["ignore", log, log, "ipc"],
      detached: true,
    });
    await once(this.#gateway, "message");
    await this.#startResolver(resolverOf(cidr));
  }

  async #startResolver(address: string): Promise<void> {
    const hosts = join(this.#folder, "hosts");
    const config = join(this.#folder, "dnsmasq.conf");
    const ready = join(this.#folder, "dnsmasq.pid");
    writeFileSync(hosts, "");
    const lines = [
      "no-resolv",
      "no-hosts",
      "bind-interfaces",
      `listen-address=${address}`,
      "user=root",
      `pid-file=${ready}`,
      `addn-hosts=${hosts}`,
      "local=/#/",
      ...publicNames.map((name) => `address=/${name}/${publicElsewhere}`),
      `address=/s3.${this.#region}.amazonaws.com/${s3Address}`,
    ];
    writeFileSync(config, `${lines.join("\n")}\n`);
    const log = openSync(join(this.#folder, "dnsmasq.log"), "a");
    this.#resolver = spawn(
      "nsenter",
      [`--net=/run/netns/${this.namespace}`, "dnsmasq", "--keep-in-foreground", `--conf-file=${config}`],
      {
        stdio: ["ignore", log, log],
        detached: true,
      },
    );
    // A SIGHUP that came before it listens for one would end it.
    for (let waited = 0; !existsSync(ready); waited += 20) {
      if (waited > startMilliseconds) throw new Error("dnsmasq does not start; see dnsmasq.log");
      await pause(20);
    }
  }

  get #outside(): string {
    return `${this.namespace}-out`;
  }

  /** A gateway's other side. What gets there is the filter's decision; without one the VPC's namespace itself has nowhere to send a packet. */
  async #openInternet(cidr: string): Promise<void> {
    const outside = (...args: string[]) => run("ip", ["-n", this.#outside, ...args]);
    await run("ip", ["netns", "add", this.#outside]);
    await run("ip", [
      "link",
      "add",
      "out",
      "netns",
      this.namespace,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      this.#outside,
    ]);
    await this.#ip("address", "add", `${routerEnd}/30`, "dev", "out");
    await this.#ip("link", "set", "out", "up");
    await outside("link", "set", "lo", "up");
    await outside("address", "add", `${internetEnd}/30`, "dev", "eth0");
    await outside("link", "set", "eth0", "up");
    for (const address of [publicAddress, publicElsewhere]) await outside("address", "add", `${address}/32`, "dev", "lo");
    await outside("route", "add", cidr, "via", routerEnd);
    await this.#ip("route", "replace", "default", "via", internetEnd);
    const log = openSync(join(this.#folder, "internet.log"), "a");
    const script = fileURLToPath(new URL("internet.ts", import.meta.url));
    this.#internet = spawn("nsenter", [`--net=/run/netns/${this.#outside}`, process.execPath, script], {
      stdio: ["ignore", log, log, "ipc"],
      detached: true,
    });
    await once(this.#internet, "message");
  }

  #ip(...args: string[]): Promise<string> {
    return run("ip", ["-n", this.namespace, ...args]);
  }

  /** Runs a program in the VPC's namespace. */
  inside(program: string, ...args: string[]): Promise<string> {
    return run("nsenter", [`--net=/run/netns/${this.namespace}`, program, ...args]);
  }

  async #own(address: string): Promise<void> {
    if (this.#addresses.has(address)) return;
    this.#addresses.add(address);
    await this.#ip("address", "add", `${address}/32`, "dev", "lo");
  }

  async #disown(wanted: ReadonlySet<string>): Promise<void> {
    for (const address of this.#addresses) {
      if (wanted.has(address)) continue;
      this.#addresses.delete(address);
      await this.#ip("address", "delete", `${address}/32`, "dev", "lo");
    }
  }

  /** A link for an instance, and its end in a namespace of the instance's own. */
  async plug({ instanceId, address, subnetId }: InstanceState, { cidr, subnets }: VpcState, namespace: string): Promise<void> {
    const subnet = subnets.find((one) => one.subnetId === subnetId)?.cidr ?? cidr;
    const link = `h-${instanceId.slice(-10)}`;
    this.#links.set(address, link);
    await run("ip", ["netns", "add", namespace]);
    // Both ends are born in a namespace: no interface of the lab ever exists on the machine itself.
    await run("ip", ["link", "add", link, "netns", this.namespace, "type", "veth", "peer", "name", "eth0", "netns", namespace]);
    await this.inside("sysctl", "-q", "-w", `net.ipv4.conf.${link}.proxy_arp=1`, `net.ipv4.neigh.${link}.proxy_delay=0`);
    await this.#ip("link", "set", link, "up");
    await this.#ip("route", "add", `${address}/32`, "dev", link);
    const host = (...args: string[]) => run("ip", ["-n", namespace, ...args]);
    await host("link", "set", "lo", "up");
    await host("address", "add", `${address}/${subnet.split("/")[1]}`, "dev", "eth0");
    await host("link", "set", "eth0", "up");
    await host("route", "add", "default", "via", gatewayOf(subnet));
  }

  async unplug(address: string, namespace: string): Promise<void> {
    const link = this.#links.get(address);
    this.#links.delete(address);
    // A namespace lives on while a process of it does; its link has to go by itself.
    if (link !== undefined) await tryRun("ip", ["-n", this.namespace, "link", "delete", link]);
    await tryRun("ip", ["netns", "delete", namespace]);
  }

  /** Makes addresses, filter, names and listeners what the account says. */
  async follow(state: VpcState, identities: Readonly<Record<string, Identity>>): Promise<void> {
    const endpoints = state.endpoints.flatMap(({ interfaces }) => interfaces.map(({ address }) => address));
    const balancers = state.balancers.flatMap(({ addresses }) => addresses.map(({ address }) => address));
    const gateways = state.subnets.map(({ cidr }) => gatewayOf(cidr));
    const wanted = new Set([resolverOf(state.cidr), metadataAddress, s3Address, ...gateways, ...endpoints, ...balancers]);
    for (const address of wanted) await this.#own(address);
    await this.#disown(wanted);
    const leadsOut = state.subnets.some(({ routes }) => routes.some(({ target }) => /^(?:igw|nat)-/.test(target)));
    if (leadsOut && this.#internet === null) await this.#openInternet(state.cidr);
    await this.#filterFor(state);
    const api = state.instances.find(({ tags }) => tags.get("cloister:role") === "control-plane")?.address ?? null;
    const order: GatewayOrder = {
      services: [...endpoints, s3Address],
      balancers: state.balancers,
      scale: this.#scale,
      api,
      identities,
    };
    const text = JSON.stringify(order);
    if (text !== this.#order && this.#gateway !== null) {
      this.#order = text;
      const done = once(this.#gateway, "message");
      this.#gateway.send(order);
      await done;
    }
    this.#nameAll(state);
  }

  async #filterFor(state: VpcState): Promise<void> {
    const filter = filterOf(state, this.#links);
    if (filter === this.#filter) return;
    await run("nsenter", [`--net=/run/netns/${this.namespace}`, "nft", "-f", "-"], { input: filter });
    this.#filter = filter;
  }

  #nameAll(state: VpcState): void {
    const lines = [
      ...state.instances.map(({ address, name }) => `${address} ${name}`),
      ...state.endpoints.flatMap(({ privateNames, interfaces }) =>
        privateNames.flatMap((name) => interfaces.map(({ address }) => `${address} ${name}`)),
      ),
      ...state.balancers.flatMap(({ dnsName, addresses }) => addresses.map(({ address }) => `${address} ${dnsName}`)),
    ];
    const names = `${lines.sort().join("\n")}\n`;
    if (names === this.#names) return;
    this.#names = names;
    writeFileSync(join(this.#folder, "hosts"), names);
    this.#resolver?.kill("SIGHUP");
  }

  async stop(): Promise<void> {
    for (const child of [this.#gateway, this.#resolver, this.#internet]) {
      if (child === null || child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    }
    for (const namespace of [this.#outside, this.namespace]) await tryRun("ip", ["netns", "delete", namespace]);
  }
}
