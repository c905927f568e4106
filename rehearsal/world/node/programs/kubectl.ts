import { SimulationGap } from "../../service.ts";
import type { Cluster, Member } from "../cluster.ts";
import { type KubeObject, parseObjects, uninitialized } from "../kube.ts";
import type { VirtualNode } from "../node.ts";
import type { Answer, Program } from "../shell.ts";
import { isPodReady, isReady, type Pod, pods } from "../workloads.ts";
import { jsonPath } from "./json-path.ts";

interface Line {
  readonly words: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
}

const switches = new Set([
  "--server-side",
  "--force-conflicts",
  "--ignore-not-found",
  "--ignore-not-found=true",
  "-A",
  "--all-namespaces",
  "--wait=true",
  "--wait=false",
]);

/** Words and flags; every flag that is no switch has a value. */
function parse(args: readonly string[]): Line {
  const words: string[] = [];
  const flags = new Map<string, string>();
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? "";
    if (argument === "--") return { words: [...words, ...args.slice(at)], flags };
    if (!argument.startsWith("-")) words.push(argument);
    else if (switches.has(argument)) flags.set(argument, "true");
    else if (argument.includes("=") && argument.startsWith("--"))
      flags.set(argument.slice(0, argument.indexOf("=")), argument.slice(argument.indexOf("=") + 1));
    else flags.set(argument, args[++at] ?? "");
  }
  return { words, flags };
}

const fail = (stderr: string): Answer => ({ stderr: `${stderr}\n`, exitCode: 1 });

/** kubectl, as far as the scripts use it, against the cluster that this node's kubeconfig names. */
export function kubectl(node: VirtualNode): Program {
  return async ({ args }) => {
    const line = parse(args);
    const config = line.flags.get("--kubeconfig");
    if (config !== undefined && (await node.shell.read(config)) === null)
      return fail(`error: stat ${config}: no such file or directory`);
    const { cluster } = node;
    if (cluster === null)
      return fail("The connection to the server localhost:8080 was refused - did you specify the right host or port?");
    const down = cluster.answers(node);
    if (down !== null) return fail(down);
    const [verb = ""] = line.words;
    const run = verbs[verb];
    if (run === undefined) throw new SimulationGap(`kubectl ${args.join(" ")} is not modelled`);
    return run(node, cluster, line);
  };
}

type Verb = (node: VirtualNode, cluster: Cluster, line: Line) => Answer | Promise<Answer>;

const verbs: Readonly<Record<string, Verb>> = {
  get: (_, cluster, line) => get(cluster, line),
  apply,
  delete: (_, cluster, line) => remove(cluster, line),
  rollout: (_, cluster, line) => rollout(cluster, line),
  logs: (_, cluster, { flags }) => {
    const [, name = ""] = (flags.get("-l") ?? "").split("=");
    return { stdout: `${(cluster.logs.get(name) ?? []).slice(-Number(flags.get("--tail") ?? 10)).join("\n")}\n` };
  },
  exec: (_, cluster, { words, flags }) => {
    const pod = pods(cluster).find(({ name, namespace }) => name === words[1] && namespace === flags.get("-n"));
    return pod !== undefined && isPodReady(cluster, pod)
      ? {}
      : fail(`error: unable to upgrade connection: container not found ("${words[1]}")`);
  },
  auth: () => ({ stdout: "yes\n" }),
};

/** Kinds that the cluster keeps as objects, under the names by which they are asked for. */
const kinds: Readonly<Record<string, string>> = {
  configmap: "ConfigMap",
  namespace: "Namespace",
  persistentvolumeclaim: "PersistentVolumeClaim",
  persistentvolumeclaims: "PersistentVolumeClaim",
  pod: "Pod",
  service: "Service",
  services: "Service",
};

/** The resources under the names by which they are asked for. */
function list(cluster: Cluster, resource: string, { flags }: Line): unknown[] {
  const space = flags.get("-n");
  if (resource === "nodes" || resource === "node")
    return [...cluster.members.values()].map((member) => nodeObject(cluster, member));
  if (resource === "pods" || resource === "pod") {
    const [label, value] = (flags.get("-l") ?? "").split("=");
    return allPods(cluster)
      .filter(({ metadata }) => flags.has("-A") || metadata.namespace === (space ?? "default"))
      .filter(({ metadata }) => !label || (metadata.labels as Record<string, string>)[label] === value);
  }
  if (resource === "secrets" || resource === "secret")
    return [...cluster.tokens.keys()].map((id) => ({ metadata: { name: `bootstrap-token-${id}` } }));
  if (resource === "events") {
    const about = /involvedObject\.name=(\S+)/.exec(flags.get("--field-selector") ?? "")?.[1];
    return cluster.events.filter((event) => about === undefined || event.about === about);
  }
  const kind = kinds[resource];
  if (kind === undefined) throw new SimulationGap(`kubectl get ${resource} is not modelled`);
  return cluster
    .all(kind)
    .flatMap(({ object }) => (flags.has("-A") || object.metadata.namespace === space ? [shown(cluster, object)] : []));
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

interface PodObject {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: unknown };
  readonly [field: string]: unknown;
}

