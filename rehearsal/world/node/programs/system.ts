import { createHash } from "node:crypto";
import { SimulationGap } from "../../service.ts";
import type { VirtualNode } from "../node.ts";
import type { Answer, Program } from "../shell.ts";
import { type Command, fail, type Line, program } from "./command-line.ts";
import { readCertificate } from "./x509.ts";

const agentUnit = "amazon-ssm-agent";

/** `umask`, `flock`, `mktemp`, `sleep`, `date`, `systemctl`, `openssl`: what the interpreter lacks, or what must follow the virtual clock. */
export function systemPrograms(node: VirtualNode, startAgent: () => void): Readonly<Record<string, Program>> {
  let folders = 0;
  const alone = (name: string, command: Command): Record<string, Program> => ({ [name]: program(name, { "": command }) });
  return {
    ...alone("umask", { words: 1, run: ({ words: [mask] }) => only(mask === "077", `umask ${mask}`) }),
    // A trap tidies up after a script; nothing here is left to tidy.
    ...alone("trap", { words: 2, run: ({ words: [, signal] }) => only(signal === "EXIT", `trap on ${signal}`) }),
    flock,
    ...alone("mktemp", {
      flags: "-d!",
      words: 1,
      async run({ words: [template = ""] }) {
        const path = template.replace(/X+$/, String(++folders).padStart(6, "0"));
        await node.shell.makeFolder(path);
        return { stdout: `${path}\n` };
      },
    }),
    ...alone("sleep", {
      words: 1,
      async run({ words: [seconds] }, { sleep }) {
        await sleep(secondsOf(seconds));
        return {};
      },
    }),
    ...alone("date", { flags: "-u -d:", words: 1, run: (line) => date(line, node.universe.clock.now()) }),
    systemctl: program("systemctl", {
      // For the next boot, of which there is none here.
      enable: { words: 1, run: (line) => onAgent(line, "enable", () => {}) },
      restart: { words: 1, run: (line) => onAgent(line, "restart", startAgent) },
    }),
    openssl: openssl(node),
  };
}

/** The image has the agent as a package, not as a snap; no script has to do with another unit. */
function onAgent({ words: [unit = ""] }: Line, verb: string, act: () => void): Answer {
  if (unit.startsWith("snap.")) return fail(`Failed to ${verb} unit: Unit file ${unit}.service does not exist.`);
  if (unit !== agentUnit) throw new SimulationGap(`systemctl ${verb} ${unit} is not modelled`);
  act();
  return {};
}

/** Of `-x`, `-s` and `-u` one; the file by its descriptor. */
export const flock: Program = program("flock", {
  "": {
    flags: "-x -s -u -w:",
    words: 1,
    async run(line, { lock, unlock }) {
      const [descriptor = ""] = line.words;
      if (["-x", "-s", "-u"].filter((mode) => line.has(mode)).length !== 1)
        throw new SimulationGap("flock without one mode is not modelled");
      if (!line.has("-u"))
        return (await lock({ descriptor, isShared: line.has("-s"), seconds: secondsOf(line.get("-w")) })) ? {} : { exitCode: 1 };
      unlock(descriptor);
      return {};
    },
  },
});

function only(isKnown: boolean, what: string): Answer {
  if (!isKnown) throw new SimulationGap(`${what} is not modelled`);
  return {};
}

function secondsOf(text = ""): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new SimulationGap(`a time of ${text} is not modelled`);
  return Number(text);
}

function date(line: Line, now: number): Answer {
  const [format] = line.words;
  if (format === "+%s" && line.get("-d") === undefined) return { stdout: `${Math.floor(now / 1000)}\n` };
  if (format !== "+%Y-%m-%dT%H:%M:%SZ" || !line.has("-u")) throw new SimulationGap(`date ${format} is not modelled`);
  const text = line.get("-d");
  const time = text === undefined ? now : Date.parse(text);
  if (Number.isNaN(time)) return fail(`date: invalid date ‘${text}’`);
  return { stdout: `${new Date(time).toISOString().replace(/\.\d+Z$/, "Z")}\n` };
}

/** The three calls that make a CA's hash, and the one that reads when a certificate ends (facts 3.6). */
const openssl = (node: VirtualNode): Program =>
  program("openssl", {
    x509: {
      flags: "-noout! -pubkey -enddate -in:",
      async run(line, { stdin }) {
        if (line.has("-pubkey") === line.has("-enddate")) throw new SimulationGap("openssl x509 gives one thing here");
        const path = line.get("-in");
        const text = path === undefined ? stdin : await node.shell.read(path);
        if (text === null) return fail(`Could not open file or uri for loading certificate from ${path}`);
        if (line.has("-pubkey")) return { stdout: text };
        const ends = readCertificate(text)?.validTo;
        return ends === undefined ? fail("Could not find certificate from <stdin>") : { stdout: `notAfter=${ends}\n` };
      },
    },
    pkey: { flags: "-pubin! -outform!:der", run: (_, { stdin }) => ({ stdout: stdin }) },
    dgst: {
      flags: "-sha256! -hex!",
      run: (_, { stdin }) => ({ stdout: `SHA2-256(stdin)= ${createHash("sha256").update(stdin).digest("hex")}\n` }),
    },
  });
