import { ListExecutionsCommand } from "@aws-sdk/client-sfn";
import { Option } from "commander";
import { describeExecutionByArn, startExecution } from "../../functions/aws/executions.ts";
import type { ClusterRecord } from "../../functions/domain/cluster-record.ts";
import { type ClusterName, ExecutionArn } from "../../functions/domain/ids.ts";
import { refusal } from "../../functions/domain/problem.ts";
import { readRequest as readFields } from "../../functions/domain/request-problems.ts";
import { LiveView } from "../../rehearsal/report/live.ts";
import { advice } from "../../rehearsal/report/summary.ts";
import { duration } from "../../rehearsal/report/words.ts";
import { readRequest, UsageError } from "../options.ts";
import {
  type AddCommands,
  type Context,
  clusterName,
  knownCluster,
  recordsOf,
  tell,
  unknownCluster,
  whole,
  workingOn,
} from "./command.ts";
import { type Ending, follow } from "./follow.ts";
import type { Host } from "./host.ts";
import { type MachineName, readSite, type Site } from "./site.ts";

interface RunOptions {
  readonly request?: string;
  readonly detach?: boolean;
}

/** The request in a file, with the name that was given, checked as the workflow will check it. */
function requestFor(name: ClusterName | undefined, file: string | undefined): Record<string, unknown> & { name: ClusterName } {
  if (name === undefined && file === undefined) throw new UsageError("build wants a NAME, or --request FILE");
  const given = file === undefined ? {} : readRequest(file);
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw new UsageError(`${file} holds no request`);
  const asked = { ...given, ...(name !== undefined && { name }) };
  const { request, problems } = readFields(asked);
  if (request === null || problems.length > 0) throw refusal(problems);
  return { ...asked, name: request.name };
}

interface Start {
  readonly machine: MachineName;
  readonly name: ClusterName;
  readonly input: object;
  readonly detach: boolean | undefined;
  /** False: the name has no record, so there may be nothing to destroy. */
  readonly isKnown?: boolean;
}

/** Starts a machine under a name that says what and when, and follows it unless it was asked not to. */
async function run(context: Context, site: Site, { machine, name, input, detach, isKnown }: Start): Promise<number> {
  const { host } = context;
  const stamp = host.now().toISOString().replaceAll(/[-:.]/g, "");
  const execution = `${name}-${machine}-${stamp}`;
  if ((await startExecution(host.clients.sfn, site.machines[machine], execution, input)) === "taken")
    throw new UsageError(
      `an execution ${execution} was started in this very millisecond: look at it with \`cloister watch ${name}\``,
    );
  const arn = ExecutionArn.parse(`${site.machines[machine].replace(":stateMachine:", ":execution:")}:${execution}`);
  if (detach === true) {
    tell(context, { execution: arn, status: "started" }, [`${arn} has started; \`cloister watch ${name}\` shows it`]);
    return 0;
  }
  host.warn(`${arn} has started. It goes on without this command; \`cloister watch ${name}\` shows it again.`);
  return watchIt(context, arn, name, isKnown);
}

async function watchIt(context: Context, execution: ExecutionArn, name: ClusterName, isKnown = true): Promise<number> {
  const live = new LiveView(context.host.screen);
  const ending = await follow(context.host, execution, context.isJson ? () => {} : (event) => live.add(event));
  const verdict = verdictOf(ending);
  const { isRefused: _, ...facts } = ending;
  tell(context, { ...facts, status: verdict }, ["", ...words(ending, name)]);
  // A destroy that finds its work done is fine; one of a name that nobody ever used is a slip.
  return { ready: 0, destroyed: 0, nothing: isKnown ? 0 : 2, refused: 2, failed: 1 }[verdict];
}

/** The rehearsal's words; `nothing`: a destroy found nobody of that name. */
function verdictOf({ status, isRefused, execution, output }: Ending): "ready" | "destroyed" | "nothing" | "failed" | "refused" {
  if (status !== "SUCCEEDED") return isRefused ? "refused" : "failed";
  if (!execution.includes("destroy-cluster:")) return "ready";
  return "why" in output ? "nothing" : "destroyed";
}

function words(ending: Ending, name: ClusterName): readonly string[] {
  const { output, error, seconds } = ending;
  const verdict = verdictOf(ending);
  const time = `Time  ${duration(seconds)}`;
  if (verdict === "nothing") return [`Nothing to destroy: ${String(output["why"])}`];
  if (verdict === "destroyed") return [String(output["summary"]), time];
  if (verdict === "ready")
    return [
      `${name} is ready: generation ${String(output["generation"])}`,
      time,
      `Next  cloister certificate ${name}, cloister kubeconfig ${name}, cloister connect ${name}`,
    ];
  const head = verdict === "refused" ? "The request is refused" : `It failed in ${error?.state || "no state"}`;
  return [
    `${head}: ${error?.name}`,
    ...(error?.cause ?? "").split("\n").map((line) => `  ${line}`),
    `Advice  ${advice[error?.name ?? ""] ?? "docs/runbook.md says more."}`,
  ];
}

async function build(context: Context, name: ClusterName | undefined, { request, detach }: RunOptions): Promise<number> {
  const asked = requestFor(name, request);
  const site = await readSite(context.host.clients);
  return run(context, site, { machine: "build", name: asked.name, input: asked, detach });
}

