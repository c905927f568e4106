import type { Cluster, Member, Stored } from "./cluster.ts";
import {
  type Container,
  controlPlaneTaint,
  type KubeObject,
  notReady,
  type PodSpec,
  podSpecOf,
  uninitialized,
  unreachable,
} from "./kube.ts";
import { knowsAuthority } from "./trust.ts";

/** A pod as the API shows it: where it is, and why it is not ready if it is not. */
export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly member: Member;
  readonly address: string;
  readonly spec: PodSpec;
  readonly workload: string;
  /** Milliseconds; null when it never will be, as things stand. */
  readonly readyAt: number | null;
  readonly waiting: { readonly reason: string; readonly message: string } | null;
  readonly restarts: number;
}

/** The encapsulation of the pod network: Calico's own variable, VXLAN always where a plugin has none (facts 4.1). */
export function encapsulationOf(cluster: Cluster): "vxlan-always" | "cross-subnet" {
  const variables = cniOf(cluster)?.spec.containers.flatMap(({ env = [] }) => env) ?? [];
  return variables.find(({ name }) => name === "CALICO_IPV4POOL_VXLAN")?.value === "CrossSubnet"
    ? "cross-subnet"
    : "vxlan-always";
}

/** The network plugin: the DaemonSet that writes into /etc/cni/net.d on its node. */
function cniOf(cluster: Cluster): { readonly stored: Stored; readonly spec: PodSpec } | undefined {
  for (const stored of cluster.all("DaemonSet")) {
    const spec = podSpecOf(stored.object);
    if (spec?.volumes?.some(({ hostPath }) => hostPath?.path.startsWith("/etc/cni/net.d"))) return { stored, spec };
  }
  return undefined;
}

const containersOf = (spec: PodSpec): Container[] => [...(spec.initContainers ?? []), ...spec.containers];

/** When a node became Ready, or null: it has a network plugin, whose images it holds. */
function nodeReadyAt(cluster: Cluster, member: Member): number | null {
  const cni = cniOf(cluster);
  if (cni === undefined || !member.node.isUp || missing(member, cni.spec) !== null) return null;
  const { chance } = cluster.universe;
  const name = member.joinedAt > cni.stored.appliedAt ? "node.readyAfterJoin" : "cni.nodeReady";
  return Math.max(member.joinedAt, cni.stored.appliedAt) + 1000 * chance.seconds(name, member.node.subject);
}

export const isReady = (cluster: Cluster, member: Member): boolean => {
  const at = nodeReadyAt(cluster, member);
  return at !== null && at <= cluster.now();
};

/** Why the runtime cannot start a pod here: the sandbox image, or one of its own, is not in the store, and there is no registry. */
function missing(member: Member, spec: PodSpec): { readonly reason: string; readonly message: string } | null {
  const { images, image } = member.node;
  if (!images.has(image.sandboxImage)) {
    const message = `failed to get sandbox image "${image.sandboxImage}": failed to pull image: dial tcp: i/o timeout`;
    return { reason: "FailedCreatePodSandBox", message };
  }
  const absent = containersOf(spec).find((container) => !images.has(container.image));
  if (absent === undefined) return null;
  return { reason: "ErrImagePull", message: `failed to pull and unpack image "${absent.image}": dial tcp: i/o timeout` };
}

type Effect = "NoSchedule" | "NoExecute";

const tolerationsOf = ({ tolerations = [] }: PodSpec, taint: string, wanted: Effect) =>
  tolerations.filter(
    ({ key, operator, effect = wanted }) => ((operator === "Exists" && key === undefined) || key === taint) && effect === wanted,
  );

const tolerates = (spec: PodSpec, taint: string): boolean => tolerationsOf(spec, taint, "NoSchedule").length > 0;

/** From a node's last word to the taint that drives its pods out (kube-controller-manager's --node-monitor-grace-period), and what a pod that says nothing of it is given. */
const graceSeconds = 50;
const defaultTolerationSeconds = 300;

