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

/** From the last join to a proved cluster: a mounted volume, and an attempt to get out that timed out. */
const proof = volumeSeconds + egressSeconds;

/**
 * The longest chain that no design can remove, from the same draws: every wait that depends on no other runs beside it, every script is
 * one with its predecessor, nothing polls, nothing of ours takes time.
 */
export function floor(draws: Draws, weigh: Weigh): number {
  const { first, planes, workers } = nodesOf(draws);
  const networkAt = network(draws);
  const endpointsAt = networkAt + endpoints(draws);
  const online = (node: string) => agent(draws, node, endpointsAt, networkAt);
  const balancerAt = planes.length > 1 ? networkAt + draws.max("nlb.active") : 0;
  const initAt =
    Math.max(online(first) + preload(draws, first, weigh), balancerAt) +
    draws.of("kubeadm.init", first) +
    draws.of("kubeadm.token", first);
  const networkingAt = initAt + Math.max(draws.of("ccm.nodeInitialised", first), draws.of("cni.nodeReady", first));
  const planesAt = planes
    .slice(1)
    .reduce(
      (at, node) => Math.max(at, online(node) + preload(draws, node, weigh)) + draws.of("kubeadm.join.controlPlane", node),
      initAt,
    );
  const workerAt = (node: string) => {
    const joined = Math.max(initAt, online(node) + preload(draws, node, weigh)) + draws.of("kubeadm.join.worker", node);
    return joined + Math.max(draws.of("ccm.nodeInitialised", node), draws.of("node.readyAfterJoin", node));
  };
  const storageAt = initAt + draws.max("ebsCsi.rollout");
  return Math.max(networkingAt, planesAt, storageAt, ...workers.map(workerAt)) + proof;
}

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
    workers.reduce((sum, node) => sum + draws.of("kubeadm.join.worker", node) + draws.of("node.readyAfterJoin", node), 0);
  return (
    network(draws) +
    endpoints(draws) +
    (planes.length > 1 ? draws.max("nlb.active") : 0) +
    booted +
    Math.max(...all.map((node) => preload(draws, node, weigh))) +
    draws.of("kubeadm.init", first) +
    draws.of("kubeadm.token", first) +
    draws.of("ccm.nodeInitialised", first) +
    draws.of("cni.nodeReady", first) +
    joins +
    draws.max("ebsCsi.rollout") +
    roundTrips +
    proof
  );
}
