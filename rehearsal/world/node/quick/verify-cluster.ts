import { isReady, isUninitialized, itemsOf, waitingOf } from "./objects.ts";
import { type QuickScript, type Script, state, stripped, tail } from "./script.ts";

const space = "cloister-smoke";
const systemPods = "kubectl -n kube-system get pods -o json";

const cleanUp = async (sh: Script) =>
  sh.ok(`kubectl delete namespace ${space} --ignore-not-found --wait=true --timeout=${await sh.within(120)}s`);

/** What is wrong with the nodes and with the pods of kube-system, one line each. */
async function unwell(sh: Script, wanted: number): Promise<string[]> {
  const [nodes, pods] = [await sh.call("kubectl get nodes -o json"), await sh.call(systemPods)];
  if (nodes.exitCode !== 0 || pods.exitCode !== 0) return ["the API server does not answer"];
  const items = itemsOf(nodes.stdout);
  const count = items.length === wanted ? [] : [`${items.length} of ${wanted} nodes are in the cluster`];
  const faults = items.flatMap((item) => {
    const { name } = item.metadata;
    return [
      ...(isReady(item) ? [] : [`${name} is not Ready`]),
      ...(item.spec?.providerID?.startsWith("aws:///") ? [] : [`${name} has no providerID`]),
      ...(isUninitialized(item) ? [`${name} is uninitialized`] : []),
    ];
  });
  return [...count, ...faults, ...ailing(pods.stdout)];
}

const ailing = (printed: string): string[] =>
  itemsOf(printed)
    .filter((pod) => pod.status?.phase !== "Succeeded" && !isReady(pod))
    .map((pod) => `${pod.metadata.name}: ${waitingOf(pod).join(" ")}`);

async function restarts(sh: Script): Promise<number> {
  const counts = itemsOf(await sh.must(systemPods)).flatMap(({ status }) => status?.containerStatuses ?? []);
  return counts.reduce((sum, { restartCount }) => sum + restartCount, 0);
}

/** The first of the lines in one. */
const head = (lines: readonly string[], count: number): string => lines.slice(0, count).join(";");

/** What the first ailing pod said itself. */
async function lastWords(sh: Script): Promise<string> {
  const [pod = ""] = ailing((await sh.call(systemPods)).stdout).map((line) => line.split(":")[0] ?? "");
  if (pod === "") return "";
  const { stdout, stderr } = await sh.call(`kubectl -n kube-system logs ${pod} --all-containers --tail 2`);
  return tail(`${stdout}${stderr}`, 2);
}

/** Until nothing is wrong three times running. */
async function settle(sh: Script, seconds: number, wanted: number): Promise<void> {
  const end = await sh.moment(seconds);
  for (let quiet = 0; ; ) {
    const said = await unwell(sh, wanted);
    quiet = said.length === 0 ? quiet + 1 : 0;
    if (quiet === 3) return;
    if (await sh.isOver(end)) sh.die(`${head(said, 5)} ${await lastWords(sh)}`);
    await sh.sleep(1);
  }
}

/** One of the smoke test's manifests. */
async function template(sh: Script, name: string): Promise<void> {
  const image = sh.manifest(name).replaceAll("__SMOKE_IMAGE__", sh.get("smokeImage"));
  sh.files.set(`${state}/${name}.yaml`, `${image.replaceAll("__VPC_CIDR__", sh.get("vpcCidr"))}\n`);
  await sh.run(`kubectl apply --server-side --force-conflicts -f ${state}/${name}.yaml`);
}

const readyIn = (printed: string): string[] =>
  itemsOf(printed)
    .filter(isReady)
    .map(({ status }) => status?.podIP ?? "");
const smokePods = `kubectl -n ${space} get pods -l app=smoke -o json`;

interface Dialled {
  readonly responses?: readonly unknown[];
  readonly errors?: readonly unknown[];
}

/** One pod asks another, or somebody else: what it says of that, null where it does not answer itself. */
async function dial(sh: Script, from: string, host: string, port: number): Promise<Dialled | null> {
  const { stdout, exitCode } = await sh.call(
    `curl -sS -m 10 http://${from}:8080/dial?request=hostname&protocol=http&host=${host}&port=${port}&tries=1`,
  );
  return exitCode === 0 ? (JSON.parse(stdout) as Dialled) : null;
}

const isAnswered = (said: Dialled | null): boolean => (said?.responses ?? []).length > 0;

/** Whether the pod itself says that its try failed. */
async function noWayOut(sh: Script, from: string): Promise<boolean> {
  const said = await dial(sh, from, "1.1.1.1", 80);
  if (isAnswered(said)) sh.die("a pod reached 1.1.1.1: the cluster is not isolated");
  return (said?.errors ?? []).length > 0;
}

