import { createHash } from "node:crypto";
import type { Fabric } from "../fabric-types.ts";
import type { Universe } from "../service.ts";
import type { NodeAws } from "./aws-access.ts";
import { type KubeObject, minorOf } from "./kube.ts";
import type { VirtualNode } from "./node.ts";

/** A Node object and the machine behind it. */
export interface Member {
  readonly name: string;
  readonly node: VirtualNode;
  readonly role: "control-plane" | "worker";
  readonly joinedAt: number;
  /** The kubelet's --node-ip; without it an external provider publishes no address until it ran (facts 2.4). */
  address: string | null;
  /** Whether the kubelet was started with --cloud-provider=external, which adds the taint. */
  readonly isExternal: boolean;
  providerID: string | null;
  initialisedAt: number | null;
}

export interface Token {
  readonly id: string;
  readonly secret: string;
  readonly expiresAt: number;
  readonly signedAt: number;
}

export interface Stored {
  object: KubeObject;
  readonly appliedAt: number;
}

export interface ClusterConfig {
  readonly clusterName: string;
  readonly version: string;
  readonly endpoint: string;
  readonly podCidr: string;
}

const keyOf = (kind: string, namespace: string | undefined, name: string): string => `${kind}/${namespace ?? ""}/${name}`;

/** What etcd holds, and the clock's view of it. Controllers and kubelets read it; nothing here decides an outcome. */
export class Cluster {
  readonly universe: Universe;
  readonly config: ClusterConfig;
  readonly fabric: Fabric;
  readonly aws: NodeAws;
  readonly minor: number;
  readonly members = new Map<string, Member>();
  readonly tokens = new Map<string, Token>();
  readonly objects = new Map<string, Stored>();
  readonly events: { readonly at: number; readonly about: string; readonly reason: string; readonly message: string }[] = [];
  /** The last words of controllers, by workload name: what `kubectl logs` shows. */
  readonly logs = new Map<string, string[]>();
  certificateKey: { readonly key: string; readonly expiresAt: number } | null = null;
  readonly #listeners: ((stored: Stored) => void)[] = [];
  readonly #joins: ((member: Member) => void)[] = [];

  constructor(universe: Universe, config: ClusterConfig, fabric: Fabric, aws: NodeAws) {
    this.universe = universe;
    this.config = config;
    this.fabric = fabric;
    this.aws = aws;
    this.minor = minorOf(config.version);
  }

  /** The authority's public key, as far as anybody hashes it. */
  get caPublicKey(): string {
    return `public key of ${this.config.clusterName} ${this.universe.chance.uniform(`ca/${this.config.clusterName}`)}\n`;
  }

  get caHash(): string {
    return `sha256:${createHash("sha256").update(this.caPublicKey).digest("hex")}`;
  }

  now(): number {
    return this.universe.clock.now();
  }

  apply(object: KubeObject): Stored {
    const key = keyOf(object.kind, object.metadata.namespace, object.metadata.name);
    const stored = { object, appliedAt: this.objects.get(key)?.appliedAt ?? this.now() };
    this.objects.set(key, stored);
    for (const listener of this.#listeners) listener(stored);
    return stored;
  }

  get(kind: string, namespace: string | undefined, name: string): Stored | undefined {
    return this.objects.get(keyOf(kind, namespace, name));
  }

  all(kind: string): Stored[] {
    return [...this.objects.values()].filter(({ object }) => object.kind === kind);
  }

  remove(kind: string, namespace: string | undefined, name: string): boolean {
    return this.objects.delete(keyOf(kind, namespace, name));
  }

  /** Asks for the deletion of an object. One that a controller has work with stays until that is done: its finalizer. */
  release(kind: string, namespace: string, name: string): void {
    const stored = this.get(kind, namespace, name);
    if (stored === undefined) return;
    const isFinalized = kind === "Service" && stored.object["status"] !== undefined;
    if (!isFinalized) this.remove(kind, namespace, name);
    else
      stored.object = { ...stored.object, metadata: { ...stored.object.metadata, deletionTimestamp: this.universe.clock.iso() } };
  }

  add(member: Member): void {
    this.members.set(member.name, member);
    member.node.cluster = this;
    for (const listener of this.#joins) listener(member);
  }

  onApply(listener: (stored: Stored) => void): void {
    this.#listeners.push(listener);
  }

  onJoin(listener: (member: Member) => void): void {
    this.#joins.push(listener);
  }

  log(workload: string, line: string): void {
    const lines = this.logs.get(workload) ?? [];
    lines.push(line);
    this.logs.set(workload, lines);
  }

  event(about: string, reason: string, message: string): void {
    this.events.push({ at: this.now(), about, reason, message });
  }

  /** Whether this machine gets an answer from the API server, by the name in its kubeconfig. */
  answers(node: VirtualNode): string | null {
    const [host = "", port = "6443"] = this.config.endpoint.split(":");
    // A resolver turns the addresses of a name around; here each machine keeps to one of them.
    const addresses = this.fabric.resolve(node.instance.id, host);
    const address = addresses[Number(node.instance.address.split(".").at(-1)) % Math.max(1, addresses.length)];
    if (address === undefined) return `Unable to connect to the server: dial tcp: lookup ${host}: no such host`;
    const outcome = this.fabric.connect(node.instance.id, address, Number(port));
    if (outcome === "open") return null;
    const why = outcome === "timeout" ? "i/o timeout" : "connect: connection refused";
    return `Unable to connect to the server: dial tcp ${address}:${port}: ${why}`;
  }
}
