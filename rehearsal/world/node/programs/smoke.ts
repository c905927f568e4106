import type { Fabric } from "../../fabric-types.ts";
import { SimulationGap } from "../../service.ts";
import type { VirtualNode } from "../node.ts";
import { encapsulationOf, isPodReady, type Pod, pods } from "../workloads.ts";
import { type Reply, unreached } from "./reply.ts";

/** The port of the smoke test's manifest, and how long the image's /dial waits for one try. */
const smokePort = "8080";
const dialSeconds = 5;

const ok = (body: string, seconds = 0): Reply => ({ outcome: "open", status: 200, body, seconds });

/** Whether a packet gets from one node's pod network to another's. */
function reaches(node: VirtualNode, fabric: Fabric, from: string, pod: Pod): boolean {
  if (node.cluster === null || !isPodReady(node.cluster, pod)) return false;
  if (pod.member.node.podsAnswerAt > node.cluster.now()) return false;
  const encapsulation = encapsulationOf(node.cluster);
  const overlay = fabric as Fabric & {
    podReachable(from: string, to: string, overlay: { encapsulation: typeof encapsulation }): boolean;
  };
  return overlay.podReachable(from, pod.member.node.instance.id, { encapsulation });
}

/** The smoke pods' web server, at a pod's address or behind a load balancer: `/hostname`, and `/dial`, by which one pod asks another. */
export function smoke(node: VirtualNode, fabric: Fabric, url: URL): Reply {
  const all = node.cluster === null ? [] : pods(node.cluster, (_, { hostNetwork }) => hostNetwork !== true);
  const podAt = (address: string) => all.find((pod) => pod.address === address && pod.spec.hostNetwork !== true);
  const asked = podAt(url.hostname);
  if (asked === undefined) return balanced(node, fabric, url);
  if (url.port !== smokePort) throw new SimulationGap(`port ${url.port} of the smoke pod is not modelled`);
  if (!reaches(node, fabric, node.instance.id, asked)) return unreached("timeout");
  if (url.pathname === "/hostname") return ok(`${asked.name}\n`);
  const { host = "", port = "", ...question } = Object.fromEntries(url.searchParams);
  if (url.pathname !== "/dial" || JSON.stringify(question) !== '{"request":"hostname","protocol":"http","tries":"1"}')
    throw new SimulationGap(`the smoke image's ${url.pathname}${url.search} is not modelled`);
  const other = podAt(host);
  const from = asked.member.node.instance.id;
  const isReached =
    other === undefined
      ? fabric.connect(from, host, Number(port)) === "open"
      : port === smokePort && reaches(node, fabric, from, other);
  return isReached
    ? ok(JSON.stringify({ responses: [other?.name ?? host] }))
    : ok(JSON.stringify({ errors: ["dial: i/o timeout"] }), dialSeconds);
}

function balanced(node: VirtualNode, fabric: Fabric, { hostname, port, pathname }: URL): Reply {
  if (pathname !== "/hostname") throw new SimulationGap(`${pathname} behind a load balancer is not modelled`);
  const [address] = fabric.resolve(node.instance.id, hostname);
  if (address === undefined) return unreached("unresolved");
  const outcome = fabric.connect(node.instance.id, address, Number(port || 80));
  return outcome === "open" ? ok("smoke\n") : unreached(outcome);
}