async function rebuild(context: Context, name: ClusterName, { request, detach }: RunOptions): Promise<number> {
  const asked = request === undefined ? null : requestFor(name, request);
  const { site } = await knownCluster(context.host, name);
  const input = { name, trigger: "person", ...(asked !== null && { request: asked }) };
  return run(context, site, { machine: "rebuild", name, input, detach });
}

interface DestroyOptions {
  readonly generation?: number;
  readonly volumes?: "delete" | "retain";
  readonly yes?: boolean;
  readonly detach?: boolean;
}

/** Also for a name without a record: what only tags know goes too, and the workflow says so where there is nothing. */
async function destroy(context: Context, name: ClusterName, options: DestroyOptions): Promise<number> {
  const { generation, volumes, yes = false, detach } = options;
  const site = await readSite(context.host.clients);
  if (!yes) {
    const what = generation === undefined ? `every generation of ${name}` : `generation ${generation} of ${name}`;
    const answer = await context.host.ask(`This destroys ${what}. Type its name to go on: `);
    if (answer === null) throw new UsageError("destroy wants --yes where nobody can be asked");
    if (answer.trim() !== name) throw new UsageError(`that is not ${name}: nothing was done`);
  }
  const isKnown = (await recordsOf(context.host, site).read(name)) !== null;
  const input = { name, ...(generation !== undefined && { generation }), ...(volumes !== undefined && { volumes }) };
  return run(context, site, { machine: "destroy", name, input, detach, isKnown });
}

/** What a build left behind is taken up again by the very same request (lifecycle 3.7). */
async function resume(context: Context, name: ClusterName, { detach }: RunOptions): Promise<number> {
  const { site, record } = await knownCluster(context.host, name);
  const unfinished = Object.values(record.generations).findLast(({ state }) => /^(?:building|kept|failed)$/.test(state));
  if (unfinished === undefined || unfinished.asked === null)
    throw new UsageError(`${name} has no build to resume; \`cloister status ${name}\` says how it stands`);
  return run(context, site, { machine: "build", name, input: unfinished.asked, detach });
}

/** What works on the cluster now, the outermost of its chain; otherwise what was the last to end. */
async function watch(context: Context, name: ClusterName): Promise<number> {
  const { host } = context;
  const site = await readSite(host.clients);
  const record = (await recordsOf(host, site).read(name))?.value;
  const [holder] = record === undefined ? [] : await workingOn(host, record);
  const now = holder ?? (await justStarted(host, site, name));
  if (now !== null) return watchIt(context, now, name);
  if (record === undefined) throw unknownCluster(name);
  const execution = await lastExecution(host, record);
  if (execution === null) throw new UsageError(`Step Functions knows no execution of ${name} any more`);
  return watchIt(context, execution, name);
}

/** What this command started a moment ago has no entry in the record yet; its name tells of it. */
async function justStarted({ clients }: Host, { machines }: Site, name: ClusterName): Promise<ExecutionArn | null> {
  for (const [machine, stateMachineArn] of Object.entries(machines)) {
    const running = new ListExecutionsCommand({ stateMachineArn, statusFilter: "RUNNING" });
    const { executions = [] } = await clients.sfn.send(running);
    const own = executions.find((execution) => new RegExp(`^${name}-${machine}-\\d{8}T\\d{9}Z$`).test(execution.name ?? ""));
    if (own !== undefined) return ExecutionArn.parse(own.executionArn);
  }
  return null;
}

/** What ended last: a rebuild ends after its build, a build after its roll-back. */
async function lastExecution({ clients }: Host, record: ClusterRecord): Promise<ExecutionArn | null> {
  const rows = Object.values(record.generations);
  const known = rows.flatMap(({ builder, rebuilder, destroyer }) => [builder?.execution ?? null, rebuilder, destroyer]);
  let last: { readonly execution: ExecutionArn; readonly at: number } | null = null;
  for (const execution of new Set(known)) {
    const view = execution === null ? null : await describeExecutionByArn(clients.sfn, execution);
    const at = view?.endedAt?.getTime() ?? Number.POSITIVE_INFINITY;
    if (execution !== null && view !== null && (last === null || at > last.at)) last = { execution, at };
  }
  return last?.execution ?? null;
}

export const addRuns: AddCommands = (program, ends) => {
  const detach = ["--detach", "start it, and do not wait for its end"] as const;
  const request = ["--request <file>", "the request, JSON or YAML"] as const;
  program
    .command("build")
    .description("build a cluster, or prove a ready one again")
    .argument("[name]", "its name; with --request it replaces the request's", clusterName)
    .option(...request)
    .option(...detach)
    .action(ends(build));
  program
    .command("rebuild")
    .description("build the next generation beside the one that serves, and switch to it")
    .argument("<name>", "the cluster", clusterName)
    .option("--request <file>", "another request than the one it was built from, JSON or YAML")
    .option(...detach)
    .action(ends(rebuild));
  program
    .command("destroy")
    .description("destroy a cluster, and prove that nothing of it is left")
    .argument("<name>", "the cluster", clusterName)
    .option("--generation <number>", "only this generation", whole(1, 9999))
    .addOption(new Option("--volumes <what>", "otherwise as its request says").choices(["delete", "retain"]))
    .option("--yes", "do not ask")
    .option(...detach)
    .action(ends(destroy));
  program
    .command("resume")
    .description("go on with a build that failed and was kept")
    .argument("<name>", "the cluster", clusterName)
    .option(...detach)
    .action(ends(resume));
  program
    .command("watch")
    .description("show what works on a cluster, live; otherwise what last did")
    .argument("<name>", "the cluster", clusterName)
    .action(ends(watch));
};
