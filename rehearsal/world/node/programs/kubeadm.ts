import { parseAllDocuments } from "yaml";
import type { Fabric } from "../../fabric-types.ts";
import { SimulationGap } from "../../service.ts";
import type { NodeAws } from "../aws-access.ts";
import { runCloudProvider } from "../cloud-provider.ts";
import { Cluster, type Member } from "../cluster.ts";
import { minorOf } from "../kube.ts";
import type { VirtualNode } from "../node.ts";
import { runServiceController } from "../service-controller.ts";
import type { Answer, Call, Program } from "../shell.ts";
import { runStorageDriver } from "../storage-driver.ts";
import { kubeadmAddons } from "../workloads.ts";
import { kubeconfig, randomHex, secretsOf } from "./credentials.ts";

export interface KubeadmWorld {
  readonly fabric: Fabric;
  readonly aws: NodeAws;
  /** By the API's endpoint, `host:6443`: where a joiner finds the cluster. */
  readonly clusters: Map<string, Cluster>;
}

interface ExtraArg {
  readonly name: string;
  readonly value: string;
}
interface Config {
  readonly apiVersion: string;
  readonly kind: string;
  readonly [field: string]: unknown;
}

const paths = {
  admin: "/etc/kubernetes/admin.conf",
  kubelet: "/etc/kubernetes/kubelet.conf",
  ca: "/etc/kubernetes/pki/ca.crt",
  apiserver: "/etc/kubernetes/manifests/kube-apiserver.yaml",
} as const;
/** kubeadm waits four minutes for a control plane that does not come (facts 3.2), and looks ten seconds for a version (3.5). */
const controlPlaneTimeout = 240;
const versionTimeout = 10;
const kinds = [
  "InitConfiguration",
  "ClusterConfiguration",
  "JoinConfiguration",
  "KubeletConfiguration",
  "KubeProxyConfiguration",
];

const fail = (stderr: string): Answer => ({ stderr: `${stderr}\n`, exitCode: 1 });
const flag = (args: readonly string[], name: string): string | undefined => {
  const at = args.indexOf(name);
  return at === -1 ? args.find((argument) => argument.startsWith(`${name}=`))?.slice(name.length + 1) : args[at + 1];
};

async function configOf(node: VirtualNode, path: string | undefined): Promise<Config[]> {
  const text = await node.shell.read(path ?? "");
  if (text === null) throw new SimulationGap(`kubeadm was given no readable --config: ${path}`);
  return parseAllDocuments(text).map((document) => document.toJS() as Config);
}

/** What `kubeadm config validate` and every command that reads a file find wrong with it (facts 3.1). */
function problemOf(node: VirtualNode, documents: readonly Config[]): string | null {
  const minor = minorOf(node.image.kubernetes);
  for (const { apiVersion, kind } of documents) {
    if (!kinds.includes(kind)) throw new SimulationGap(`kubeadm's ${kind} is not modelled`);
    if (!apiVersion.startsWith("kubeadm.k8s.io/")) continue;
    if (apiVersion === "kubeadm.k8s.io/v1")
      return 'error: experimental API spec: "kubeadm.k8s.io/v1" is not allowed. You can use the --allow-experimental-api flag';
    const isOld = apiVersion === "kubeadm.k8s.io/v1beta2" || (apiVersion === "kubeadm.k8s.io/v1beta3" && minor >= 37);
    if (isOld)
      return `error: your configuration file uses an old API spec: "${apiVersion}" (kind: "${kind}"), which is no longer supported`;
  }
  return null;
}

const part = (documents: readonly Config[], kind: string): Readonly<Record<string, unknown>> | undefined =>
  documents.find((document) => document.kind === kind);
const extraArgs = (value: unknown): readonly ExtraArg[] =>
  ((value as { extraArgs?: ExtraArg[] } | undefined)?.extraArgs ?? []) as ExtraArg[];
interface Registration {
  readonly name: string;
  readonly kubeletExtraArgs?: readonly ExtraArg[];
  readonly imagePullPolicy?: string;
}
const argument = (args: readonly ExtraArg[] | undefined, name: string): string | null =>
  args?.find((arg) => arg.name === name)?.value ?? null;

export function kubeadm(node: VirtualNode, world: KubeadmWorld): Program {
  const commands: Readonly<Record<string, (call: Call) => Promise<Answer> | Answer>> = {
    "config images list": (call) => imagesList(node, call),
    "config validate": async ({ args }) => {
      const problem = problemOf(node, await configOf(node, flag(args, "--config")));
      return problem === null ? { stdout: "ok\n" } : fail(problem);
    },
    "init phase upload-certs": (call) => uploadCerts(node, call),
    init: (call) => init(node, world, call),
    join: (call) => join(node, world, call),
    reset: async () => {
      for (const path of Object.values(paths)) await node.shell.remove(path);
      Object.assign(node, { hasApiServer: false, hasKubelet: false });
      return { stdout: "reset\n" };
    },
    "token create": (call) => tokenCreate(node, call),
    "certs certificate-key": () => ({ stdout: `${randomHex(node, "certificate-key", 64)}\n` }),
    "kubeconfig user": (call) => kubeconfigUser(node, call),
  };
  const names = Object.keys(commands).sort((a, b) => b.length - a.length);
  return (call) => {
    const line = call.args.join(" ");
    const name = names.find((candidate) => line === candidate || line.startsWith(`${candidate} `));
    if (name === undefined) throw new SimulationGap(`kubeadm ${line} is not modelled`);
    return (commands[name] as (call: Call) => Promise<Answer>)(call);
  };
}

