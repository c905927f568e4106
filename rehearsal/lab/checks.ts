import { DescribeInstancesCommand } from "@aws-sdk/client-ec2";
import { DescribeLoadBalancersCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { GetParametersByPathCommand } from "@aws-sdk/client-ssm";
import { secretLeaks, type Written } from "../audit.ts";
import { shipped } from "../shipped.ts";
import { deployment } from "./cloud/aws.ts";
import type { Run } from "./cloud/engine.ts";
import { dnsQuestion } from "./dns-question.ts";
import type { Host } from "./hosts/host.ts";
import type { Lab } from "./lab.ts";

export interface LabCheck {
  readonly name: string;
  readonly passed: boolean;
  readonly evidence: string;
}

/** What a check found: true and false speak for themselves, a text says more. */
export type Finding = { readonly passed: boolean; readonly evidence: string };
export type Question = readonly [name: string, ask: () => Promise<Finding>];

export const found = (passed: boolean, evidence: string): Finding => ({ passed, evidence: evidence.trim().slice(0, 300) });

/** A check that cannot be made has failed, with the reason. */
export async function answer([name, ask]: Question): Promise<LabCheck> {
  return ask().then(
    (finding) => ({ name, ...finding }),
    (error: Error) => ({ name, passed: false, evidence: error.message.slice(0, 300) }),
  );
}

export interface Cluster {
  readonly lab: Lab;
  readonly name: string;
  readonly generation: number;
  readonly first: Host;
  readonly controlPlanes: readonly Host[];
  readonly hosts: readonly Host[];
}

/** The hosts of a generation that is ready; the first control plane is the one whose address was planned first. */
export function clusterOf(lab: Lab, name: string, generation = 1): Cluster | null {
  const placed = lab.site
    .hosts()
    .filter(({ instance: { tags } }) => tags.get("cloister:generation") === String(generation))
    .sort((a, b) => ((a.instance.tags.get("Name") ?? "") < (b.instance.tags.get("Name") ?? "") ? -1 : 1));
  const controlPlanes = placed
    .filter(({ instance }) => instance.tags.get("cloister:role") === "control-plane")
    .map(({ host }) => host);
  const [first] = controlPlanes;
  return first === undefined ? null : { lab, name, generation, first, controlPlanes, hosts: placed.map(({ host }) => host) };
}

export const kubectl = ({ first }: Cluster, ...args: string[]): Promise<string> =>
  first.on("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", ...args);

interface Node {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly providerID?: string };
  readonly status: {
    readonly conditions?: { readonly type: string; readonly status: string; readonly lastTransitionTime: string }[];
    readonly nodeInfo: { readonly kubeletVersion: string };
  };
}

async function nodesOf(cluster: Cluster): Promise<readonly Node[]> {
  return (JSON.parse(await kubectl(cluster, "get", "nodes", "-o", "json")) as { items: Node[] }).items;
}

/** From the launch of the instances to the moment since which each node is Ready. */
async function ready(cluster: Cluster, execution: Run): Promise<Finding> {
  const { events } = execution.history;
  const launched =
    events.find(({ type, details }) => type === "TaskStateExited" && details["name"] === "LaunchNodes")?.timestamp ?? 0;
  const nodes = await nodesOf(cluster);
  const since = nodes.map(
    ({ status }) => status.conditions?.find(({ type, status: is }) => type === "Ready" && is === "True")?.lastTransitionTime,
  );
  const seconds = since.map((time) => (time === undefined ? "never" : `${Math.round((Date.parse(time) - launched) / 1000)} s`));
  return found(nodes.length === cluster.hosts.length && !since.includes(undefined), `after the launch: ${seconds.join(", ")}`);
}

/** What the API server and every kubelet call themselves. */
async function versions(cluster: Cluster): Promise<Finding> {
  const { gitVersion } = JSON.parse(await kubectl(cluster, "get", "--raw", "/version")) as { gitVersion: string };
  const kubelets = (await nodesOf(cluster)).map(({ status }) => status.nodeInfo.kubeletVersion);
  const wanted = `v${cluster.lab.kubernetes}`;
  return found(
    [gitVersion, ...kubelets].every((version) => version === wanted),
    `API server ${gitVersion}, kubelets ${kubelets.join(", ")}`,
  );
}