/** The first smoke pod that runs, waited for half a minute. */
async function firstPod(sh: Script): Promise<string> {
  const end = await sh.moment(30);
  for (;;) {
    const [address = ""] = readyIn((await sh.call(smokePods)).stdout);
    if (address !== "" || (await sh.isOver(end))) return address;
    await sh.sleep(2);
  }
}

async function proveVolume(sh: Script): Promise<void> {
  const { stdout: event } = await sh.call(`kubectl -n ${space} get events -o jsonpath={.items[-1:].message}`);
  await sh.untilTrue(120, `a pod runs with a bound volume (${stripped(event)})`, async () => {
    const { stdout, stderr } = await sh.call(`kubectl -n ${space} get pod smoke-volume -o jsonpath={.status.phase}`);
    return { stdout: "", stderr, exitCode: stripped(stdout) === "Running" ? 0 : 1 };
  });
  const script = "echo written > /data/proof && grep -q written /data/proof";
  await sh.run(`kubectl -n ${space} exec smoke-volume -- sh -c`, script);
}

async function proveLoadBalancer(sh: Script): Promise<void> {
  const path = "jsonpath={.status.loadBalancer.ingress[0].hostname}";
  let name = "";
  const named = async () => {
    name = stripped(await sh.loose(`kubectl -n ${space} get service smoke -o ${path}`));
    return name !== "";
  };
  await sh.askedFor(60, named, async () => {
    const about = "--field-selector involvedObject.name=smoke -o jsonpath={.items[-1:].message}";
    return `no load balancer for the smoke Service: ${stripped(await sh.loose(`kubectl -n ${space} get events ${about}`))}`;
  });
  const answers = () => sh.call(`curl -fsS -m 5 http://${name}/hostname`);
  await sh.untilTrue(450, `the internal load balancer ${name} answers`, answers);
}

/** The pods' network: the first pod is asked to reach all others. */
async function proveNetwork(sh: Script, isClosed: boolean, wanted: number): Promise<void> {
  const rollout = `kubectl -n ${space} rollout status daemonset/smoke --timeout=1s`;
  await sh.untilTrue(60, "a smoke pod runs on every node", () => sh.call(rollout));
  const addresses = readyIn(await sh.loose(smokePods));
  const [first = ""] = addresses;
  if (addresses.length !== wanted) sh.die(`${addresses.length} smoke pods have an address, ${wanted} nodes are there`);
  const end = await sh.moment(30);
  while (!isClosed && !(await noWayOut(sh, first))) {
    if (await sh.isOver(end))
      sh.die(`this node cannot reach the pod at ${first} to ask whether it gets out: is UDP 4789 open between the nodes?`);
    await sh.sleep(1);
  }
  for (const address of addresses) {
    if (!isAnswered(await dial(sh, first, address, 8080)))
      sh.die(`the pod at ${first} cannot reach the pod at ${address} on another node: is UDP 4789 open between the nodes?`);
  }
}

/** verify-cluster.sh */
export const verifyCluster: QuickScript = {
  hold: "shared",
  needs: ["controlPlanes", "workers", "volume", "loadBalancer", "smokeImage", "vpcCidr"],
  async run(sh) {
    const wanted = Number(sh.get("controlPlanes")) + Number(sh.get("workers"));
    const [volume, loadBalancer] = [sh.get("volume") === "true", sh.get("loadBalancer") === "true"];
    if (!(await sh.ok(`flock -x -w ${await sh.within(240)} 7`))) sh.die("another verification of this cluster is still running");
    await cleanUp(sh);
    await template(sh, "smoke-test");
    if (volume) await template(sh, "smoke-volume");
    if (loadBalancer) await template(sh, "smoke-load-balancer");
    const from = await firstPod(sh);
    const isClosed = from !== "" && (await noWayOut(sh, from));
    await settle(sh, 180, wanted);
    const before = await restarts(sh);
    await proveNetwork(sh, isClosed, wanted);
    if (volume) await proveVolume(sh);
    if (loadBalancer) await proveLoadBalancer(sh);
    if (!(await cleanUp(sh))) sh.die("the smoke test's namespace does not go away");
    if ((await restarts(sh)) !== before) {
      const said = head(ailing(await sh.loose(systemPods)), 3);
      sh.die(`a pod of kube-system restarted while the cluster was watched: ${said}`);
    }
    const pods = itemsOf(await sh.must("kubectl get pods -A -o json")).length;
    return { nodes: wanted, pods, volume, loadBalancer };
  },
};