async function lookUpVersion(node: VirtualNode, world: Pick<KubeadmWorld, "fabric">, call: Call): Promise<string> {
  const [address] = world.fabric.resolve(node.instance.id, "dl.k8s.io");
  if (address === undefined || world.fabric.connect(node.instance.id, address, 443) !== "open") await call.sleep(versionTimeout);
  return node.image.kubernetes;
}

async function imagesList(node: VirtualNode, { args, sleep }: Call): Promise<Answer> {
  if (flag(args, "--kubernetes-version") === undefined) await sleep(versionTimeout);
  return { stdout: `${node.image.kubeadmImages.join("\n")}\n` };
}

async function init(node: VirtualNode, world: KubeadmWorld, call: Call): Promise<Answer> {
  const documents = await configOf(node, flag(call.args, "--config"));
  const problem = problemOf(node, documents);
  if (problem !== null) return fail(problem);
  if ((await node.shell.read(paths.apiserver)) !== null)
    return fail(
      `error execution phase preflight: [ERROR FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml]: ${paths.apiserver} already exists`,
    );
  const settings = part(documents, "ClusterConfiguration") ?? {};
  const first = part(documents, "InitConfiguration") ?? {};
  const registration = first["nodeRegistration"] as Registration;
  const wanted = String(settings["kubernetesVersion"] ?? "stable-1");
  const version = /^v\d/.test(wanted) ? wanted.slice(1) : await lookUpVersion(node, world, call);
  const absent = node.image.kubeadmImages.filter((image) => !node.images.has(image));
  // With Never the check does nothing, and the gap shows a minute later (lab-real.md, 1).
  if (absent.length > 0 && registration.imagePullPolicy !== "Never") {
    return fail(
      `error execution phase preflight: ${absent.map((image) => `[ERROR ImagePull]: failed to pull image ${image}: dial tcp: i/o timeout`).join(" ")}`,
    );
  }
  node.hasKubelet = true;
  const {
    networking = {},
    controlPlaneEndpoint,
    clusterName,
  } = settings as { networking?: { podSubnet?: string }; controlPlaneEndpoint?: string; clusterName?: string };
  const endpoint = controlPlaneEndpoint ?? `${node.instance.address}:6443`;
  const cluster = new Cluster(
    node.universe,
    { clusterName: clusterName ?? "kubernetes", version, endpoint, podCidr: networking.podSubnet ?? "" },
    world.fabric,
    world.aws,
  );
  await call.sleep(node.universe.chance.seconds("kubeadm.init", node.subject));
  const dead = stillborn(node, settings, absent);
  if (dead !== null) {
    await node.shell.write(paths.apiserver, "kind: Pod\n");
    await call.sleep(controlPlaneTimeout);
    return fail(
      `error execution phase wait-control-plane: failed while waiting for the control plane to start: kube-apiserver check failed at https://${node.instance.address}:6443/livez: ${dead}`,
    );
  }
  node.hasApiServer = true;
  node.cluster = cluster;
  await node.shell.write(paths.apiserver, "kind: Pod\n");
  // The add-ons go through the endpoint that everybody uses: behind a load balancer that hairpins or is not there, init ends here (facts 3.7).
  for (let waited = 0; cluster.answers(node) !== null; waited += 5) {
    if (waited >= controlPlaneTimeout)
      return fail(`error execution phase upload-config/kubeadm: ${cluster.answers(node)}: context deadline exceeded`);
    await call.sleep(5);
  }
  await found(node, world, cluster, registration, settings);
  return { stdout: "Your Kubernetes control-plane has initialized successfully!\n" };
}

/** Why a control plane will never answer, or null. */
function stillborn(node: VirtualNode, settings: Readonly<Record<string, unknown>>, absent: readonly string[]): string | null {
  if (absent.length > 0) return `the images ${absent.join(", ")} are not there`;
  if (!node.images.has(node.image.sandboxImage))
    return `failed to get sandbox image "${node.image.sandboxImage}": dial tcp: i/o timeout`;
  // The API server's flag is gone since 1.33 (facts 2.1).
  if (argument(extraArgs(settings["apiServer"]), "cloud-provider") !== null) return "unknown flag: --cloud-provider";
  return null;
}

