import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { machineText } from "../rehearsal/lambdas.ts";
import { type Act, PrologueError, rehearse } from "../rehearsal/rehearse.ts";
import { LiveView } from "../rehearsal/report/live.ts";
import { reportPage } from "../rehearsal/report/page.ts";
import { costsOf, summary } from "../rehearsal/report/summary.ts";
import type { Rehearsal } from "../rehearsal/result.ts";
import type { Definition } from "../rehearsal/world/asl/definition.ts";
import { type FaultRule, faultRuleText, readFaultRule } from "../rehearsal/world/fault-rule.ts";
import { readRequest, screen, UsageError, usage, wholeNumber } from "./options.ts";

const help = `Usage: npm start -- [options]              rehearses a build
       npm run destroy -- [NAME] [options] builds NAME, then rehearses its destruction
       npm run rebuild -- [NAME] [options] builds NAME, then rehearses its rebuilding: the next generation beside the old one
       npm run resume -- [NAME] [options]  makes a build of NAME fail by a --fault and keeps it, then resumes it

The shipped state machines, handlers and node scripts run against a virtual AWS, in virtual time.

  --request FILE    the request, JSON or YAML (default statemachine/examples/orchid.json)
  --workers N       overrides the request's number of workers
  --seed N          the chance behind every duration (default 1)
  --fault RULE      fails a call: OPERATION:CODE[:NTH][:after], such as RunInstances:InsufficientInstanceCapacity:1;
                    NTH counts the operation's calls from 1, "after" lets it take effect and loses the answer; repeatable.
                    STATE/OPERATION:... counts one state's calls; CODE:NTH:lasting outlasts the SDK's retries, CODE:NTH:kill ends
                    the Lambda that calls (Lambda.Unknown, Runtime.ExitError, Sandbox.Timedout), CODE:NTH:orphan ends its state and
                    lets it go on (Lambda.Unknown, States.Timeout, Execution.Stopped, in a Parallel also Branch.Stopped)
  --unbuilt         destroy alone: builds nothing first, as if the name were unknown
  --report FILE     the report page (default out/rehearsal.html)
  --json            prints one JSON object and nothing else
  --help            this text

Exit: 0 the cluster is ready, or gone; 1 it failed, and said why; 2 the request or the options are wrong.`;

interface Options {
  readonly act: Act;
  readonly isUnbuilt: boolean;
  readonly request: unknown;
  readonly seed: number;
  readonly faults: readonly FaultRule[];
  readonly report: string;
  readonly isJson: boolean;
}

const acts: readonly string[] = ["build", "destroy", "rebuild", "resume"] satisfies Act[];

function readOptions([first = "", ...others]: readonly string[]): Options | "help" {
  // `npm start` names no act; the other commands of package.json name theirs before anything else.
  const isNamed = acts.includes(first);
  const act = isNamed ? (first as Act) : "build";
  const args = isNamed || first === "" ? others : [first, ...others];
  const options = {
    request: { type: "string" },
    workers: { type: "string" },
    seed: { type: "string", default: "1" },
    fault: { type: "string", multiple: true, default: [] as string[] },
    report: { type: "string", default: "out/rehearsal.html" },
    unbuilt: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  } as const;
  const { values, positionals } = usage(() =>
    parseArgs({ args: [...args], options, strict: true, allowPositionals: act !== "build" }),
  );
  if (values.help) return "help";
  if (positionals.length > 1) throw new UsageError(`one NAME, not ${positionals.join(" ")}`);
  if (values.unbuilt && act !== "destroy") throw new UsageError("--unbuilt is for destroy alone");
  const file = values.request ?? fileURLToPath(new URL("../statemachine/examples/orchid.json", import.meta.url));
  return {
    act,
    isUnbuilt: values.unbuilt,
    request: withName(withWorkers(readRequest(file), values.workers), positionals[0]),
    seed: wholeNumber("--seed", values.seed),
    faults: values.fault.map(readFault),
    report: values.report,
    isJson: values.json,
  };
}

function withWorkers(request: unknown, count: string | undefined): unknown {
  if (count === undefined) return request;
  if (typeof request !== "object" || request === null || Array.isArray(request))
    throw new UsageError("--workers wants a request that is an object");
  const { workers, ...rest } = request as { workers?: object };
  return { ...rest, workers: { ...workers, count: wholeNumber("--workers", count) } };
}

function withName(request: unknown, name: string | undefined): unknown {
  return name === undefined ? request : { ...(request as object), name };
}

/** `RunInstances:InsufficientInstanceCapacity:2:after`. */
function readFault(text: string): FaultRule {
  const rule = readFaultRule(text);
  if (rule === null) throw new UsageError(`--fault wants OPERATION:CODE[:NTH][:after], not ${text}`);
  if (rule.nth < 1) throw new UsageError(`--fault counts calls from 1, not ${rule.nth}: ${text}`);
  return rule;
}

/** A rule that met no call proves nothing about the build; a misspelt operation would look like resilience. */
function warnOfIdleFaults(faults: readonly FaultRule[], { callRecords }: Rehearsal): void {
  for (const rule of faults) {
    if (callRecords.some(({ struck }) => struck === rule)) continue;
    const { operation, state } = rule;
    const calls = callRecords.filter((call) => call.operation === operation && (state ?? call.site.state) === call.site.state);
    console.error(`Warning: --fault ${faultRuleText(rule)} never happened: ${operation} was called ${calls.length} times.`);
  }
}

function writeReport(file: string, rehearsal: Rehearsal): void {
  const definition = JSON.parse(machineText(rehearsal.execution.machine)) as Definition;
  const page = reportPage({ rehearsal, definition, cost: costsOf(rehearsal) });
  usage(() => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, page);
  }, `--report ${file}`);
}

const exitCodes = { ready: 0, destroyed: 0, failed: 1, refused: 2 } as const;

/** Tells of the build that came before the act. */
function onFirst(seconds: number, { status, error }: { readonly status: string; readonly error?: string }): void {
  const end = status === "SUCCEEDED" ? "it is ready" : `it failed with ${error} and is kept`;
  console.log(`First the cluster was built, in ${Math.round(seconds)} s of virtual time: ${end}.\n`);
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    console.log(help);
    return 0;
  }
  const { act, isUnbuilt, request, seed, faults, report, isJson } = options;
  const live = new LiveView(screen());
  const say = { onEvent: live.add.bind(live), onFirst };
  const rehearsal = await rehearse({ act, buildsFirst: !isUnbuilt, request, seed, faults, ...(!isJson && say) });
  writeReport(report, rehearsal);
  warnOfIdleFaults(faults, rehearsal);
  const { history: _history, callRecords: _callRecords, summary: _summary, ...printed } = rehearsal;
  if (isJson) console.log(JSON.stringify(printed));
  else console.log(summary(rehearsal, report).join("\n"));
  return exitCodes[rehearsal.status];
}

// Scripts of nodes that still run in virtual time hold real timers: the process ends when the story does.
try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError || error instanceof PrologueError)) throw error;
  console.error(`${error.message}\nSee npm start -- --help.`);
  process.exitCode = 2;
}
process.stdout.write("", () => process.exit());
