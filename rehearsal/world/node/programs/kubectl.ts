import { SimulationGap } from "../../service.ts";
import type { Cluster } from "../cluster.ts";
import { type KubeObject, parseObjects } from "../kube.ts";
import type { VirtualNode } from "../node.ts";
import type { Answer, Program } from "../shell.ts";
import { isPodReady, pods } from "../workloads.ts";
import { type Command, fail, type Line, program } from "./command-line.ts";
import { isAdministrator } from "./credentials.ts";
import { jsonPath } from "./json-path.ts";
import { paths } from "./kubeadm-config.ts";
import { certificates, type Item, resources, tokenType } from "./kubectl-views.ts";

type Verb = (cluster: Cluster, line: Line, node: VirtualNode) => Answer | Promise<Answer>;

/** kubectl, as far as the scripts use it, against the cluster that the kubeconfig on this node's disk names. */
export function kubectl(node: VirtualNode): Program {
  /** Nothing is asked without a kubeconfig, the scripts' default being admin.conf, and an API server that answers. */
  const asking = (verb: Verb): Pick<Command, "run"> => ({
    async run(line) {
      const config = line.get("--kubeconfig");
      if (config !== undefined && (await node.shell.read(config)) === null)
        return fail(`error: stat ${config}: no such file or directory`);
      const { cluster } = node;
      if (cluster === null || (await node.shell.read(config ?? paths.admin)) === null)
        return fail("The connection to the server localhost:8080 was refused - did you specify the right host or port?");
      const down = cluster.answers(node);
      return down === null ? verb(cluster, line, node) : fail(down);
    },
  });
  return program(
    "kubectl",
    {
      get: {
        flags: "-o= -l= -A,--all-namespaces --field-selector= --raw=/readyz --request-timeout=",
        words: [0, 2],
        ...asking(get),
      },
      // Client-side, some manifests are larger than the annotation that kubectl writes may be (facts 4.1).
      apply: { flags: "--server-side! --force-conflicts! -f!=", ...asking(apply) },
      "delete namespace": { flags: "--ignore-not-found --wait=true --timeout=", words: 1, ...asking(deleteNamespace) },
      "delete secret": { flags: "--ignore-not-found", words: 1, ...asking(deleteSecret) },
      "delete secrets": { flags: `--ignore-not-found --field-selector!=type=${tokenType}`, ...asking(deleteTokens) },
      ...Object.fromEntries(
        Object.entries(released).map(([name, kind]) => [
          `delete ${name}`,
          // Whether and how long a finalizer is waited for is not modelled: our script only asks.
          { flags: "--ignore-not-found --wait!=false", words: 1, ...asking(release(name, kind)) },
        ]),
      ),
      "rollout status": { flags: "--timeout!=", words: 1, ...asking(rollout) },
      logs: { flags: "-l= -c= --all-containers --tail!=", words: [0, 1], ...asking(logs) },
      exec: { words: [1, 9], ...asking(exec) },
      "auth can-i": { flags: "-A,--all-namespaces!", words: 2, ...asking(canI) },
    },
    "-n,--namespace= --kubeconfig=",
  );
}

/** Kinds that go when their controllers have let them go. */
const released = { service: "Service", persistentvolumeclaim: "PersistentVolumeClaim", pod: "Pod" } as const;

const spaceOf = (line: Line): string => line.get("-n") ?? "default";

/** `-l`, as far as the scripts select: one label by equality. */
function labelled(line: Line): (labels: Readonly<Record<string, string>> | undefined) => boolean {
  const selector = line.get("-l");
  if (selector === undefined) return () => true;
  const [, label = "", value] = /^([\w./-]+)=([\w.-]+)$/.exec(selector) ?? [];
  if (value === undefined) throw new SimulationGap(`kubectl -l ${selector} is not modelled`);
  return (labels) => labels?.[label] === value;
}

/** `--field-selector`: one field by equality, and of those alone that the kind has. */
function chosen(line: Line, selectable: readonly string[]): (item: Item) => boolean {
  const selector = line.get("--field-selector");
  if (selector === undefined) return () => true;
  const [, field = "", value] = /^([^=!]+)=([^=]+)$/.exec(selector) ?? [];
  if (!selectable.includes(field)) throw new SimulationGap(`kubectl --field-selector ${selector} is not modelled`);
  return (item) => jsonPath(item, `{.${field}}`) === value;
}

