import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { readBundle } from "../rehearsal/bundle.ts";
import { labVersions, minorOf } from "../rehearsal/lab/binaries.ts";
import type { LabCheck } from "../rehearsal/lab/checks.ts";
import type { Engine } from "../rehearsal/lab/cloud/python.ts";
import { type Access, figures, type LabResult, runLab } from "../rehearsal/lab/course.ts";
import { labBundle } from "../rehearsal/lab/lab.ts";
import { lacking } from "../rehearsal/lab/needs.ts";
import { leftOut, runSuite } from "../rehearsal/lab/suite/suite.ts";
import { LiveView } from "../rehearsal/report/live.ts";
import { readRequest, screen, UsageError, usage, wholeNumber } from "./options.ts";

const help = `Usage: npm run lab -- [options]
       npm run lab -- test [--only WORDS] [--all]   takes away, breaks into, kills, rebuilds, makes three: everything that must be shown
       npm run lab -- prepare                       builds programs, images and the hosts' root, where they are not there yet

Builds a real cluster on this machine: the shipped state machine, handlers and node scripts against moto, isolated systemd hosts,
real Kubernetes and the real AWS cloud controller manager. Checks it, destroys it by the shipped machine, and leaves nothing behind.
Needs root. The first time it builds Kubernetes from source, which takes a quarter of an hour on two cores.

  --kubernetes X.Y  the minor to build (default: the newest that Cloister supports; each is built from source once)
  --request FILE    the request, JSON or YAML (default: one control plane, two workers, the lab's own network plugin)
  --bundle DIR      a folder with a bundle.json, as npm run bundle makes one (default: the lab's own images)
  --scale N         divides the waits between two looks, never a limit (default 4, of the test 10; 1 is what AWS sees)
  --engine WHICH    who interprets the state machines: own, or moto's interpreter (default own)
  --keep            keeps the cluster until Ctrl-C, its API on this machine's loopback and its kubeconfig in out/lab.kubeconfig
  --only WORDS      of the test, what has a matching name alone
  --all             of the test, also what takes minutes
  --json            prints one JSON object and nothing else
  --help            this text

Exit: 0 everything went well, 1 something failed, 2 the options are wrong or the machine lacks something.`;

function readOptions(args: readonly string[]) {
  const options = {
    request: { type: "string" },
    kubernetes: { type: "string" },
    bundle: { type: "string" },
    scale: { type: "string" },
    only: { type: "string", default: "" },
    all: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    engine: { type: "string", default: "own" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  } as const;
  const { values, positionals } = usage(() => parseArgs({ args: [...args], options, strict: true, allowPositionals: true }));
  if (values.help) return "help";
  const word = positionals.join(" ");
  if (word !== "" && word !== "test" && word !== "prepare") throw new UsageError(`${word}: there are test and prepare`);
  const isTest = word === "test";
  if (isTest && values.kubernetes !== undefined)
    throw new UsageError("--kubernetes: the test has a chapter for each, with --all");
  return {
    request: values.request === undefined ? null : readRequest(values.request),
    bundle: values.bundle ?? null,
    kubernetes: versionOf(values.kubernetes, values.bundle),
    scale: wholeNumber("--scale", values.scale ?? (isTest ? "10" : "4"), 1, 100),
    isTest,
    isPreparation: word === "prepare",
    isWhole: values.all,
    only: usage(() => new RegExp(values.only)),
    isKept: values.keep,
    engine: engineOf(values.engine),
    isJson: values.json,
  };
}

/** The version that a bundle is for; otherwise the wanted minor's, or the newest. */
function versionOf(minor: string | undefined, folder: string | undefined): string {
  if (minor !== undefined && folder !== undefined) throw new UsageError("--kubernetes: a bundle says itself which it is for");
  const offered = labVersions();
  const bundle = folder === undefined ? null : usage(() => readBundle(folder).kubernetes);
  const isIt = (version: string) => (bundle === null ? minor === undefined || minorOf(version) === minor : version === bundle);
  const version = offered.findLast(isIt);
  if (version === undefined) throw new UsageError(`Kubernetes ${minor ?? bundle}: the lab has ${offered.join(" and ")}`);
  return version;
}

function engineOf(word: string): Engine {
  if (word !== "own" && word !== "moto") throw new UsageError(`--engine ${word}: own or moto`);
  return word;
}

const mark = ({ name, passed, evidence }: LabCheck): string =>
  `  ${passed ? "✓" : "✗"} ${name.padEnd(36)} ${evidence.split("\n")[0]}`;

function report(result: LabResult): string[] {
  const { checks } = result;
  const failed = checks.filter(({ passed }) => !passed).length;
  const logs = failed === 0 ? [] : ["Logs          out/lab"];
  return [
    "",
    ...checks.map(mark),
    ...logs,
    `Figures       ${figures(result)}`,
    `${checks.length - failed} passed, ${failed} failed`,
  ];
}

async function test({ scale, only, isWhole }: { scale: number; only: RegExp; isWhole: boolean }): Promise<number> {
  const controller = new AbortController();
  const { signal } = controller;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => controller.abort());
  const began = performance.now();
  const options = { scale, only, isWhole, signal, logs: "out/lab", say: (line: string) => console.error(line) };
  const checks = await runSuite(options, (check) => console.log(mark(check)));
  const failed = checks.filter(({ passed }) => !passed).length;
  const skipped = leftOut(options);
  if (skipped.length > 0) console.log(`Only with --all: ${skipped.join("; ")}`);
  console.log(`Time          ${Math.round((performance.now() - began) / 1000)} s, waits divided by ${scale}`);
  console.log(`${checks.length - failed} passed, ${failed} failed, ${skipped.length} skipped`);
  return failed === 0 && checks.length > 0 && !signal.aborted ? 0 : 1;
}

/** How to use a kept cluster, and how to end it: on stderr, so that --json stays one object. */
async function showAccess({ kubeconfig, kubectl }: Access): Promise<void> {
  mkdirSync("out", { recursive: true });
  writeFileSync("out/lab.kubeconfig", kubeconfig, { mode: 0o600 });
  console.error(`\n${kubectl} --kubeconfig out/lab.kubeconfig get nodes\nCtrl-C destroys the cluster and ends the lab.`);
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    console.log(help);
    return 0;
  }
  const missing = lacking();
  if (missing.length > 0) throw new UsageError(missing.join("\n"));
  if (options.isTest) return test(options);
  if (options.isPreparation) {
    await labBundle({ ...options, say: (line) => console.error(line) });
    return 0;
  }
  const { isJson, isKept } = options;
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
    ...(isKept ? { onKept: showAccess } : {}),
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
