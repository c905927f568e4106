import type { Draws } from "./draws.ts";

/** What an image archive weighs, by its reference. */
export type Weigh = (ref: string) => number;

/** Until an agent that was just started has registered, seconds: the world's least. */
const registerSeconds = 5;
/** A volume, from claim to mounted (facts 9, row 34), and the least an attempt to get out takes to time out (scripts/node/probe-isolation.sh). */
const volumeSeconds = 12;
const egressSeconds = 5;

const network = (draws: Draws): number => draws.max("vpc.create", "10.40") + draws.max("subnet.create", "10.40");

/** From the request for an endpoint until its private name answers; the slowest one. */
const endpoints = (draws: Draws): number =>
  Math.max(
    draws.max("vpcEndpoint.gateway.available"),
    ...draws
      .subjects("vpcEndpoint.interface.available")
      .map(
        (service) =>
          draws.of("vpcEndpoint.interface.available", service) + draws.of("vpcEndpoint.privateDns.resolvable", service),
      ),
  );

/** Download and import of every image a node takes, one after another. */
function preload(draws: Draws, node: string, weigh: Weigh): number {
  const downloads = draws
    .subjects("s3.download.secondsPerGiB", node)
    .reduce((sum, subject) => sum + (draws.of("s3.download.secondsPerGiB", subject) * weigh(subject)) / 2 ** 30, 0);
  const imports = draws
    .subjects("image.import.secondsPer100MB", node)
    .reduce((sum, subject) => sum + (draws.of("image.import.secondsPer100MB", subject) * weigh(subject)) / 1e8, 0);
  return downloads + imports;
}

const agent = (draws: Draws, node: string, endpointsAt: number, launchedAt: number): number => {
  const running = launchedAt + draws.of("ec2.instance.running", node);
  return Math.max(
    endpointsAt + registerSeconds,
    running + draws.of("ssm.agent.online", node),
    running + draws.of("ec2.instance.userspace", node) + registerSeconds,
  );
};

interface Nodes {
  readonly first: string;
  readonly planes: readonly string[];
  readonly workers: readonly string[];
}

function nodesOf(draws: Draws): Nodes {
  const planes = draws.subjects("ec2.instance.running", "control-plane").sort();
  return { first: planes[0] ?? "", planes, workers: draws.subjects("ec2.instance.running", "worker") };
}

/** One way of a command: from being asked for to its script, or from the script's end to Run Command knowing it. */
const oneWay = (draws: Draws, document: string, node: string): number =>
  draws.of("ssm.command.roundTrip", `cloister-${document}/${node}`) / 2;

/** From joined to a node whose system pods run: whichever of its network plugin, its cloud data and its storage plugin is last. */
const settling = (draws: Draws, node: string): number =>
  Math.max(
    draws.of("ccm.nodeInitialised", node),
    // One of the two was drawn: the node joined after the network plugin was there, or before.
    draws.ofAny("node.readyAfterJoin", node),
    draws.ofAny("cni.nodeReady", node),
    draws.of("ebsCsi.rollout", "ebs-csi-node"),
  );

/**
 * The longest chain that no design can remove in which Run Command moves the work, from the same draws: every wait that depends on no
 * other runs beside it, nothing polls, nothing of ours takes time, the network is made in none. What is left of Run Command are the
 * fewest trips there can be when a command is sent to nodes that have what it needs: one that preloads and starts the first control
 * plane, one that joins (control planes one after another, as etcd takes them), one that proves. While nodes become ready the joins'
 * reports and the proof's delivery are under way; a volume and a try to get out go on beside whatever is still coming up.
 */
export function floor(draws: Draws, weigh: Weigh): number {
  const { first, planes, workers } = nodesOf(draws);
  const endpointsAt = endpoints(draws);
  const loaded = (node: string) =>
    agent(draws, node, endpointsAt, 0) + oneWay(draws, "preload-images", node) + preload(draws, node, weigh);
  const balancerAt = planes.length > 1 ? draws.max("nlb.active") : 0;
  const initAt = Math.max(loaded(first), balancerAt) + draws.of("kubeadm.init", first);
  const reportedAt = initAt + oneWay(draws, "kubeadm-init", first);

  const joined = (node: string, from: number, name: "kubeadm.join.worker" | "kubeadm.join.controlPlane") =>
    Math.max(from + oneWay(draws, "join", node), loaded(node)) + draws.of(name, node);
  const workersJoined = workers.map((node) => ({ node, at: joined(node, reportedAt, "kubeadm.join.worker") }));
  const inOrder = (order: readonly string[]): Joined[] => {
    let from = reportedAt;
    return order.map((node) => {
      const at = joined(node, from, "kubeadm.join.controlPlane");
      from = at + oneWay(draws, "join", node);
      return { node, at };
    });
  };

  const ready = ({ node, at }: Joined) => at + settling(draws, node);
  const firstAt = ready({ node: first, at: initAt });
  const controllerAt = initAt + draws.of("ebsCsi.rollout", "ebs-csi-controller");
  const volumeAt = Math.max(controllerAt, Math.min(...workersJoined.map(ready))) + volumeSeconds;
  const provedAfter = (joins: readonly Joined[]) => {
    const askedAt = Math.max(...joins.map(({ node, at }) => at + oneWay(draws, "join", node)));
    return Math.max(firstAt + egressSeconds, volumeAt, askedAt + oneWay(draws, "verify-cluster", first), ...joins.map(ready));
  };
  const ends = orders(planes.slice(1)).map((order) => provedAfter([...inOrder(order), ...workersJoined]));
  return Math.min(...ends) + oneWay(draws, "verify-cluster", first);
}

interface Joined {
  readonly node: string;
  readonly at: number;
}

/** Every order of a few: nothing says which control plane joins first. */
const orders = (nodes: readonly string[]): string[][] =>
  nodes.length === 0
    ? [[]]
    : nodes.flatMap((node) => orders(nodes.filter((other) => other !== node)).map((rest) => [node, ...rest]));

/** The article's order by one careful person with a script: nothing in parallel but what is asked for together, joins one by one. */
export function articleOrder(draws: Draws, weigh: Weigh): number {
  const { first, planes, workers } = nodesOf(draws);
  const all = [...planes, ...workers];
  const roundTrips =
    draws.sum("ssm.command.roundTrip", first) +
    workers.reduce((sum, node) => sum + draws.max("ssm.command.roundTrip", `join/${node}`), 0);
  const booted = Math.max(
    ...all.map(
      (node) =>
        draws.of("ec2.instance.running", node) +
        Math.max(draws.of("ssm.agent.online", node), draws.of("ec2.instance.userspace", node) + registerSeconds),
    ),
  );
  const joins =
    planes.slice(1).reduce((sum, node) => sum + draws.of("kubeadm.join.controlPlane", node), 0) +
    workers.reduce((sum, node) => sum + draws.of("kubeadm.join.worker", node) + draws.ofAny("node.readyAfterJoin", node), 0);
  return (
    network(draws) +
    endpoints(draws) +
    (planes.length > 1 ? draws.max("nlb.active") : 0) +
    booted +
    Math.max(...all.map((node) => preload(draws, node, weigh))) +
    draws.of("kubeadm.init", first) +
    draws.of("ccm.nodeInitialised", first) +
    draws.of("cni.nodeReady", first) +
    joins +
    draws.max("ebsCsi.rollout") +
    roundTrips +
    volumeSeconds +
    egressSeconds
  );
}