/** The members of etcd, asked of etcd itself by its own gateway: the image has neither shell nor etcdctl. */
async function etcdMembers({ first, controlPlanes }: Cluster): Promise<Finding> {
  const pki = "/etc/kubernetes/pki/etcd";
  const own = ["--cacert", `${pki}/ca.crt`, "--cert", `${pki}/server.crt`, "--key", `${pki}/server.key`];
  const said = await first.on("curl", "-sS", "-m", "10", ...own, "-d", "{}", "https://127.0.0.1:2379/v3/cluster/member/list");
  const { members = [] } = JSON.parse(said) as { members?: { name?: string; isLearner?: boolean }[] };
  const voting = members.filter(({ name = "", isLearner = false }) => name !== "" && !isLearner);
  return found(
    voting.length === controlPlanes.length,
    `${voting.length} voting members: ${voting.map(({ name }) => name).join(", ")}`,
  );
}

/** Provider ids come from the real cloud controller manager: they must be the very instances that the handlers launched. */
async function providerIds(cluster: Cluster): Promise<Finding> {
  const items = await nodesOf(cluster);
  const Filters = [
    { Name: "tag:cloister:cluster", Values: [cluster.name] },
    { Name: "tag:cloister:generation", Values: [String(cluster.generation)] },
  ];
  const { Reservations = [] } = await cluster.lab.aws.ec2.send(new DescribeInstancesCommand({ Filters }));
  const wanted = Reservations.flatMap(({ Instances = [] }) => Instances)
    .filter(({ State }) => State?.Name === "running")
    .map(({ InstanceId, Placement }) => `aws:///${Placement?.AvailabilityZone}/${InstanceId}`);
  const given = items.map(({ spec }) => spec.providerID ?? "none");
  return found(wanted.length > 0 && given.sort().join() === wanted.sort().join(), `${given.length} nodes: ${given.join(", ")}`);
}

async function coreDns(cluster: Cluster): Promise<Finding> {
  const ready = await kubectl(
    cluster,
    "-n",
    "kube-system",
    "get",
    "deployment",
    "coredns",
    "-o",
    "jsonpath={.status.readyReplicas}",
  );
  const script = dnsQuestion("10.96.0.10", "kubernetes.default.svc.cluster.local");
  const address = await cluster.first.on("python3", "-c", script);
  return found(ready === "2" && address.trim() === "10.96.0.1", `${ready} replicas ready, kubernetes.default is ${address}`);
}

/** A Service is public unless it says otherwise: the product's policy is to refuse it, in the real API server. */
async function publicService(cluster: Cluster): Promise<Finding> {
  const said = await kubectl(cluster, "create", "service", "loadbalancer", "lab-public", "--tcp=80:80").catch(
    (error: Error) => error.message,
  );
  const [refusal = said] = /this cluster is isolated:.*/.exec(said) ?? [];
  return found(refusal !== said, refusal);
}

/** The smoke test of verify-cluster made one, asked it for an answer and took its Service away; the API's own stays. */
async function noBalancerLeft({ lab, controlPlanes }: Cluster): Promise<Finding> {
  const { LoadBalancers = [] } = await lab.aws.elb.send(new DescribeLoadBalancersCommand({}));
  const names = LoadBalancers.map(({ LoadBalancerName = "" }) => LoadBalancerName);
  const expected = controlPlanes.length > 1 ? 1 : 0;
  return found(
    names.length === expected && names.every((one) => one.endsWith("-api")),
    `${names.length} load balancers in the account${names.map((one) => `: ${one}`).join("")}`,
  );
}

async function certificate({ lab, name, generation }: Cluster): Promise<Finding> {
  const place = { Bucket: deployment.bucket, Key: `evidence/${name}/g${generation}/certificate.json` };
  const { Body } = await lab.aws.s3.send(new GetObjectCommand(place));
  const content = JSON.parse((await Body?.transformToString()) ?? "{}") as {
    isolated?: boolean;
    checks?: { name: string; passed: boolean }[];
    concessions?: string[];
  };
  const checks = content.checks ?? [];
  const failed = checks.filter(({ passed }) => !passed).map((check) => check.name);
  const words =
    failed.length > 0
      ? `false: ${failed.join(", ")}`
      : `${checks.length} checks true, concessions: ${content.concessions?.join(", ")}`;
  return found(content.isolated === true && checks.length > 0, words);
}

