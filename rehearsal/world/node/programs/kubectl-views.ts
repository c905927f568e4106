import type { Cluster, Member } from "../cluster.ts";
import { type KubeObject, uninitialized } from "../kube.ts";
import { isPodReady, isReady, type Pod, pods } from "../workloads.ts";

/** What kubeadm keeps in kube-system: a bootstrap token's kind of Secret, and the uploaded certificates'. */
export const tokenType = "bootstrap.kubernetes.io/token";
export const certificates = "kubeadm-certs";

/** An object as the API shows it. */
export interface Item {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
  };
  readonly [field: string]: unknown;
}

/** A kind that is asked for: its names, where its objects are, and the fields that it may be selected by. */
interface Resource {
  readonly names: readonly string[];
  readonly isNamespaced: boolean;
  readonly selectable: readonly string[];
  items(cluster: Cluster): readonly Item[];
}

const stored = (kind: string) => (cluster: Cluster) => cluster.all(kind).map(({ object }) => object);

export const resources: readonly Resource[] = [
  { names: ["node", "nodes"], isNamespaced: false, selectable: [], items: allNodes },
  { names: ["namespace", "namespaces"], isNamespaced: false, selectable: [], items: stored("Namespace") },
  { names: ["pod", "pods"], isNamespaced: true, selectable: [], items: allPods },
  { names: ["secret", "secrets"], isNamespaced: true, selectable: ["type"], items: allSecrets },
  { names: ["event", "events"], isNamespaced: true, selectable: ["involvedObject.name"], items: allEvents },
  { names: ["service", "services"], isNamespaced: true, selectable: [], items: stored("Service") },
  {
    names: ["persistentvolumeclaim", "persistentvolumeclaims"],
    isNamespaced: true,
    selectable: [],
    items: stored("PersistentVolumeClaim"),
  },
  {
    names: ["configmap", "configmaps"],
    isNamespaced: true,
    selectable: [],
    items: (cluster) => cluster.all("ConfigMap").map(({ object }) => shown(cluster, object)),
  },
];

function allNodes(cluster: Cluster): Item[] {
  return [...cluster.members.values()].map((member) => nodeObject(cluster, member));
}

function allSecrets(cluster: Cluster): Item[] {
  const secret = (name: string, type: string): Item => ({ metadata: { name, namespace: "kube-system" }, type });
  return [
    ...[...cluster.tokens.keys()].map((id) => secret(`bootstrap-token-${id}`, tokenType)),
    ...(cluster.certificateKey === null ? [] : [secret(certificates, "Opaque")]),
  ];
}

/** Events lie in the namespace of what they are about; here each is about one name, whatever the namespace. */
function allEvents(cluster: Cluster): Item[] {
  return cluster.events.map(({ about, reason, message }, index) => ({
    metadata: { name: `${about}.${index}` },
    involvedObject: { name: about },
    reason,
    message,
  }));
}

/** cluster-info holds a signature for each live token, a moment after it was made. */
function shown(cluster: Cluster, object: KubeObject): KubeObject {
  if (object.metadata.name !== "cluster-info") return object;
  const signed = [...cluster.tokens.values()].filter(
    ({ signedAt, expiresAt }) => signedAt <= cluster.now() && cluster.now() < expiresAt,
  );
  return { ...object, data: Object.fromEntries(signed.map(({ id }) => [`jws-kubeconfig-${id}`, "signature"])) };
}

function nodeObject(cluster: Cluster, member: Member) {
  const ready = isReady(cluster, member);
  const taints =
    member.isExternal && member.initialisedAt === null ? [{ key: uninitialized, value: "true", effect: "NoSchedule" }] : [];
  return {
    metadata: {
      name: member.name,
      labels: member.role === "control-plane" ? { "node-role.kubernetes.io/control-plane": "" } : {},
    },
    spec: { ...(member.providerID !== null && { providerID: member.providerID }), taints },
    status: {
      conditions: [{ type: "Ready", status: ready ? "True" : "False", reason: ready ? "KubeletReady" : "KubeletNotReady" }],
      addresses: member.address === null ? [] : [{ type: "InternalIP", address: member.address }],
    },
  };
}

function podObject(cluster: Cluster, pod: Pod): Item {
  const { name, namespace, labels, spec, waiting, restarts } = pod;
  const bound = (spec.volumes ?? []).every(({ persistentVolumeClaim: claim }) => {
    const stored = claim === undefined ? undefined : cluster.get("PersistentVolumeClaim", namespace, claim.claimName);
    return claim === undefined || (stored?.object["status"] as { phase?: string } | undefined)?.phase === "Bound";
  });
  const ready = bound && isPodReady(cluster, pod);
  return {
    metadata: { name, namespace, labels },
    spec: { nodeName: pod.member.name, volumes: spec.volumes ?? [] },
    status: {
      phase: ready ? "Running" : "Pending",
      podIP: ready ? pod.address : "",
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      containerStatuses: spec.containers.map((container) => ({
        name: container.name,
        restartCount: restarts,
        ready,
        state: waiting === null ? { running: {} } : { waiting },
      })),
    },
  };
}

/** The workloads' pods, and the static ones of every control plane. */
function allPods(cluster: Cluster): Item[] {
  const planes = [...cluster.members.values()].filter(({ role }) => role === "control-plane");
  const statics = planes.flatMap((member) =>
    ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"].map((part) => ({
      metadata: { name: `${part}-${member.name}`, namespace: "kube-system", labels: { component: part } },
      spec: { nodeName: member.name },
      status: {
        phase: "Running",
        conditions: [{ type: "Ready", status: "True" }],
        containerStatuses: [{ name: part, restartCount: 0, ready: true, state: { running: {} } }],
      },
    })),
  );
  return [...statics, ...pods(cluster).map((pod) => podObject(cluster, pod))];
}