function list(cluster: Cluster, kind: string, line: Line): readonly Item[] {
  const resource = resources.find(({ names }) => names.includes(kind));
  if (resource === undefined) throw new SimulationGap(`kubectl get ${kind} is not modelled`);
  const { isNamespaced, selectable } = resource;
  const isHere = ({ metadata: { namespace } }: Item): boolean =>
    !isNamespaced || namespace === undefined || line.has("-A") || namespace === spaceOf(line);
  const isLabelled = labelled(line);
  const isChosen = chosen(line, selectable);
  return resource.items(cluster).filter((item) => isHere(item) && isLabelled(item.metadata.labels) && isChosen(item));
}

function get(cluster: Cluster, line: Line): Answer {
  const [kind, name] = line.words;
  if (line.has("--raw") && kind === undefined) return { stdout: "ok" };
  if (kind === undefined || line.has("--raw")) throw new SimulationGap("kubectl get takes a kind, or --raw, here");
  const items = list(cluster, kind, line);
  const one = items.find(({ metadata }) => metadata.name === name);
  if (name !== undefined && one === undefined) return fail(`Error from server (NotFound): ${kind} "${name}" not found`);
  const value = name === undefined ? { apiVersion: "v1", kind: "List", items } : one;
  const output = line.get("-o") ?? "";
  if (output === "json") return { stdout: `${JSON.stringify(value)}\n` };
  if (output.startsWith("jsonpath=")) return { stdout: jsonPath(value, output.slice("jsonpath=".length)) };
  // The table for people: our scripts only ask whether there is one.
  if (output === "" && name !== undefined) return { stdout: `NAME\n${name}\n` };
  throw new SimulationGap(`kubectl get -o ${output} is not modelled`);
}

/** Namespaces that every cluster has. */
const given = ["default", "kube-system", "kube-public", "kube-node-lease"];

