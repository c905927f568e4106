import { SimulationGap } from "../../service.ts";
import { runCloudProvider } from "../cloud-provider.ts";
import { Cluster } from "../cluster.ts";
import { minorOf } from "../kube.ts";
import type { VirtualNode } from "../node.ts";
import { runServiceController } from "../service-controller.ts";
import type { Answer, Call, Program } from "../shell.ts";
import { runStorageDriver } from "../storage-driver.ts";
import { kubeadmAddons } from "../workloads.ts";
import { fail, type Line, program } from "./command-line.ts";
import { administrator, kubeconfig, randomHex, secretsOf } from "./credentials.ts";
import {
  argument,
  clusterKey,
  configOf,
  controlPlaneTimeout,
  extraArgs,
  ignoring,
  type KubeadmWorld,
  part,
  paths,
  problemOf,
  pullTimeout,
  type Registration,
  versionTimeout,
} from "./kubeadm-config.ts";
import { enlist, join } from "./kubeadm-join.ts";

/** kubeadm, as far as the scripts use it; what it refuses is in facts 3 and lab-real.md. */
export function kubeadm(node: VirtualNode, world: KubeadmWorld): Program {
  return program("kubeadm", {
    "config images list": { flags: "--kubernetes-version=", run: (line, call) => imagesList(node, line, call) },
    "config validate": {
      flags: "--config!=",
      async run(line) {
        const problem = problemOf(node, await configOf(node, line.get("--config")));
        return problem === null ? { stdout: "ok\n" } : fail(problem);
      },
    },
    "init phase upload-certs": {
      flags: "--upload-certs! --skip-certificate-key-print! --config!=",
      run: (line) => uploadCerts(node, line),
    },
    init: {
      flags: `--config!= --skip-token-print! --skip-certificate-key-print! ${ignoring}`,
      run: (line, call) => init(node, world, line, call),
    },
    join: { flags: `--config!= ${ignoring}`, run: (line, call) => join(node, world, line, call) },
    reset: {
      flags: "-f! --cri-socket!=unix:///run/containerd/containerd.sock",
      async run() {
        for (const path of Object.values(paths)) await node.shell.remove(path);
        Object.assign(node, { hasApiServer: false, hasKubelet: false });
        return { stdout: "reset\n" };
      },
    },
    "token create": { flags: "--ttl=", run: (line, call) => tokenCreate(node, line, call) },
    "token list": { flags: "-o!:json", run: () => tokenList(node) },
    "certs certificate-key": { run: () => ({ stdout: `${randomHex(node, "certificate-key", 64)}\n` }) },
    "kubeconfig user": {
      flags: "--config!= --client-name!= --org= --validity-period!=",
      run: (line) => kubeconfigUser(node, line),
    },
  });
}

/** Go's way to write a duration, as far as the scripts do. */
function hoursOf(text: string): number {
  const [, hours] = /^(\d+)h$/.exec(text) ?? [];
  if (hours === undefined) throw new SimulationGap(`kubeadm with the time ${text} is not modelled`);
  return Number(hours);
}

/** What this kubeadm needs for a version: for another than its own it names its own CoreDNS, etcd and pause image (facts 3.4). */
function imagesFor(node: VirtualNode, version: string): readonly string[] {
  const { kubernetes, kubeadmImages } = node.image;
  const minors = minorOf(kubernetes) - minorOf(version);
  if (minors !== 0 && minors !== 1) throw new SimulationGap(`kubeadm ${kubernetes} with version ${version} is not modelled`);
  return kubeadmImages.map((ref) => ref.replace(/(\/kube-[a-z-]+:v).*$/, `$1${version}`));
}

async function lookUpVersion(node: VirtualNode, world: Pick<KubeadmWorld, "fabric">, call: Call): Promise<string> {
  const [address] = world.fabric.resolve(node.instance.id, "dl.k8s.io");
  if (address === undefined || world.fabric.connect(node.instance.id, address, 443) !== "open") await call.sleep(versionTimeout);
  return node.image.kubernetes;
}

