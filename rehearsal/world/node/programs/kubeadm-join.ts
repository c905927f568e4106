import { SimulationGap } from "../../service.ts";
import type { Cluster, Member } from "../cluster.ts";
import type { VirtualNode } from "../node.ts";
import type { Answer, Call } from "../shell.ts";
import { fail, type Line } from "./command-line.ts";
import { administrator, kubeconfig } from "./credentials.ts";
import {
  argument,
  clusterKey,
  configOf,
  type KubeadmWorld,
  part,
  paths,
  problemOf,
  type Registration,
} from "./kubeadm-config.ts";

/** What keeps a joiner out, in kubeadm's words (facts 3.8, lab-real.md). */
function refusalOf(
  node: VirtualNode,
  cluster: Cluster | undefined,
  discovery: { token: string; caCertHashes: readonly string[]; apiServerEndpoint: string },
): string | null {
  if (cluster === undefined)
    return `couldn't validate the identity of the API Server: failed to request the cluster-info ConfigMap: dial tcp: lookup ${discovery.apiServerEndpoint}: no such host`;
  const down = cluster.answers(node);
  if (down !== null)
    return `couldn't validate the identity of the API Server: failed to request the cluster-info ConfigMap: ${down}`;
  const [id = "", secret = ""] = discovery.token.split(".");
  const token = cluster.tokens.get(id);
  const isLive =
    token !== undefined && token.secret === secret && token.signedAt <= cluster.now() && cluster.now() < token.expiresAt;
  if (!isLive) {
    return `couldn't validate the identity of the API Server: could not find a JWS signature in the cluster-info ConfigMap for token ID "${id}"`;
  }
  if (!discovery.caCertHashes.includes(cluster.caHash))
    return `couldn't validate the identity of the API Server: cluster CA found in cluster-info ConfigMap is invalid: none of the public keys "${cluster.caHash}" are pinned`;
  return null;
}

export async function join(node: VirtualNode, world: KubeadmWorld, line: Line, call: Call): Promise<Answer> {
  const documents = await configOf(node, line.get("--config"));
  const problem = problemOf(node, documents);
  if (problem !== null) return fail(problem);
  const settings = part(documents, "JoinConfiguration") ?? {};
  const { bootstrapToken } = settings["discovery"] as {
    bootstrapToken: { token: string; apiServerEndpoint: string; caCertHashes: readonly string[] };
  };
  const controlPlane = settings["controlPlane"] as { certificateKey: string } | undefined;
  const cluster = world.clusters.get(clusterKey(node, bootstrapToken.apiServerEndpoint));
  const { chance } = node.universe;
  for (let waited = 0; ; waited += 5) {
    const refused = refusalOf(node, cluster, bootstrapToken);
    if (refused === null) break;
    // timeouts.discovery of our file: one minute.
    if (waited >= 60 || /are pinned/.test(refused)) return fail(`error execution phase preflight: ${refused}`);
    await call.sleep(5);
  }
  if (cluster === undefined) throw new SimulationGap("joined a cluster that is not there");
  if (controlPlane === undefined) {
    await call.sleep(chance.seconds("kubeadm.join.worker", node.subject));
    await enlist(node, cluster, settings["nodeRegistration"] as Registration, "worker");
    return { stdout: "This node has joined the cluster\n" };
  }
  const certificates = cluster.certificateKey;
  if (certificates === null || certificates.key !== controlPlane.certificateKey || certificates.expiresAt <= cluster.now()) {
    return fail(
      'error execution phase control-plane-prepare/download-certs: Secret "kubeadm-certs" was not found in the "kube-system" Namespace',
    );
  }
  await call.sleep(chance.seconds("kubeadm.join.controlPlane", node.subject));
  node.hasApiServer = true;
  await node.shell.write(paths.apiserver, "kind: Pod\n");
  await node.shell.write(paths.admin, kubeconfig(node, cluster, administrator, 365 * 24 * 3600));
  await node.shell.write(paths.ca, cluster.caPublicKey);
  await enlist(node, cluster, settings["nodeRegistration"] as Registration, "control-plane");
  return { stdout: "This node has joined the cluster and a new control plane instance was created\n" };
}

/** Starts the kubelet and registers its Node. */
export async function enlist(
  node: VirtualNode,
  cluster: Cluster,
  registration: Registration,
  role: Member["role"],
): Promise<void> {
  await node.shell.write(paths.kubelet, `server: https://${cluster.config.endpoint}\n`);
  Object.assign(node, { hasKubelet: true });
  cluster.add({
    name: registration.name,
    node,
    role,
    joinedAt: cluster.now(),
    address: argument(registration.kubeletExtraArgs, "node-ip"),
    isExternal: argument(registration.kubeletExtraArgs, "cloud-provider") === "external",
    providerID: null,
    initialisedAt: null,
  });
}
