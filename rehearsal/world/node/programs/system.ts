import { createHash } from "node:crypto";
import { SimulationGap } from "../../service.ts";
import type { VirtualNode } from "../node.ts";
import type { Answer, Call, Program } from "../shell.ts";

const nothing: Program = () => ({});

/** `umask`, `flock`, `mktemp`, `sleep`, `date`, `systemctl`: what the interpreter lacks, or what must follow the virtual clock. */
export function systemPrograms(node: VirtualNode, startAgent: () => void): Readonly<Record<string, Program>> {
  let folders = 0;
  return {
    umask: nothing,
    // A trap tidies up after a script; nothing here is left to tidy.
    trap: nothing,
    flock,
    mktemp: async ({ args: [flag, template = ""] }) => {
      if (flag !== "-d") throw new SimulationGap("mktemp of a file is not modelled");
      const path = template.replace(/X+$/, String(++folders).padStart(6, "0"));
      await node.shell.fs.mkdir(path, { recursive: true });
      return { stdout: `${path}\n` };
    },
    sleep: async ({ args, sleep }) => {
      await sleep(Number(args[0]));
      return {};
    },
    date: ({ args }) => date(args, node.universe.clock.now()),
    systemctl: ({ args }) => {
      const unit = args.at(-1) ?? "";
      if (unit.startsWith("snap.")) return { stderr: `Unit ${unit} not found\n`, exitCode: 1 };
      if (unit === "amazon-ssm-agent" && args.includes("enable")) startAgent();
      else throw new SimulationGap(`systemctl ${args.join(" ")} is not modelled`);
      return {};
    },
    openssl: ({ args, stdin }) => openssl(node, args, stdin),
  };
}

/** `-x` or `-s`, with `-w SECONDS`, and `-u`; the file by its descriptor. */
export async function flock({ args, lock, unlock }: Call): Promise<Answer> {
  const [mode = "", ...rest] = args;
  const descriptor = rest.at(-1) ?? "";
  if (mode === "-u") {
    unlock(descriptor);
    return {};
  }
  if (!["-x", "-s"].includes(mode) || rest[0] !== "-w") throw new SimulationGap(`flock ${args.join(" ")} is not modelled`);
  return (await lock({ descriptor, isShared: mode === "-s", seconds: Number(rest[1]) })) ? {} : { exitCode: 1 };
}

function date(args: readonly string[], now: number): Answer {
  const at = args.indexOf("-d");
  const time = at === -1 ? now : Date.parse(args[at + 1] ?? "");
  const format = args.find((argument) => argument.startsWith("+"));
  if (format !== "+%Y-%m-%dT%H:%M:%SZ" || Number.isNaN(time)) throw new SimulationGap(`date ${args.join(" ")} is not modelled`);
  return { stdout: `${new Date(time).toISOString().replace(/\.\d+Z$/, "Z")}\n` };
}

/** The three calls that make a CA's hash, and the one that reads when a certificate ends. */
async function openssl(node: VirtualNode, args: readonly string[], stdin: string): Promise<Answer> {
  const line = args.join(" ");
  if (line.startsWith("x509 -pubkey -noout -in ")) {
    const text = await node.shell.read(args.at(-1) ?? "");
    return text === null ? { stderr: `Could not open file ${args.at(-1)}\n`, exitCode: 1 } : { stdout: text };
  }
  if (line === "pkey -pubin -outform der") return { stdout: stdin };
  if (line === "dgst -sha256 -hex") return { stdout: `SHA2-256(stdin)= ${createHash("sha256").update(stdin).digest("hex")}\n` };
  if (line === "x509 -noout -enddate") {
    const ends = /notAfter=(\S+)/.exec(stdin)?.[1];
    return ends === undefined ? { stderr: "Could not read certificate\n", exitCode: 1 } : { stdout: `notAfter=${ends}\n` };
  }
  throw new SimulationGap(`openssl ${line} is not modelled`);
}