async function imagesList(node: VirtualNode, line: Line, { sleep }: Call): Promise<Answer> {
  const wanted = line.get("--kubernetes-version");
  if (wanted === undefined) await sleep(versionTimeout);
  return { stdout: `${imagesFor(node, wanted?.replace(/^v/, "") ?? node.image.kubernetes).join("\n")}\n` };
}

async function init(node: VirtualNode, world: KubeadmWorld, line: Line, call: Call): Promise<Answer> {
  const documents = await configOf(node, line.get("--config"));
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
  const absent = imagesFor(node, version).filter((image) => !node.images.has(image));
  // With Never the check does nothing, and the gap shows a minute later (lab-real.md, 1).
  if (absent.length > 0 && registration.imagePullPolicy !== "Never") {
    await tryToPull(node, world, call, absent.length);
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

/** Every missing image is asked for again and again; where packets are lost, each time until containerd gives up dialling. */
async function tryToPull(node: VirtualNode, { fabric }: KubeadmWorld, { sleep }: Call, images: number): Promise<void> {
  const [address] = fabric.resolve(node.instance.id, "registry.k8s.io");
  if (address !== undefined && fabric.connect(node.instance.id, address, 443) === "timeout") await sleep(images * pullTimeout);
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
  world.clusters.set(clusterKey(node, cluster.config.endpoint), cluster);
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
  await node.shell.write(paths.admin, kubeconfig(node, cluster, administrator, 365 * 24 * 3600));
  await node.shell.write(paths.ca, cluster.caPublicKey);
  await enlist(node, cluster, registration, "control-plane");
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

async function tokenCreate(node: VirtualNode, line: Line, { sleep }: Call): Promise<Answer> {
  const down = node.cluster?.answers(node) ?? (node.cluster === null ? "couldn't find admin.conf" : null);
  if (node.cluster === null || down !== null) return fail(String(down));
  const hours = hoursOf(line.get("--ttl") ?? "24h");
  await sleep(node.universe.chance.seconds("kubeadm.token", node.subject));
  return { stdout: `${addToken(node, node.cluster, hours * 3600)}\n` };
}

/** One object a token, as kubeadm prints them. */
function tokenList(node: VirtualNode): Answer {
  const down = node.cluster?.answers(node) ?? (node.cluster === null ? "couldn't find admin.conf" : null);
  if (node.cluster === null || down !== null) return fail(String(down));
  const tokens = [...node.cluster.tokens.values()].map(({ id, secret, expiresAt }) => ({
    kind: "BootstrapToken",
    token: `${id}.${secret}`,
    expires: new Date(expiresAt).toISOString(),
    usages: ["authentication", "signing"],
  }));
  return { stdout: tokens.map((token) => `${JSON.stringify(token)}\n`).join("") };
}

async function uploadCerts(node: VirtualNode, line: Line): Promise<Answer> {
  const documents = await configOf(node, line.get("--config"));
  const problem = problemOf(node, documents);
  if (problem !== null) return fail(problem);
  const key = part(documents, "InitConfiguration")?.["certificateKey"];
  if (node.cluster === null || typeof key !== "string") return fail("error: no certificate key");
  // The Secret lives for two hours (facts 3.6).
  node.cluster.certificateKey = { key, expiresAt: node.cluster.now() + 7_200_000 };
  return { stdout: "[upload-certs] Storing the certificates in Secret kubeadm-certs\n" };
}

function kubeconfigUser(node: VirtualNode, line: Line): Answer {
  const { cluster } = node;
  if (cluster === null) return fail("error: failed to load the certificate authority: there is no cluster here");
  const user = { name: line.get("--client-name") ?? "", organizations: line.all("--org") };
  return { stdout: kubeconfig(node, cluster, user, hoursOf(line.get("--validity-period") ?? "") * 3600) };
}
