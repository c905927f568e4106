import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { LabCheck } from "../rehearsal/lab/checks.ts";
import { type LabResult, runLab } from "../rehearsal/lab/course.ts";
import { lacking } from "../rehearsal/lab/needs.ts";
import { LiveView } from "../rehearsal/report/live.ts";
import { readRequest, screen, UsageError, usage, wholeNumber } from "./options.ts";

const help = `Usage: npm run lab -- [options]

Builds a real cluster on this machine: the shipped state machine, handlers and node scripts against moto, isolated systemd hosts,
real Kubernetes and the real AWS cloud controller manager. Checks it, destroys it by the shipped machine, and leaves nothing behind.
Needs root. The first time it builds Kubernetes from source, which takes a quarter of an hour on two cores.

  --request FILE    the request, JSON or YAML (default: one control plane, two workers, the lab's own network plugin)
  --bundle DIR      a folder with a bundle.json, as npm run bundle makes one (default: the lab's own images)
  --scale N         divides the waits between two looks, never a limit (default 1)
  --keep            keeps the cluster until Ctrl-C, its API on this machine's loopback and its kubeconfig in out/lab.kubeconfig
  --json            prints one JSON object and nothing else
  --help            this text

Exit: 0 everything went well, 1 something failed, 2 the options are wrong or the machine lacks something.
Not there yet: test (ablations, breaches), --engine moto, other Kubernetes versions than the lab's.`;

function readOptions(args: readonly string[]) {
  const options = {
    request: { type: "string" },
    bundle: { type: "string" },
    scale: { type: "string", default: "1" },
    keep: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  } as const;
  const { values } = usage(() => parseArgs({ args: [...args], options, strict: true, allowPositionals: false }));
  if (values.help) return "help";
  return {
    request: values.request === undefined ? null : readRequest(values.request),
    bundle: values.bundle ?? null,
    scale: wholeNumber("--scale", values.scale, 1, 100),
    isKept: values.keep,
    isJson: values.json,
  };
}

const mark = ({ name, passed, evidence }: LabCheck): string =>
  `  ${passed ? "✓" : "✗"} ${name.padEnd(36)} ${evidence.split("\n")[0]}`;

function report({ checks, seconds }: LabResult): string[] {
  const failed = checks.filter(({ passed }) => !passed).length;
  const times = Object.entries(seconds).map(([what, took]) => `${what} ${took} s`);
  const logs = failed === 0 ? [] : ["Logs          out/lab"];
  return [
    "",
    ...checks.map(mark),
    ...logs,
    `Time          ${times.join(", ")}`,
    `${checks.length - failed} passed, ${failed} failed`,
  ];
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    console.log(help);
    return 0;
  }
  const missing = lacking();
  if (missing.length > 0) throw new UsageError(missing.join("\n"));
  const { isJson } = options;
  const say = (line: string) => console.error(line);
  let view = new LiveView(screen());
  const result = await runLab({
    ...options,
    logs: "out/lab",
    say: isJson ? () => {} : say,
    onEvent: (event) => isJson || view.add(event),
    onPart: (part) => {
      if (isJson) return;
      view = new LiveView(screen());
      console.log(`\n${part}`);
    },
    onKept: async ({ kubeconfig, kubectl }) => {
      mkdirSync("out", { recursive: true });
      writeFileSync("out/lab.kubeconfig", kubeconfig, { mode: 0o600 });
      if (!isJson)
        console.log(`\n${kubectl} --kubeconfig out/lab.kubeconfig get nodes\nCtrl-C destroys the cluster and ends the lab.`);
    },
  });
  if (isJson) console.log(JSON.stringify(result));
  else console.log(report(result).join("\n"));
  return result.checks.every(({ passed }) => passed) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\nSee npm run lab -- --help.`);
  process.exitCode = 2;
}
process.stdout.write("", () => process.exit());
