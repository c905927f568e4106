import type { Fabric } from "../../fabric-types.ts";
import { SimulationGap } from "../../service.ts";
import type { VirtualNode } from "../node.ts";
import type { Answer, Call, Program } from "../shell.ts";
import { type Line, program } from "./command-line.ts";
import { type Reply, unreached } from "./reply.ts";
import { smoke } from "./smoke.ts";

/** What curl's exit code says besides 0: no such host, refused, an HTTP error with -f, timed out. */
const exit = { unresolved: 6, refused: 7, http: 22, timeout: 28 } as const;

export const getent = (node: VirtualNode, fabric: Fabric): Program =>
  program("getent", {
    ahostsv4: {
      words: 1,
      run({ words: [name = ""] }) {
        const addresses = fabric.resolve(node.instance.id, name);
        return addresses.length === 0
          ? { exitCode: 2 }
          : { stdout: addresses.map((address) => `${address} STREAM ${name}\n`).join("") };
      },
    },
  });

const metadataHost = "169.254.169.254";
const metadataToken = "imds-token";
const tokenHeader = `X-aws-ec2-metadata-token: ${metadataToken}`;
const tokenTimeHeader = "X-aws-ec2-metadata-token-ttl-seconds: 60";

/** curl: instance metadata version 2, a connection to port 443 of a name or an address, and the smoke test's pods. */
export function curl(node: VirtualNode, fabric: Fabric): Program {
  const ask = async (line: Line, url: URL): Promise<Reply> => {
    if (url.hostname === metadataHost) return metadata(node, line, url);
    if (line.has("-X") || line.has("-H")) throw new SimulationGap(`curl -X or -H to ${url.hostname} is not modelled`);
    return url.protocol === "https:" || url.port === "443" ? connection(node, fabric, url) : smoke(node, fabric, url);
  };
  return program("curl", {
    "": {
      flags: "-s! -f -S -k -Z -o:/dev/null -w: -m: --connect-timeout: -X:PUT -H:",
      words: [1, 9],
      async run(line, call) {
        if (!line.has("-Z") && line.words.length > 1) throw new SimulationGap("curl with more than one URL and no -Z");
        const urls = line.words.map((word) => new URL(word));
        const replies = await Promise.all(urls.map((url) => ask(line, url)));
        await patience(line, call, replies);
        const answers = replies.map((reply, index) => answer(line, reply, line.words[index] ?? ""));
        return {
          stdout: answers.map(({ stdout = "" }) => stdout).join(""),
          stderr: answers.map(({ stderr = "" }) => stderr).join(""),
          exitCode: answers.findLast(({ exitCode = 0 }) => exitCode !== 0)?.exitCode ?? 0,
        };
      },
    },
  });
}

/** Transfers that get no answer last as long as the caller lets them, all at the same time; one that is slow lasts its own time. */
async function patience(line: Line, { sleep }: Call, replies: readonly Reply[]): Promise<void> {
  const limits = [line.get("-m"), line.get("--connect-timeout")].flatMap((text) => (text === undefined ? [] : [Number(text)]));
  // curl's own limit for connecting is five minutes: no script of ours may rest on it.
  if (limits.length === 0 || !limits.every((limit) => limit > 0)) throw new SimulationGap("curl without a time limit");
  const waited = replies.map(({ outcome, seconds }) => (outcome === "timeout" ? Math.min(...limits) : seconds));
  const longest = Math.max(...waited);
  if (longest > 0) await sleep(longest);
}

function answer(line: Line, { outcome, status, body }: Reply, target: string): Answer {
  const isOpen = outcome === "open";
  const text = line.get("-w") ?? "";
  // What AWS's and other names say over TLS is not modelled, only whether they take a connection.
  if (isOpen && status === null && (line.has("-f") || !line.has("-o") || text.includes("%{http_code}")))
    throw new SimulationGap(`what ${target} answers is not modelled`);
  const said = written(text, {
    http_code: String(status ?? 0).padStart(3, "0"),
    url_effective: target,
    time_connect: isOpen ? "0.012345" : "0.000000",
  });
  const isError = isOpen && line.has("-f") && (status ?? 0) >= 400;
  const exitCode = isError ? exit.http : isOpen ? 0 : exit[outcome];
  const why = isError ? `The requested URL returned error: ${status}` : `${target}: ${outcome}`;
  return {
    stdout: `${line.has("-o") || isError ? "" : body}${said}`,
    stderr: exitCode !== 0 && line.has("-S") ? `curl: (${exitCode}) ${why}\n` : "",
    exitCode,
  };
}

/** `-w`: its variables and line ends. */
const written = (format: string, variables: Readonly<Record<string, string>>): string =>
  format.replaceAll("\\n", "\n").replaceAll(/%\{(\w+)\}/g, (_, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new SimulationGap(`curl -w %{${name}} is not modelled`);
    return value;
  });

/** Whether a host, by name or by address, takes a connection on the port of TLS. */
function connection(node: VirtualNode, fabric: Fabric, { hostname, port }: URL): Reply {
  const [address] = /^[\d.]+$/.test(hostname) ? [hostname] : fabric.resolve(node.instance.id, hostname);
  if (address === undefined) return unreached("unresolved");
  const outcome = fabric.connect(node.instance.id, address, Number(port || 443));
  return outcome === "open" ? { outcome, status: null, body: "", seconds: 0 } : unreached(outcome);
}

/** Version 2: a PUT that says how long the token is to live gives one, and a read shows it (facts 5.8). */
function metadata({ instance }: VirtualNode, line: Line, { pathname }: URL): Reply {
  const http = (status: number, body = ""): Reply => ({ outcome: "open", status, body, seconds: 0 });
  const headers = line.all("-H");
  const strange = headers.find((header) => header !== tokenTimeHeader && !header.startsWith("X-aws-ec2-metadata-token: "));
  if (strange !== undefined) throw new SimulationGap(`the header ${strange} is not modelled`);
  if (pathname === "/latest/api/token") {
    if (!line.has("-X")) throw new SimulationGap(`a GET of ${pathname} is not modelled`);
    return headers.includes(tokenTimeHeader) ? http(200, metadataToken) : http(400);
  }
  if (line.has("-X")) throw new SimulationGap(`a PUT of ${pathname} is not modelled`);
  const isShown = headers.includes(tokenHeader);
  if (!isShown && (headers.length > 0 || instance.metadata.tokens === "required")) return http(401);
  const fact = {
    "/latest/meta-data/local-hostname": instance.privateDnsName,
    "/latest/meta-data/local-ipv4": instance.address,
    "/latest/meta-data/instance-id": instance.id,
  }[pathname];
  if (fact === undefined) throw new SimulationGap(`instance metadata ${pathname} is not modelled`);
  return http(200, fact);
}