/** The ways out, from every host, at the lowest level: a connection to an address. */
async function noWayOut({ hosts }: Cluster): Promise<Finding> {
  const tried = await Promise.all(
    hosts.map((host) =>
      host.on("curl", "-s", "-o", "/dev/null", "-m", "3", "http://1.1.1.1/").then(
        () => "open",
        (error: Error) => /ended with (\d+)/.exec(error.message)?.[1] ?? "",
      ),
    ),
  );
  // curl(1): 28 is a timeout, which is how a packet is lost in a VPC.
  return found(
    tried.every((code) => code === "28"),
    `curl ended with ${tried.join(", ")} on ${hosts.length} hosts`,
  );
}

/** The kubeconfig that the product published, used where the API answers. */
async function published(cluster: Cluster): Promise<Finding> {
  const { lab, name, generation, first } = cluster;
  const asked = new GetParametersByPathCommand({
    Path: `/cloister/${name}/g${generation}`,
    Recursive: true,
    WithDecryption: true,
  });
  const { Parameters = [] } = await lab.aws.ssm.send(asked);
  const names = Parameters.map(({ Name }) => Name?.split("/").at(-1));
  const kubeconfig = Parameters.find(({ Name }) => Name?.endsWith("/kubeconfig"))?.Value ?? "";
  const encoded = Buffer.from(kubeconfig).toString("base64");
  const script = `umask 077; f=$(mktemp); base64 -d <<<"$1" >$f; kubectl --kubeconfig $f get nodes -o name | wc -l; rm $f`;
  const nodes = (await first.on("bash", "-c", script, "published", encoded)).trim();
  return found(
    names.join() === "kubeconfig" && nodes === String(cluster.hosts.length),
    `parameters: ${names.join(", ")}; ${nodes} nodes with it`,
  );
}

/** The driver's images cannot be had here; what the product would apply is judged by the real API server all the same. */
async function storageManifests({ first }: Cluster): Promise<Finding> {
  const text = ["ebs-csi", "storage-class"]
    .map((name) => shipped.manifests[name]?.replaceAll(/__[A-Z_]+__/g, "lab"))
    .join("\n---\n");
  const script = 'base64 -d <<<"$1" | kubectl --kubeconfig /etc/kubernetes/admin.conf apply --server-side --dry-run=server -f -';
  const said = await first.on("bash", "-c", script, "storage", Buffer.from(text).toString("base64"));
  const taken = said.trim().split("\n");
  const wanted = text.match(/^kind: /gm)?.length ?? 0;
  return found(
    wanted > 0 && taken.length === wanted && taken.every((line) => line.endsWith("(server dry run)")),
    `${taken.length} of ${wanted} objects taken`,
  );
}

function secrets(lab: Lab, executions: readonly Run[]): Finding {
  const histories: Written[] = executions.flatMap(({ name, history }) =>
    history.events.map(({ id, type, details }) => ({
      place: `history of ${name}, event ${id} ${type}`,
      text: JSON.stringify(details),
    })),
  );
  const written = [...histories, ...lab.stage.commands.written(), ...lab.logs()];
  const leaks = secretLeaks([...lab.hooks.secrets], written);
  return found(leaks.length === 0, leaks.length === 0 ? `${written.length} texts read` : leaks.join("; "));
}

/** Everything that can be asked of a cluster that the product says is ready, asked of the cluster itself. */
export async function checkCluster(lab: Lab, name: string, execution: Run, generation = 1): Promise<LabCheck[]> {
  const cluster = clusterOf(lab, name, generation);
  if (cluster === null)
    return [{ name: "a control plane is there", passed: false, evidence: `${lab.site.hosts().length} hosts` }];
  const questions: readonly Question[] = [
    ["every node is Ready", () => ready(cluster, execution)],
    ["all of it is of the version asked for", () => versions(cluster)],
    ["etcd has every control plane", () => etcdMembers(cluster)],
    ["provider ids are the instances'", () => providerIds(cluster)],
    ["CoreDNS is ready and answers", () => coreDns(cluster)],
    ["a public load balancer is refused", () => publicService(cluster)],
    ["no load balancer is left", () => noBalancerLeft(cluster)],
    ["the certificate is true", () => certificate(cluster)],
    ["the storage driver's manifests are taken", () => storageManifests(cluster)],
    ["no host gets out", () => noWayOut(cluster)],
    ["the published kubeconfig works", () => published(cluster)],
    ["no secret was written anywhere", async () => secrets(lab, [execution])],
  ];
  return Promise.all(questions.map(answer));
}
