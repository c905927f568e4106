import { Chance } from "../../rehearsal/world/chance.ts";
import { SimClock } from "../../rehearsal/world/clock.ts";
import { Door } from "../../rehearsal/world/door.ts";
import type { InstanceView } from "../../rehearsal/world/ec2/ec2.ts";
import type { Fabric } from "../../rehearsal/world/fabric-types.ts";
import { type NodeAws, NodeCallError } from "../../rehearsal/world/node/aws-access.ts";
import type { Cluster } from "../../rehearsal/world/node/cluster.ts";
import type { VirtualNode } from "../../rehearsal/world/node/node.ts";
import { programsOf } from "../../rehearsal/world/node/programs/programs.ts";
import { Shell } from "../../rehearsal/world/node/shell.ts";
import { S3 } from "../../rehearsal/world/s3.ts";
import { Ssm } from "../../rehearsal/world/ssm/ssm.ts";

export const bucket = "bundles";
export const address = "10.40.0.10";
export const hostname = "ip-10-40-0-10.us-west-2.compute.internal";
const core = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"].map(
  (name) => `registry.k8s.io/${name}:v1.36.3`,
);
export const images = [
  ...core,
  "registry.k8s.io/coredns/coredns:v1.14.2",
  "registry.k8s.io/pause:3.10.2",
  "registry.k8s.io/etcd:3.6.8-0",
];

/** One control plane's machine with nothing around it but what a test says: names, open ports, AWS. */
export class NodeMachine {
  readonly clock = new SimClock("2026-11-24T00:00:00Z");
  readonly s3: S3 = new S3(() => this.clock.now());
  readonly ssm: Ssm;
  readonly node: VirtualNode;
  readonly programs: ReturnType<typeof programsOf>;
  readonly clusters = new Map<string, Cluster>();
  /** What the resolver knows besides the machine itself; `closed` names addresses that take nothing. */
  readonly names = new Map<string, string>();
  readonly closed = new Map<string, "timeout" | "refused">();
  isAwsReachable = true;
  agentStarts = 0;

  constructor(preloaded: readonly string[] = images) {
    const universe = { clock: this.clock, chance: new Chance(1), region: "us-west-2", account: "111122223333" };
    this.ssm = new Ssm(universe);
    this.s3.addBucket(bucket);
    this.names.set(hostname, address);
    const door = new Door(this.clock, universe.chance, [this.s3, this.ssm], []);
    const aws = {
      call: async (instanceId: string, program: string, service: "s3" | "ssm", operation: string, input: never) => {
        if (!this.isAwsReachable) throw new NodeCallError("ConnectTimeout", "Connect timeout on endpoint URL");
        return door.send(service, operation, input, { kind: "node", instanceId, program });
      },
    } as unknown as NodeAws;
    const shown: Record<string, ReturnType<typeof programsOf>[string]> = {};
    this.node = {
      universe,
      instance: {
        id: "i-1",
        address,
        privateDnsName: hostname,
        metadata: { tokens: "required", hopLimit: 1 },
        tags: new Map(),
      } as unknown as InstanceView,
      subject: `control-plane/${address}`,
      image: {
        kubernetes: "1.36.3",
        containerd: "2.3.4",
        agentVersion: "3.3.3050.0",
        sandboxImage: "registry.k8s.io/pause:3.10.2",
        preloaded,
        kubeadmImages: images,
        trustStore: "debian",
        isAuthorityPrivate: false,
        hasCrictlConfig: true,
        isAgentEnabled: false,
      },
      shell: new Shell(this.clock, shown),
      images: new Map(preloaded.map((ref) => [ref, true])),
      unlisted: new Set(),
      cluster: null,
      hasApiServer: false,
      hasKubelet: false,
      isUp: true,
      downAt: null,
      agentRuns: 0,
      podsAnswerAt: 0,
      diskFreeAt: 0,
    };
    this.programs = programsOf(this.node, {
      fabric: this.#fabric(),
      aws,
      clusters: this.clusters,
      sizeOf: (name, key) => this.s3.object(name, key)?.bytes ?? 0,
      startAgent: () => {
        this.agentStarts += 1;
      },
    });
    Object.assign(shown, this.programs);
  }

  #fabric(): Fabric {
    return {
      resolve: (_, name) => [this.names.get(name) ?? []].flat(),
      connect: (_, to) => this.closed.get(to) ?? "open",
      endpointFor: () => null,
      podReachable: () => true,
    } as Fabric;
  }

  run(script: string) {
    return this.clock.run(this.node.shell.run(script, {}));
  }

  /** How many seconds of virtual time a script takes. */
  async seconds(script: string): Promise<number> {
    const began = this.clock.now();
    await this.run(script);
    return (this.clock.now() - began) / 1000;
  }

  /** A cluster, as kubeadm-init.sh makes one. */
  async withCluster(): Promise<this> {
    await this.node.shell.write("/init.yaml", initConfiguration);
    const { exitCode, stderr } = await this.run(
      "kubeadm init --config /init.yaml --skip-token-print --skip-certificate-key-print",
    );
    if (exitCode !== 0) throw new Error(stderr);
    return this;
  }
}

export const initConfiguration = `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: ${address}, bindPort: 6443}
nodeRegistration:
  name: ${hostname}
  imagePullPolicy: IfNotPresent
  kubeletExtraArgs: [{name: cloud-provider, value: external}, {name: node-ip, value: ${address}}]
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: orchid-g1
kubernetesVersion: v1.36.3
controlPlaneEndpoint: "${hostname}:6443"
networking: {podSubnet: 192.168.0.0/16}
`;
