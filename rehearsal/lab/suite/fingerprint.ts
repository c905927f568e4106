import { type Cluster, kubectl } from "../checks.ts";
import type { Host } from "../hosts/host.ts";

/** What differs between two generations of one cluster by right: its number, and the addresses that EC2 chose. */
const plain = (text: string): string =>
  text
    .replaceAll(/orchid-g\d+/g, "orchid-gN")
    .replaceAll(/ip-[\d-]+\.[\w.-]+/g, "NODE")
    .replaceAll(/\b10\.40(?:\.\d+){2}\b/g, "ADDRESS");

const lines = (text: string, about: string): string[] =>
  plain(text)
    .split("\n")
    .filter(Boolean)
    .map((line) => `${about} ${line}`);

/** What the scripts left on a host: images and whether they are pinned, files by name, and the content of what holds no key. */
async function ofHost(host: Host, role: string): Promise<string[]> {
  const ask = async (what: string, script: string) => lines(await host.on("bash", "-c", script), `${role} ${what}`);
  return [
    ...(await ask("image", "crictl images -o json | jq -r '.images[].repoTags[]?' | sort")),
    ...(await ask("pinned", "ctr -n k8s.io images ls 'labels.\"io.cri-containerd.pinned\"==pinned' -q | sort")),
    ...(await ask("file", "find /etc/kubernetes /var/lib/cloister /etc/cni/net.d -type f | sort")),
    ...(await ask(
      "content",
      "cat /var/lib/kubelet/config.yaml; find /etc/kubernetes/manifests -name '*.yaml' | sort | xargs -r cat",
    )),
  ];
}

const kinds =
  "nodes,namespaces,deployments,daemonsets,services,configmaps,serviceaccounts,secrets,clusterroles,clusterrolebindings,roles,rolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings";

/** The state in which a build leaves hosts and cluster, as far as two builds of one request must agree. */
export async function fingerprint(cluster: Cluster): Promise<string[]> {
  const { hosts, controlPlanes } = cluster;
  const names = [
    "get",
    kinds,
    "-A",
    "-o",
    'jsonpath={range .items[*]}{.kind} {.metadata.namespace} {.metadata.name}{"\\n"}{end}',
  ];
  const pods = [
    "get",
    "pods",
    "-A",
    "-o",
    'jsonpath={range .items[*]}{.metadata.namespace} {.metadata.ownerReferences[0].kind} {.status.phase}{"\\n"}{end}',
  ];
  const taints = ["get", "nodes", "-o", 'jsonpath={range .items[*]}{.metadata.name} {.spec.taints[*].key}{"\\n"}{end}'];
  const each = await Promise.all([
    ...hosts.map((host) => ofHost(host, controlPlanes.includes(host) ? "control plane" : "worker")),
    ...[names, pods, taints].map(async (args) => lines(await kubectl(cluster, ...args), "cluster")),
  ]);
  return each.flat().sort();
}

/** What one has and the other lacks. */
export const differences = (one: readonly string[], other: readonly string[]): string[] => [
  ...one.filter((line) => !other.includes(line)).map((line) => `- ${line}`),
  ...other.filter((line) => !one.includes(line)).map((line) => `+ ${line}`),
];