async function apply(cluster: Cluster, line: Line, node: VirtualNode): Promise<Answer> {
  const path = line.get("-f") ?? "";
  const text = await node.shell.read(path);
  if (text === null) return fail(`error: the path "${path}" does not exist`);
  const said: string[] = [];
  for (const object of parseObjects(text)) {
    const { name, namespace = "default" } = object.metadata;
    if (!given.includes(namespace) && cluster.get("Namespace", undefined, namespace) === undefined)
      return fail(`Error from server (NotFound): namespaces "${namespace}" not found`);
    const refusal = admission(cluster, object);
    if (refusal !== null) return fail(refusal);
    cluster.apply(object);
    said.push(`${object.kind.toLowerCase()}/${name} serverside-applied\n`);
  }
  return { stdout: said.join("") };
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

const missing = (line: Line, kind: string, name: string): Answer =>
  line.has("--ignore-not-found") ? {} : fail(`Error from server (NotFound): ${kind} "${name}" not found`);

function deleteNamespace(cluster: Cluster, line: Line): Answer {
  const [name = ""] = line.words;
  if (cluster.get("Namespace", undefined, name) === undefined) return missing(line, "namespaces", name);
  for (const { object } of [...cluster.objects.values()]) {
    const isIn = object.metadata.namespace === name || (object.kind === "Namespace" && object.metadata.name === name);
    if (isIn) cluster.remove(object.kind, object.metadata.namespace, object.metadata.name);
  }
  return { stdout: `namespace "${name}" deleted\n` };
}

/** A pod of a workload is no object of its own: it is deleted, and made again at once. */
const release =
  (name: string, kind: string): Verb =>
  (cluster, line) => {
    const [wanted = ""] = line.words;
    if (!list(cluster, name, line).some(({ metadata }) => metadata.name === wanted)) return missing(line, `${name}s`, wanted);
    cluster.release(kind, spaceOf(line), wanted);
    return { stdout: `${name} "${wanted}" deleted\n` };
  };

const isSystem = (line: Line): boolean => spaceOf(line) === "kube-system";

function deleteTokens(cluster: Cluster, line: Line): Answer {
  if (!isSystem(line) || cluster.tokens.size === 0) return { stdout: "No resources found\n" };
  const said = [...cluster.tokens.keys()].map((id) => `secret "bootstrap-token-${id}" deleted\n`);
  cluster.tokens.clear();
  return { stdout: said.join("") };
}

function deleteSecret(cluster: Cluster, line: Line): Answer {
  const [name = ""] = line.words;
  if (name !== certificates) throw new SimulationGap(`kubectl delete secret ${name} is not modelled`);
  if (!isSystem(line) || cluster.certificateKey === null) return missing(line, "secrets", name);
  cluster.certificateKey = null;
  return { stdout: `secret "${name}" deleted\n` };
}

function rollout(cluster: Cluster, line: Line): Answer {
  const [kind = "", name = ""] = (line.words[0] ?? "").split("/");
  const type = { daemonset: "DaemonSet", deployment: "Deployment" }[kind];
  if (type === undefined) throw new SimulationGap(`kubectl rollout status ${kind} is not modelled`);
  if (cluster.get(type, spaceOf(line), name) === undefined)
    return fail(`Error from server (NotFound): ${kind}s.apps "${name}" not found`);
  const own = pods(cluster, (workload) => workload === name).filter(({ namespace }) => namespace === spaceOf(line));
  return own.every((pod) => isPodReady(cluster, pod))
    ? { stdout: `${kind} "${name}" successfully rolled out\n` }
    : fail("error: timed out waiting for the condition");
}

function logs(cluster: Cluster, line: Line): Answer {
  const [wanted] = line.words;
  if ((wanted === undefined) === (line.get("-l") === undefined))
    throw new SimulationGap("kubectl logs takes one pod or one label here");
  const isLabelled = labelled(line);
  const isMeant = ({ name, labels }: { name: string; labels: Readonly<Record<string, string>> }) =>
    wanted === undefined ? isLabelled(labels) : name === wanted;
  const found = pods(cluster).filter((pod) => pod.namespace === spaceOf(line) && isMeant(pod));
  if (found.length === 0 && wanted !== undefined)
    return fail(`error: error from server (NotFound): pods "${wanted}" not found in namespace "${spaceOf(line)}"`);
  if (found.length === 0) return { stderr: `No resources found in ${spaceOf(line)} namespace.\n` };
  const container = line.get("-c");
  const other = found.find(({ spec }) => !spec.containers.some(({ name }) => name === (container ?? name)));
  if (other !== undefined) return fail(`error: container ${container} is not valid for pod ${other.name}`);
  const workloads = [...new Set(found.map(({ workload }) => workload))];
  const lines = workloads.flatMap((workload) => (cluster.logs.get(workload) ?? []).slice(-Number(line.get("--tail"))));
  return { stdout: `${lines.join("\n")}\n` };
}

/** The one command that a pod is ever given: write a file on a volume and read it back. */
function exec(cluster: Cluster, line: Line): Answer {
  const [name = "", ...more] = line.words;
  const [shell, option, script = "", ...others] = line.rest;
  const [, text, path = "", ...again] = /^echo (\w+) > (\/\S+) && grep -q (\w+) (\/\S+)$/.exec(script) ?? [];
  if (more.length + others.length > 0 || shell !== "sh" || option !== "-c" || again[0] !== text || again[1] !== path)
    throw new SimulationGap(`kubectl exec ${name} -- ${line.rest.join(" ")} is not modelled`);
  const pod = pods(cluster).find((candidate) => candidate.name === name && candidate.namespace === spaceOf(line));
  if (pod === undefined) return fail(`Error from server (NotFound): pods "${name}" not found`);
  if (!isPodReady(cluster, pod)) return fail(`error: unable to upgrade connection: container not found ("${name}")`);
  const mounts = pod.spec.containers.flatMap(({ volumeMounts = [] }) => volumeMounts);
  return mounts.some(({ mountPath }) => path.startsWith(`${mountPath}/`))
    ? {}
    : fail(`sh: can't create ${path}: nonexistent directory\ncommand terminated with exit code 1`);
}

/** Everything, everywhere: what the administrators' group alone may do. */
async function canI(_: Cluster, line: Line, node: VirtualNode): Promise<Answer> {
  if (line.words.join(" ") !== "* *") throw new SimulationGap(`kubectl auth can-i ${line.words.join(" ")} is not modelled`);
  const text = (await node.shell.read(line.get("--kubeconfig") ?? paths.admin)) ?? "";
  return isAdministrator(text) ? { stdout: "yes\n" } : { stdout: "no\n", exitCode: 1 };
}
