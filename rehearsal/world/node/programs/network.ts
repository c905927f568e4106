import type { Fabric } from "../../fabric-types.ts";
import { SimulationGap } from "../../service.ts";
import type { VirtualNode } from "../node.ts";
import type { Answer, Call, Program } from "../shell.ts";
import { encapsulationOf, isPodReady, type Pod, pods } from "../workloads.ts";

/** What curl does besides: 28 timed out, 7 refused, 6 no such host, 22 an HTTP error with -f. */
const exit = { timeout: 28, refused: 7, unresolved: 6, http: 22 } as const;

const value = (args: readonly string[], name: string): string | undefined => {
  const at = args.indexOf(name);
  return at === -1 ? undefined : args[at + 1];
};

export const getent =
  (node: VirtualNode, fabric: Fabric): Program =>
  ({ args: [database, name = ""] }): Answer => {
    if (database !== "ahostsv4") throw new SimulationGap(`getent ${database} is not modelled`);
    const addresses = fabric.resolve(node.instance.id, name);
    return addresses.length === 0
      ? { exitCode: 2 }
      : { stdout: addresses.map((address) => `${address} STREAM ${name}\n`).join("") };
  };

const metadataHost = "169.254.169.254";
const metadataToken = "imds-token";

/** What becomes of a connection to a URL's host, by name or by address. */
function connection(
  node: VirtualNode,
  fabric: Fabric,
  { hostname, protocol, port }: URL,
): ReturnType<Fabric["connect"]> | "unresolved" {
  const [address] = /^[\d.]+$/.test(hostname) ? [hostname] : fabric.resolve(node.instance.id, hostname);
  if (address === undefined) return "unresolved";
  return fabric.connect(node.instance.id, address, protocol === "https:" ? 443 : Number(port || 80));
}

/** curl: instance metadata version 2, TLS to a name or an address, and the smoke test's pods. */
export function curl(node: VirtualNode, fabric: Fabric): Program {
  return async (call) => {
    if (call.args.includes("-Z")) return inParallel(node, fabric, call);
    const url = new URL(call.args.find((argument) => /^https?:\/\//.test(argument)) ?? "http://none/");
    const limit = Number(value(call.args, "--connect-timeout") ?? value(call.args, "-m") ?? 60);
    if (url.hostname === metadataHost) return metadata(node, call, url);
    if (url.port === "8080" || url.pathname === "/hostname") return smoke(node, fabric, call, url);
    const outcome = connection(node, fabric, url);
    if (outcome === "timeout") await call.sleep(limit);
    if (outcome === "open") return { stdout: "" };
    const said = outcome === "unresolved" ? `Could not resolve host: ${url.hostname}` : outcome;
    return { stderr: `curl: (${exit[outcome]}) ${said}\n`, exitCode: exit[outcome] };
  };
}

/** `-Z`: all at once. Each transfer that ends says its URL and, where a connection came about, in how many seconds. */
async function inParallel(node: VirtualNode, fabric: Fabric, { args, sleep }: Call): Promise<Answer> {
  if (value(args, "-w") !== "%{url_effective} %{time_connect}\\n")
    throw new SimulationGap("curl -Z with another -w is not modelled");
  const outcomes = args
    .filter((argument) => /^https?:\/\//.test(argument))
    .map((target) => ({ target, outcome: connection(node, fabric, new URL(target)) }));
  if (outcomes.some(({ outcome }) => outcome === "timeout")) await sleep(Number(value(args, "--connect-timeout") ?? 60));
  const failed = outcomes.map(({ outcome }) => outcome).findLast((outcome) => outcome !== "open");
  return {
    stdout: outcomes.map(({ target, outcome }) => `${target} ${outcome === "open" ? "0.012345" : "0.000000"}\n`).join(""),
    exitCode: failed === undefined ? 0 : exit[failed],
  };
}

function metadata(node: VirtualNode, { args }: Call, url: URL): Answer {
  const { instance } = node;
  if (value(args, "-X") === "PUT") return { stdout: metadataToken };
  const isKnown = args.includes(`X-aws-ec2-metadata-token: ${metadataToken}`);
  if (!isKnown && instance.metadata.tokens === "required")
    return {
      stdout: value(args, "-w") === "%{http_code}" ? "401" : "",
      exitCode: args.some((argument) => /^-[a-z]*f/.test(argument)) ? exit.http : 0,
    };
  const path = url.pathname.replace("/latest/meta-data/", "");
  const facts: Readonly<Record<string, string>> = {
    "local-hostname": instance.privateDnsName,
    "local-ipv4": instance.address,
    "instance-id": instance.id,
  };
  const fact = facts[path];
  if (fact === undefined) throw new SimulationGap(`instance metadata ${path} is not modelled`);
  return { stdout: value(args, "-w") === "%{http_code}" ? "200" : fact };
}

/** Whether a packet gets from one node's pod network to another's. */
function reaches(node: VirtualNode, fabric: Fabric, from: string, pod: Pod): boolean {
  if (node.cluster === null || !isPodReady(node.cluster, pod)) return false;
  const encapsulation = encapsulationOf(node.cluster);
  const overlay = fabric as Fabric & {
    podReachable(from: string, to: string, overlay: { encapsulation: typeof encapsulation }): boolean;
  };
  return overlay.podReachable(from, pod.member.node.instance.id, { encapsulation });
}

/** The smoke pods' web server: `/hostname`, and `/dial`, by which one pod asks another. */
async function smoke(node: VirtualNode, fabric: Fabric, { sleep }: Call, url: URL): Promise<Answer> {
  const all = node.cluster === null ? [] : pods(node.cluster);
  const asked = all.find(({ address, spec }) => address === url.hostname && spec.hostNetwork !== true);
  if (asked === undefined) return balanced(node, fabric, url, sleep);
  if (!reaches(node, fabric, node.instance.id, asked)) return timedOut(sleep);
  if (url.pathname === "/hostname") return { stdout: `${asked.name}\n` };
  if (url.pathname !== "/dial") throw new SimulationGap(`the smoke image has no ${url.pathname}`);
  const host = url.searchParams.get("host") ?? "";
  const other = all.find(({ address, spec }) => address === host && spec.hostNetwork !== true);
  const from = asked.member.node.instance.id;
  const isReached =
    other === undefined
      ? fabric.connect(from, host, Number(url.searchParams.get("port"))) === "open"
      : reaches(node, fabric, from, other);
  if (isReached) return { stdout: JSON.stringify({ responses: [other?.name ?? host] }) };
  await sleep(5);
  return { stdout: JSON.stringify({ errors: ["dial: i/o timeout"] }) };
}

async function timedOut(sleep: Call["sleep"]): Promise<Answer> {
  await sleep(10);
  return { stderr: "curl: (28) Connection timed out\n", exitCode: exit.timeout };
}

async function balanced(node: VirtualNode, fabric: Fabric, url: URL, sleep: Call["sleep"]): Promise<Answer> {
  const [address] = fabric.resolve(node.instance.id, url.hostname);
  if (address === undefined) return { stderr: "curl: (6) Could not resolve host\n", exitCode: exit.unresolved };
  return fabric.connect(node.instance.id, address, 80) === "open" ? { stdout: "smoke\n" } : timedOut(sleep);
}
