import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { summaryOf } from "../rehearsal/reasons.ts";
import type { Violation } from "../rehearsal/simulate/auditor.ts";
import { type Case, casesOf, judge, scenes } from "../rehearsal/simulate/exhaustive.ts";
import { plantings } from "../rehearsal/simulate/plantings.ts";
import type { Verdict } from "../rehearsal/simulate/run.ts";
import { smallest } from "../rehearsal/simulate/shrink.ts";
import { storm } from "../rehearsal/simulate/storm.ts";
import type { HistoryEvent } from "../rehearsal/world/asl/history.ts";
import { type FaultRule, faultRuleText } from "../rehearsal/world/fault-rule.ts";
import { UsageError, wholeNumber } from "./options.ts";

const help = `Usage: npm run simulate -- [options]

Runs the shipped machines and handlers under faults against the virtual AWS, and checks the design's ten invariants at every step.

  --mode storm        whole lives of a cluster (builds, rebuilds, destroys, aborts, changes) under random faults (default)
  --mode exhaustive   a build, a re-run, a resume, a destroy, a rebuild, and each thing that is met on purpose (a bad request, a lost lock, what
                      a person does right before a sweep's destroy ...), once for every error code of every call, and for a Lambda's death
                      and orphan at each
  --executions N      storm: about so many state machine executions (default 2000)
  --from SEED         storm: the first life's seed (default 1)
  --seed N            storm: this one life
  --only TEXT         exhaustive: the cases whose name holds this text, such as "destroy DeleteNetwork/DeleteVpc"
  --share A/B         exhaustive: every Bth case, from the Ath on (counted from 0)
  --trace             prints every state that is entered or fails (with --seed or --only)
  --json              one JSON object
  --help              this text

Exit: 0 no invariant was broken, 1 one was, 2 the options are wrong.`;

/** One life or one case, as a worker reports it. */
interface Report {
  readonly name: string;
  /** The life's seed, or the case's place in the list. */
  readonly seed: number;
  readonly executions: number;
  readonly succeeded: number;
  readonly faults: number;
  readonly sites: readonly string[];
  readonly planted: Verdict["planted"];
  readonly reasons: Verdict["reasons"];
  readonly violations: readonly Violation[];
  readonly replay: string;
  /** The fewest faults that still break it. */
  readonly fewest: readonly string[];
}
interface Total {
  readonly sites: number;
}

const options = {
  mode: { type: "string", default: "storm" },
  executions: { type: "string", default: "2000" },
  from: { type: "string", default: "1" },
  seed: { type: "string" },
  only: { type: "string", default: "" },
  share: { type: "string", default: "0/1" },
  trace: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
  /** For this command's own children: prints reports, one a line. */
  worker: { type: "boolean", default: false },
} as const;

type Values = ReturnType<typeof readOptions>;