/** Whether a pod has left a node that died: a Deployment's is made anew elsewhere, unless it bears with the dead for ever. */
function hasLeft(cluster: Cluster, { node }: Member, spec: PodSpec): boolean {
  if (node.downAt === null) return false;
  const borne = tolerationsOf(spec, unreachable, "NoExecute").map(
    ({ tolerationSeconds = Number.POSITIVE_INFINITY }) => tolerationSeconds,
  );
  const seconds = graceSeconds + (borne.length > 0 ? Math.min(...borne) : defaultTolerationSeconds);
  return cluster.now() - node.downAt >= seconds * 1000;
}

/** Instants at which what keeps a pod off this node goes away; null for never. */
function admittedAt(cluster: Cluster, member: Member, spec: PodSpec, appliedAt: number): number | null {
  const instants: (number | null)[] = [appliedAt, member.joinedAt];
  if (member.isExternal && !tolerates(spec, uninitialized)) instants.push(member.initialisedAt);
  if (spec.hostNetwork !== true || !tolerates(spec, notReady)) instants.push(nodeReadyAt(cluster, member));
  return instants.some((at) => at === null) ? null : Math.max(...(instants as number[]));
}

/** Things that a container finds out only when it runs. */
function crash(member: Member, spec: PodSpec): { readonly reason: string; readonly message: string } | null {
  for (const container of spec.containers) {
    const { name, args = [], env = [] } = container;
    const host = env.find((variable) => variable.name === "KUBERNETES_SERVICE_HOST");
    if (host?.valueFrom?.fieldRef?.fieldPath === "status.hostIP" && member.address === null) {
      return { reason: "CreateContainerConfigError", message: "host IP unknown; known addresses: []" };
    }
    if (host?.value === "127.0.0.1") {
      // kubeadm's serving certificate does not name it (facts 2.3).
      const message = "tls: failed to verify certificate: x509: certificate is valid for 10.96.0.1, not 127.0.0.1";
      return { reason: "CrashLoopBackOff", message };
    }
    const isEbsController = args.includes("controller") && args.some((argument) => argument.startsWith("--k8s-tag-cluster-id"));
    if ((isEbsController || args.includes("--cloud-provider=aws")) && !knowsAuthority(member.node.image, spec, container)) {
      const message = "tls: failed to verify certificate: x509: certificate signed by unknown authority";
      return { reason: "CrashLoopBackOff", message };
    }
    if (isEbsController && spec.hostNetwork !== true && member.node.instance.metadata.hopLimit < 2) {
      return {
        reason: "CrashLoopBackOff",
        message: `${name}: no EC2 IMDS role found: the hop limit of instance metadata is 1 and the pod is not on the host network`,
      };
    }
  }
  return null;
}

/** BIRD does not run under VXLAN, and where it does no node of ours hears the others': the port of BGP is closed (facts 4.1, 6.1). */
const asksForBird = ({ containers }: PodSpec): boolean =>
  containers.some(({ readinessProbe }) => readinessProbe?.exec?.command.includes("-bird-ready"));

/** From admitted to ready, seconds. */
function startSeconds(cluster: Cluster, workload: string, subject: string): number {
  const { chance } = cluster.universe;
  if (workload === "coredns") return chance.seconds("coredns.ready", subject);
  if (workload.startsWith("ebs-csi")) return chance.seconds("ebsCsi.rollout", workload);
  return 1;
}

