import type { Ec2, InstanceView } from "../ec2/ec2.ts";
import type { Fabric, Listeners } from "../fabric-types.ts";
import type { S3 } from "../s3.ts";
import type { Universe } from "../service.ts";
import type { Ssm } from "../ssm/ssm.ts";
import { startAgent } from "./agent.ts";
import type { NodeAws } from "./aws-access.ts";
import type { Cluster } from "./cluster.ts";
import type { NodeImage } from "./image.ts";
import type { VirtualNode } from "./node.ts";
import { secretsOf } from "./programs/credentials.ts";
import { programsOf } from "./programs/programs.ts";
import { QuickShell, type Shipped } from "./quick/quick-shell.ts";
import { Shell } from "./shell.ts";
import { isReady } from "./workloads.ts";

export interface Surroundings {
  readonly ec2: Ec2;
  readonly ssm: Ssm;
  readonly s3: S3;
  /** By what nodes run scripts without their shell; null: they interpret them. */
  readonly quick: Shipped | null;
  /** What runs on nodes needs the fabric, and the fabric what listens: so they meet here late. */
  fabric(): Fabric;
  aws(): NodeAws;
}

/** Every machine of the virtual account: it boots when EC2 says its instance runs, and then follows its causes. */
export class Nodes implements Listeners {
  /** AMI id -> what is on it. */
  readonly images = new Map<string, NodeImage>();
  readonly nodes = new Map<string, VirtualNode>();
  readonly clusters = new Map<string, Cluster>();
  readonly #universe: Universe;
  readonly #around: Surroundings;

  constructor(universe: Universe, around: Surroundings) {
    this.#universe = universe;
    this.#around = around;
    around.ec2.onInstanceRunning((instance) => this.#power(instance));
    around.ec2.onInstanceStopped(({ id }) => this.stop(id));
  }

  /** The machine is off, whoever says so. */
  stop(instanceId: string): void {
    const node = this.nodes.get(instanceId);
    if (node === undefined) return;
    node.isUp = false;
    node.downAt ??= this.#universe.clock.now();
  }

  listens(instanceId: string, port: number, protocol: "tcp" | "udp"): boolean {
    const node = this.nodes.get(instanceId);
    if (node === undefined || !node.isUp) return false;
    if (protocol === "udp") return port === 4789 && node.hasKubelet;
    if (port === 6443) return node.hasApiServer;
    // A node port is served by kube-proxy on every node of a cluster.
    return node.hasKubelet && (port === 10_250 || (port >= 30_000 && port <= 32_767));
  }

  /** The API server says how it is to anybody; the rest wants credentials, and no other port speaks HTTPS to strangers. */
  isWell(instanceId: string, port: number, path: string): boolean {
    return port === 6443 && /^\/(?:livez|readyz|healthz)$/.test(path) && this.listens(instanceId, port, "tcp");
  }

  /** The nodes of a cluster as its API shows them. */
  describe(clusterName: string): { name: string; role: string; ready: boolean; providerID: string }[] {
    const cluster = [...this.clusters.values()].find(({ config }) => config.clusterName === clusterName);
    if (cluster === undefined) return [];
    return [...cluster.members.values()].map((member) => ({
      name: member.name,
      role: member.role,
      ready: isReady(cluster, member),
      providerID: member.providerID ?? "",
    }));
  }

  secrets(): string[] {
    return [...secretsOf(this.#universe)];
  }

  #power(instance: InstanceView): void {
    const image = this.images.get(instance.imageId);
    if (image === undefined) throw new RangeError(`nobody said what is on ${instance.imageId}`);
    const node = this.#build(instance, image);
    this.nodes.set(instance.id, node);
    const { clock, chance } = this.#universe;
    const runningAt = clock.now();
    const agent = () => startAgent(node, this.#around, runningAt);
    clock.after(chance.seconds("ec2.instance.userspace", node.subject), () => {
      node.isUp = true;
      if (image.isAgentEnabled) agent();
      const userData = Buffer.from(instance.userData, "base64").toString();
      // cloud-init runs a boothook before any service that could be waiting for the network.
      if (userData.startsWith("#cloud-boothook\n")) void node.shell.run(userData.slice("#cloud-boothook\n".length), {});
    });
  }

  #build(instance: InstanceView, image: NodeImage): VirtualNode {
    const universe = this.#universe;
    const { fabric, aws, quick } = this.#around;
    const runningAt = universe.clock.now();
    const programs: ConstructorParameters<typeof Shell>[1] = {};
    const node: VirtualNode = {
      universe,
      instance,
      subject: `${instance.tags.get("Name") ?? instance.id}/${instance.address}`,
      image,
      shell:
        quick === null
          ? new Shell(universe.clock, programs, () => node.isUp)
          : new QuickShell(universe.clock, programs, () => node.isUp, quick),
      images: new Map(image.preloaded.map((ref) => [ref, true])),
      unlisted: new Set(),
      cluster: null,
      hasApiServer: false,
      hasKubelet: false,
      isUp: false,
      downAt: null,
      agentRuns: 0,
      podsAnswerAt: 0,
      diskFreeAt: 0,
    };
    Object.assign(
      programs,
      programsOf(node, {
        fabric: fabric(),
        aws: aws(),
        clusters: this.clusters,
        sizeOf: (bucket, key) => this.#around.s3.object(bucket, key)?.bytes ?? 0,
        startAgent: () => startAgent(node, this.#around, runningAt),
      }),
    );
    return node;
  }
}