function readOptions(args: readonly string[]) {
  const { values } = (() => {
    try {
      return parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
    } catch (error) {
      throw new UsageError(error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
    }
  })();
  if (values.mode !== "storm" && values.mode !== "exhaustive")
    throw new UsageError(`--mode is storm or exhaustive, not ${values.mode}`);
  const [, first = "", every = ""] = /^(\d+)\/(\d+)$/.exec(values.share) ?? [];
  const share = { first: wholeNumber("--share", first), every: wholeNumber("--share", every, 1) };
  const seed = values.seed === undefined ? null : wholeNumber("--seed", values.seed);
  return {
    ...values,
    mode: values.mode as "storm" | "exhaustive",
    executions: wholeNumber("--executions", values.executions, 1),
    from: wholeNumber("--from", values.from),
    seed,
    share,
  };
}

const tracing = (isOn: boolean) => (isOn ? { trace: printEvent } : {});

function printEvent({ type, details, timestamp, execution }: HistoryEvent): void {
  if (!/StateEntered|Failed|TimedOut|Aborted|Succeeded$/.test(type) || type === "LambdaFunctionSucceeded") return;
  const what = details["name"] ?? details["error"] ?? "";
  const cause = typeof details["cause"] === "string" ? details["cause"].slice(0, 200) : "";
  console.error(
    `${new Date(timestamp).toISOString()}  ${execution.split(":").slice(-2).join(" ").padEnd(44)} ${type} ${what} ${cause}`,
  );
}

const caseName = ({ scene, rule }: Case): string => `${scene} ${faultRuleText(rule)}`;

async function life(seed: number, isTraced: boolean): Promise<Report> {
  const verdict = await storm(seed, undefined, tracing(isTraced).trace);
  const retell = (faults: readonly FaultRule[]) => storm(seed, faults);
  const fewest = verdict.violations.length === 0 ? [] : await smallest(verdict, retell);
  return reportOf(`life ${seed}`, seed, verdict, `npm run simulate -- --seed ${seed} --trace`, fewest);
}

async function oneCase(found: Case, place: number, isTraced: boolean): Promise<Report> {
  const name = caseName(found);
  const verdict = await judge(found, tracing(isTraced).trace);
  return reportOf(name, place, verdict, `npm run simulate -- --mode exhaustive --only "${name}" --trace`, [found.rule]);
}

const reportOf = (name: string, seed: number, verdict: Verdict, replay: string, fewest: readonly FaultRule[]): Report => ({
  name,
  seed,
  executions: verdict.executions,
  succeeded: verdict.succeeded,
  faults: verdict.faults.length,
  sites: [...new Set(verdict.faults.map(({ state = "", operation, nth }) => `${state}/${operation}:${nth}`))],
  planted: verdict.planted,
  reasons: verdict.reasons,
  violations: verdict.violations,
  replay,
  fewest: fewest.map(faultRuleText),
});

/** What this process tells: all of it, or a worker's part. Gives how many call sites there are. */
async function tellAll(values: Values, onReport: (report: Report) => void): Promise<Total> {
  if (values.mode === "storm") {
    const told = { executions: 0 };
    for (
      let seed = values.seed ?? values.from + values.share.first;
      told.executions < values.executions;
      seed += values.share.every
    ) {
      const report = await life(seed, values.trace && values.seed !== null);
      told.executions += report.executions;
      onReport(report);
      if (values.seed !== null) break;
    }
    return { sites: 0 };
  }
  const cases: Case[] = [];
  for (const scene of scenes) cases.push(...(await casesOf(scene)));
  const wanted = cases.flatMap((found, place) => (caseName(found).includes(values.only) ? [{ found, place }] : []));
  if (wanted.length === 0) throw new UsageError(`no case's name holds ${values.only}`);
  for (const { found, place } of wanted.filter((_, index) => index % values.share.every === values.share.first))
    onReport(await oneCase(found, place, values.trace));
  return { sites: new Set(cases.map(({ scene, rule }) => `${scene} ${rule.state}/${rule.operation}:${rule.nth}`)).size };
}

/** The same in as many processes as the machine has cores. */
async function tellInWorkers(values: Values, onReport: (report: Report) => void): Promise<Total> {
  const count = availableParallelism();
  const totals = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      // A share of a share: worker `index` of `count` takes every (every x count)th.
      const share = `${values.share.first + index * values.share.every}/${values.share.every * count}`;
      const args = ["--worker", "--mode", values.mode, "--share", share, "--from", String(values.from), "--only", values.only];
      const own = [...args, "--executions", String(Math.ceil(values.executions / count))];
      const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...own], { stdio: ["ignore", "pipe", "inherit"] });
      let total: Total | null = null;
      for await (const line of createInterface({ input: child.stdout })) {
        const said = JSON.parse(line) as { report?: Report; total?: Total };
        if (said.report !== undefined) onReport(said.report);
        total = said.total ?? total;
      }
      if (total === null) throw new Error(`worker ${index} ended before its work did`);
      return total;
    }),
  );
  return totals[0] ?? { sites: 0 };
}