function podOn(
  cluster: Cluster,
  member: Member,
  owner: { object: KubeObject; spec: PodSpec; appliedAt: number; place: number },
  suffix: string,
): Pod {
  const { object, spec, appliedAt } = owner;
  const { name, namespace = "default" } = object.metadata;
  const template = object.spec?.["template"] as { metadata?: { labels?: Record<string, string> } } | undefined;
  const admitted = admittedAt(cluster, member, spec, appliedAt);
  const waiting = missing(member, spec) ?? crash(member, spec);
  const isWaiting = admitted === null || admitted > cluster.now();
  const start = 1000 * startSeconds(cluster, name, `${name}/${suffix}`);
  return {
    name: object.kind === "Pod" ? name : `${name}-${suffix}`,
    namespace,
    labels: template?.metadata?.labels ?? object.metadata.labels ?? {},
    member,
    address: spec.hostNetwork === true ? member.node.instance.address : podAddress(owner.place, `${namespace}/${name}`),
    spec,
    workload: name,
    readyAt: admitted === null || waiting !== null || asksForBird(spec) ? null : admitted + start,
    waiting: isWaiting ? null : waiting,
    restarts: waiting?.reason === "CrashLoopBackOff" ? Math.floor((cluster.now() - appliedAt) / 10_000) : 0,
  };
}

/** Stable and unlike for every node and workload, for a thousand nodes inside the default pod network. `node`: as the how-manieth it joined. */
function podAddress(node: number, workload: string): string {
  let place = 0;
  for (const letter of workload) place = (place * 31 + letter.charCodeAt(0)) % 60;
  return `192.168.${node % 250}.${place + 2 + 63 * Math.floor(node / 250)}`;
}

function fits(member: Member, spec: PodSpec): boolean {
  if (spec.nodeSelector !== undefined && controlPlaneTaint in spec.nodeSelector && member.role !== "control-plane") return false;
  return member.role === "worker" || tolerates(spec, controlPlaneTaint);
}

/** Every pod of every workload, or of those that are wanted. Deployments fill the fitting nodes in the order in which they joined. */
export function pods(cluster: Cluster, isWanted: (name: string, spec: PodSpec) => boolean = () => true): Pod[] {
  const members = [...cluster.members.values()];
  const places = new Map(members.map((member, place) => [member, place]));
  const found: Pod[] = [];
  for (const { object, appliedAt } of cluster.objects.values()) {
    const spec = podSpecOf(object);
    if (spec === undefined || !["DaemonSet", "Deployment", "Pod"].includes(object.kind)) continue;
    if (!isWanted(object.metadata.name, spec)) continue;
    const stays = (member: Member) => object.kind !== "Deployment" || !hasLeft(cluster, member, spec);
    const fitting = members.filter((member) => fits(member, spec) && stays(member));
    const replicas =
      object.kind === "DaemonSet" ? fitting.length : object.kind === "Pod" ? 1 : Number(object.spec?.["replicas"] ?? 1);
    // A controller may be pinned to one node; replicas beyond the nodes share them.
    for (let replica = 0; replica < replicas && fitting.length > 0; replica++) {
      const member = fitting[replica % fitting.length] as Member;
      const owner = { object, spec, appliedAt, place: places.get(member) ?? 0 };
      found.push(podOn(cluster, member, owner, `${replica}-${member.node.subject.split("/").at(-1)}`));
    }
  }
  return found;
}

export const isPodReady = (cluster: Cluster, pod: Pod): boolean => pod.readyAt !== null && pod.readyAt <= cluster.now();

/** The add-ons that kubeadm itself applies, as far as scheduling goes. */
export function kubeadmAddons(images: readonly string[]): KubeObject[] {
  const image = (part: string) => images.find((ref) => ref.includes(part)) ?? part;
  const workload = (kind: string, name: string, spec: PodSpec, replicas: number): KubeObject => ({
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace: "kube-system" },
    spec: { replicas, template: { metadata: { labels: { "k8s-app": name } }, spec } },
  });
  return [
    workload(
      "DaemonSet",
      "kube-proxy",
      {
        hostNetwork: true,
        tolerations: [{ operator: "Exists" }],
        containers: [{ name: "kube-proxy", image: image("/kube-proxy:") }],
      },
      0,
    ),
    workload(
      "Deployment",
      "coredns",
      { tolerations: [{ key: controlPlaneTaint }], containers: [{ name: "coredns", image: image("/coredns:") }] },
      2,
    ),
  ];
}
