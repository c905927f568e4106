import { SimulationGap } from "../../service.ts";
import { runCloudProvider } from "../cloud-provider.ts";
import { Cluster } from "../cluster.ts";
import type { VirtualNode } from "../node.ts";
import { runServiceController } from "../service-controller.ts";
import type { Answer, Call, Program } from "../shell.ts";
import { runStorageDriver } from "../storage-driver.ts";
import { kubeadmAddons } from "../workloads.ts";
import { kubeconfig, randomHex, secretsOf } from "./credentials.ts";
import {
  argument,
  clusterKey,
  configOf,
  controlPlaneTimeout,
  extraArgs,
  fail,
  flag,
  type KubeadmWorld,
  part,
  paths,
  problemOf,
  type Registration,
  versionTimeout,
} from "./kubeadm-config.ts";
import { enlist, join } from "./kubeadm-join.ts";

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
  await node.shell.write(paths.admin, kubeconfig(node, cluster, "kubernetes-admin", 365 * 24 * 3600));
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

function kubeconfigUser(node: VirtualNode, { args }: Call): Answer {
  const hours = /^(\d+)h$/.exec(flag(args, "--validity-period") ?? "")?.[1];
  if (node.cluster === null || hours === undefined) return fail("error: no cluster, or no validity period");
  return { stdout: kubeconfig(node, node.cluster, flag(args, "--client-name") ?? "", Number(hours) * 3600) };
}