async function found(
  node: VirtualNode,
  world: KubeadmWorld,
  cluster: Cluster,
  registration: Registration,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  world.clusters.set(cluster.config.endpoint, cluster);
  runCloudProvider(cluster);
  runStorageDriver(cluster);
  runServiceController(cluster);
  for (const addon of kubeadmAddons(node.image.kubeadmImages)) cluster.apply(addon);
  const text = Object.entries(settings)
    .map(([key, value]) => (typeof value === "string" ? `${key}: ${value}` : `${key}: {}`))
    .join("\n");
  cluster.apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "kubeadm-config", namespace: "kube-system" },
    data: { ClusterConfiguration: text },
  });
  cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "cluster-info", namespace: "kube-public" }, data: {} });
  addToken(node, cluster, 3600);
  await node.shell.write(paths.admin, kubeconfig(node, cluster, "kubernetes-admin", 365 * 24 * 3600));
  await node.shell.write(paths.ca, cluster.caPublicKey);
  await enlist(node, cluster, registration, "control-plane");
}

async function enlist(node: VirtualNode, cluster: Cluster, registration: Registration, role: Member["role"]): Promise<void> {
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

/** The signature appears in cluster-info up to seven seconds after the token (lab-real.md, 3). */
function addToken(node: VirtualNode, cluster: Cluster, seconds: number): string {
  const id = randomHex(node, `token-id/${cluster.tokens.size}`, 6);
  const secret = randomHex(node, `token/${cluster.tokens.size}`, 16);
  secretsOf(node.universe).add(`${id}.${secret}`);
  const signedAt = cluster.now() + 7000 * node.universe.chance.uniform(`token/${node.subject}`);
  cluster.tokens.set(id, { id, secret, expiresAt: cluster.now() + seconds * 1000, signedAt });
  return `${id}.${secret}`;
}

async function tokenCreate(node: VirtualNode, { args, sleep }: Call): Promise<Answer> {
  const down = node.cluster?.answers(node) ?? (node.cluster === null ? "couldn't find admin.conf" : null);
  if (node.cluster === null || down !== null) return fail(String(down));
  const hours = /^(\d+)h$/.exec(flag(args, "--ttl") ?? "24h")?.[1];
  if (hours === undefined) throw new SimulationGap(`kubeadm token create with the time ${flag(args, "--ttl")}`);
  await sleep(node.universe.chance.seconds("kubeadm.token", node.subject));
  return { stdout: `${addToken(node, node.cluster, Number(hours) * 3600)}\n` };
}

async function uploadCerts(node: VirtualNode, { args }: Call): Promise<Answer> {
  const documents = await configOf(node, flag(args, "--config"));
  const key = part(documents, "InitConfiguration")?.["certificateKey"];
  if (node.cluster === null || typeof key !== "string") return fail("error: no certificate key");
  // The Secret lives for two hours (facts 3.6).
  node.cluster.certificateKey = { key, expiresAt: node.cluster.now() + 7_200_000 };
  return { stdout: "[upload-certs] Storing the certificates in Secret kubeadm-certs\n" };
}

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
  if (token === undefined || token.secret !== secret || token.expiresAt <= cluster.now()) {
    return `couldn't validate the identity of the API Server: could not find a JWS signature in the cluster-info ConfigMap for token ID "${id}"`;
  }
  if (!discovery.caCertHashes.includes(cluster.caHash))
    return `couldn't validate the identity of the API Server: cluster CA found in cluster-info ConfigMap is invalid: none of the public keys "${cluster.caHash}" are pinned`;
  return null;
}

async function join(node: VirtualNode, world: KubeadmWorld, call: Call): Promise<Answer> {
  const documents = await configOf(node, flag(call.args, "--config"));
  const problem = problemOf(node, documents);
  if (problem !== null) return fail(problem);
  const settings = part(documents, "JoinConfiguration") ?? {};
  const { bootstrapToken } = settings["discovery"] as {
    bootstrapToken: { token: string; apiServerEndpoint: string; caCertHashes: readonly string[] };
  };
  const controlPlane = settings["controlPlane"] as { certificateKey: string } | undefined;
  const cluster = world.clusters.get(bootstrapToken.apiServerEndpoint);
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
  await node.shell.write(paths.admin, kubeconfig(node, cluster, "kubernetes-admin", 365 * 24 * 3600));
  await node.shell.write(paths.ca, cluster.caPublicKey);
  await enlist(node, cluster, settings["nodeRegistration"] as Registration, "control-plane");
  return { stdout: "This node has joined the cluster and a new control plane instance was created\n" };
}

function kubeconfigUser(node: VirtualNode, { args }: Call): Answer {
  const hours = /^(\d+)h$/.exec(flag(args, "--validity-period") ?? "")?.[1];
  if (node.cluster === null || hours === undefined) return fail("error: no cluster, or no validity period");
  return { stdout: kubeconfig(node, node.cluster, flag(args, "--client-name") ?? "", Number(hours) * 3600) };
}