async function main(): Promise<number> {
  const values = readOptions(process.argv.slice(2));
  if (values.help) {
    console.log(help);
    return 0;
  }
  if (values.worker) {
    const total = await tellAll(values, (report) => console.log(JSON.stringify({ report })));
    console.log(JSON.stringify({ total }));
    return 0;
  }
  const began = performance.now();
  const reports: Report[] = [];
  const isOne = values.seed !== null || values.only !== "" || values.trace;
  const onReport = (report: Report) => {
    reports.push(report);
    if (!values.json) progress(report, reports, began);
  };
  const { sites } = isOne ? await tellAll(values, onReport) : await tellInWorkers(values, onReport);
  const result = resultOf(values, reports, sites, (performance.now() - began) / 1000);
  console.log(values.json ? JSON.stringify(result) : lines(result).join("\n"));
  return result.violations.length === 0 ? 0 : 1;
}

const sum = (reports: readonly Report[], of: (report: Report) => number): number =>
  reports.reduce((total, report) => total + of(report), 0);

function progress(report: Report, reports: readonly Report[], began: number): void {
  for (const { invariant, detail, at } of report.violations) {
    console.log(`✗ ${report.name}: invariant ${invariant}, ${at}: ${detail}`);
    console.log(`  ${report.replay}\n  faults: ${report.fewest.join(" ")}`);
  }
  if (reports.length % 100 !== 0) return;
  const seconds = (performance.now() - began) / 1000;
  console.error(
    `${seconds.toFixed(0).padStart(5)} s  ${reports.length} told, ${sum(reports, ({ executions }) => executions)} executions`,
  );
}

function resultOf({ mode }: Values, reports: readonly Report[], sites: number, seconds: number) {
  const executions = sum(reports, (report) => report.executions);
  const succeeded = sum(reports, (report) => report.succeeded);
  const faulted = new Set(
    reports.flatMap(({ name, sites: met }) => met.map((site) => (mode === "storm" ? site : `${name.split(" ")[0]} ${site}`))),
  );
  return {
    mode,
    executions,
    faultsInjected: sum(reports, ({ faults }) => faults),
    succeeded,
    failedClean: executions - succeeded,
    violations: reports.flatMap(({ seed, violations, replay }) =>
      violations.map(({ invariant, detail }) => ({ seed, invariant, detail, replay })),
    ),
    executionsPerSecond: Math.round((executions / seconds) * 10) / 10,
    planted: Object.fromEntries(
      plantings.map((name) => [name, sum(reports, ({ planted }) => planted.filter((met) => met === name).length)]),
    ),
    // In a storm several faults may meet before one of them is named: it would not tell which.
    reasons: mode === "storm" ? null : summaryOf(reports.flatMap(({ reasons }) => reasons)),
    callSites: { total: mode === "storm" ? faulted.size : sites, faulted: faulted.size },
  };
}

const promptness = ({ faults, looksMax, medianSeconds, longestSeconds }: ReturnType<typeof summaryOf>): string =>
  `${faults} faults were the reason of a failure, named after ${medianSeconds.toFixed(1)} s of virtual time (median; ${longestSeconds.toFixed(1)} s at most), ${looksMax === 0 ? "by the look that they met" : `after ${looksMax} further looks at most`}`;

function lines(result: ReturnType<typeof resultOf>): string[] {
  const {
    mode,
    executions,
    faultsInjected,
    succeeded,
    failedClean,
    violations,
    executionsPerSecond,
    planted,
    reasons,
    callSites,
  } = result;
  return [
    `${mode}: ${executions} executions, ${faultsInjected} faults, ${succeeded} succeeded, ${failedClean} failed and said so`,
    `${executionsPerSecond} executions a second; faults at ${callSites.faulted} of ${callSites.total} call sites`,
    `met on purpose: ${Object.entries(planted)
      .map(([name, times]) => `${name} ${times}`)
      .join(", ")}`,
    ...(reasons === null ? [] : [promptness(reasons)]),
    violations.length === 0 ? "no invariant was broken" : `${violations.length} times an invariant was broken`,
  ];
}

// Scripts of nodes that still run in virtual time hold real timers: the process ends when the story does.
try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\nSee npm run simulate -- --help.`);
  process.exitCode = 2;
}
process.stdout.write("", () => process.exit());