function podObject(cluster: Cluster, pod: Pod): PodObject {
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
function allPods(cluster: Cluster): PodObject[] {
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

function get(cluster: Cluster, line: Line): Answer {
  const { words, flags } = line;
  if (flags.get("--raw") === "/readyz") return { stdout: "ok" };
  const [, resource = "", name] = words;
  const items = list(cluster, resource, line);
  const one =
    name === undefined ? undefined : (items as { metadata: { name: string } }[]).find(({ metadata }) => metadata.name === name);
  if (name !== undefined && one === undefined) return fail(`Error from server (NotFound): ${resource} "${name}" not found`);
  const value = name === undefined ? { apiVersion: "v1", kind: "List", items } : one;
  const output = flags.get("-o") ?? "";
  if (output === "json") return { stdout: `${JSON.stringify(value)}\n` };
  if (output.startsWith("jsonpath=")) return { stdout: jsonPath(value, output.slice("jsonpath=".length)) };
  if (output === "" && name !== undefined) return { stdout: `${name}\n` };
  throw new SimulationGap(`kubectl get -o ${output} is not modelled`);
}

async function apply(node: VirtualNode, cluster: Cluster, { flags }: Line): Promise<Answer> {
  const text = await node.shell.read(flags.get("-f") ?? "");
  if (text === null) return fail(`error: the path "${flags.get("-f")}" does not exist`);
  for (const object of parseObjects(text)) {
    const refusal = admission(cluster, object);
    if (refusal !== null) return fail(refusal);
    cluster.apply(object);
  }
  return { stdout: "serverside-applied\n" };
}

/** The load balancer policy, if it was applied: an internal annotation, or no Service of type LoadBalancer. */
function admission(cluster: Cluster, object: KubeObject): string | null {
  const isGuarded = cluster
    .all("ValidatingAdmissionPolicyBinding")
    .some(({ object: { metadata } }) => metadata.name === "cloister-internal-load-balancers");
  if (!isGuarded || object.kind !== "Service" || object.spec?.["type"] !== "LoadBalancer") return null;
  const internal = object.metadata.annotations?.["service.beta.kubernetes.io/aws-load-balancer-internal"] ?? "";
  return internal === "" || internal === "false"
    ? `Error from server (Forbidden): services "${object.metadata.name}" is forbidden: this cluster is isolated`
    : null;
}

function remove(cluster: Cluster, { words, flags }: Line): Answer {
  const [, resource, name = ""] = words;
  if (resource === "secrets" && flags.get("--field-selector") === "type=bootstrap.kubernetes.io/token") {
    cluster.tokens.clear();
    return {};
  }
  if (resource === "secret" && name === "kubeadm-certs") {
    cluster.certificateKey = null;
    return {};
  }
  const kind = kinds[resource ?? ""];
  if (kind === undefined || kind === "ConfigMap" || name === "")
    throw new SimulationGap(`kubectl delete ${words.slice(1).join(" ")} is not modelled`);
  if (kind !== "Namespace") {
    cluster.release(kind, flags.get("-n") ?? "default", name);
    return {};
  }
  for (const { object } of [...cluster.objects.values()]) {
    const isIn = object.metadata.namespace === name || (object.kind === "Namespace" && object.metadata.name === name);
    if (isIn) cluster.remove(object.kind, object.metadata.namespace, object.metadata.name);
  }
  return {};
}

function rollout(cluster: Cluster, { words, flags }: Line): Answer {
  const [kind = "", name] = (words[2] ?? "").split("/");
  const exists = cluster.get(kind === "daemonset" ? "DaemonSet" : "Deployment", flags.get("-n") ?? "default", name ?? "");
  if (exists === undefined) return fail(`Error from server (NotFound): ${kind} "${name}" not found`);
  const own = pods(cluster).filter(
    ({ workload, namespace }) => workload === name && namespace === (flags.get("-n") ?? "default"),
  );
  return own.every((pod) => isPodReady(cluster, pod))
    ? { stdout: "successfully rolled out\n" }
    : fail("error: timed out waiting for the condition");
}
