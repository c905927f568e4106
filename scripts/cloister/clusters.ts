import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import * as z from "zod";
import type { ClusterRecord, Row } from "../../functions/domain/cluster-record.ts";
import type { ClusterName } from "../../functions/domain/ids.ts";
import { UsageError, usage } from "../options.ts";
import {
  type AddCommands,
  type Context,
  clusterName,
  currentOf,
  knownCluster,
  recordsOf,
  tell,
  whole,
  workingOn,
} from "./command.ts";
import type { Host } from "./host.ts";
import { readSite } from "./site.ts";

/** What a record says to a person: no lock numbers, no requests. */
interface ClusterView {
  readonly name: ClusterName;
  readonly current: number | null;
  readonly protected: boolean;
  readonly kubernetes: string | null;
  readonly nodes: number | null;
  /** The executions that work on it, the outermost first. */
  readonly workedOnBy: readonly string[];
  readonly generations: readonly GenerationView[];
}

interface GenerationView {
  readonly generation: number;
  readonly state: Row["state"];
  /** When something happens to it by itself, and what. */
  readonly until: string | null;
  readonly certificate: string | null;
  readonly isolated: boolean | null;
  readonly left: readonly string[];
  readonly volumes: readonly string[];
}

const generationView = ([generation, row]: readonly [string, Row]): GenerationView => ({
  generation: Number(generation),
  state: row.state,
  until: { kept: row.keptUntil, retired: row.destroyAfter, left: row.left?.nextTry ?? null }[row.state as string] ?? null,
  certificate: row.certificate?.key ?? null,
  isolated: row.certificate?.isolated ?? null,
  left: row.left?.items ?? [],
  volumes: row.volumes ?? [],
});

async function clusterView(host: Host, name: ClusterName, record: ClusterRecord): Promise<ClusterView> {
  const request = record.current === null ? null : (record.generations[String(record.current)]?.request ?? null);
  return {
    name,
    current: record.current,
    protected: record.protected,
    kubernetes: request?.kubernetesVersion ?? null,
    nodes: request === null ? null : request.controlPlane.count + request.workers.count,
    workedOnBy: await workingOn(host, record),
    generations: Object.entries(record.generations).map(generationView),
  };
}

/** One word for a list: what a person would ask about first. */
function summaryOf({ current, workedOnBy, generations }: ClusterView): string {
  const last = generations.at(-1);
  if (workedOnBy.length > 0) return `worked on by ${workedOnBy[0]?.split(":").at(-2)}`;
  if (current !== null) return "ready";
  return last?.state ?? "nothing was ever built";
}

async function list(context: Context): Promise<number> {
  const site = await readSite(context.host.clients);
  const records = recordsOf(context.host, site);
  const clusters: ClusterView[] = [];
  for (const name of await records.names()) {
    const record = (await records.read(name))?.value;
    if (record !== undefined) clusters.push(await clusterView(context.host, name, record));
  }
  const rows = clusters.map((cluster) => [
    cluster.name,
    cluster.current === null ? "-" : `g${cluster.current}`,
    cluster.kubernetes ?? "-",
    String(cluster.nodes ?? "-"),
    cluster.protected ? "yes" : "no",
    summaryOf(cluster),
  ]);
  const head = ["NAME", "SERVES", "KUBERNETES", "NODES", "PROTECTED", "STATE"];
  tell(
    context,
    { clusters },
    rows.length === 0 ? ["There is no cluster yet: `cloister build NAME` makes one."] : table([head, ...rows]),
  );
  return 0;
}

const table = (rows: readonly (readonly string[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
};

const untilWords: Readonly<Record<string, string>> = { kept: "kept until", retired: "destroyed after", left: "tried again at" };

function generationLines({ generation, state, until, isolated, left, volumes }: GenerationView): string[] {
  const facts = [
    state,
    ...(until === null ? [] : [`${untilWords[state]} ${until}`]),
    ...(isolated === null ? [] : [isolated ? "certified as isolated" : "NOT isolated"]),
  ];
  return [
    `  generation ${String(generation).padEnd(4)} ${facts.join(", ")}`,
    ...left.map((item) => `    left behind: ${item}`),
    ...volumes.map((volume) => `    kept: ${volume}`),
  ];
}

/** What may be done next, by what stands. */
function nextOf({ name, current, workedOnBy, generations }: ClusterView): string {
  const has = (state: Row["state"]) => generations.some((generation) => generation.state === state);
  if (workedOnBy.length > 0) return `cloister watch ${name}`;
  if (has("kept") || has("building")) return `cloister resume ${name}, or cloister destroy ${name}`;
  if (has("left")) return `remove what is in the way, then cloister destroy ${name}`;
  if (has("retired"))
    return `cloister promote ${name} ends the old generation's grace, cloister rollback ${name} goes back to it`;
  if (current !== null) return `cloister kubeconfig ${name}, cloister certificate ${name}`;
  return `cloister build ${name}`;
}

async function status(context: Context, name: ClusterName): Promise<number> {
  const { record } = await knownCluster(context.host, name);
  const view = await clusterView(context.host, name, record);
  const serves = view.current === null ? "no generation serves" : `generation ${view.current} serves`;
  tell(context, view, [
    `${name}: ${serves}${view.kubernetes === null ? "" : `, Kubernetes ${view.kubernetes}, ${view.nodes} nodes`}`,
    `Protected  ${view.protected ? "yes" : "no"}`,
    ...view.workedOnBy.map((execution) => `Worked on  ${execution}`),
    ...view.generations.flatMap(generationLines),
    `Next       ${nextOf(view)}`,
  ]);
  return 0;
}

/** What a person reads of a certificate; the whole of it is kept as it is. */
const Certificate = z.looseObject({
  isolated: z.boolean(),
  checks: z.array(z.looseObject({ name: z.string(), passed: z.boolean(), evidence: z.string() })),
  notVerified: z.array(z.string()).default([]),
});

interface CertificateOptions {
  readonly generation?: number;
  readonly output?: string;
}

/** The certificate as it was written, compared with the hash that the record holds. */
async function certificate(context: Context, name: ClusterName, options: CertificateOptions): Promise<number> {
  const known = await knownCluster(context.host, name);
  const generation = options.generation ?? currentOf(known, name);
  const reference = known.record.generations[String(generation)]?.certificate;
  if (reference === undefined || reference === null)
    throw new UsageError(`generation ${generation} of ${name} has no certificate`);
  const place = { Bucket: known.site.bucket, Key: reference.key };
  const { Body } = await context.host.clients.s3.send(new GetObjectCommand(place));
  const text = (await Body?.transformToString()) ?? "";
  const isUnchanged = createHash("sha256").update(text).digest("hex") === reference.sha256;
  const { isolated, checks, notVerified } = Certificate.parse(JSON.parse(text));
  const { output } = options;
  if (output !== undefined) usage(() => writeFileSync(output, text), `--output ${output}`);
  const good = isolated && isUnchanged;
  tell(context, { name, generation, ...reference, unchanged: isUnchanged, certificate: JSON.parse(text) }, [
    `${name}, generation ${generation}: ${isolated ? "isolated" : "NOT isolated"}`,
    `Evidence   s3://${place.Bucket}/${place.Key}`,
    isUnchanged ? `SHA-256    ${reference.sha256}, as on record` : "SHA-256    NOT the one on record: the file was changed",
    ...checks.map(({ name: check, passed, evidence }) => `  ${passed ? "✓" : "✗"} ${check.padEnd(36)} ${evidence}`),
    ...notVerified.map((what) => `  – not verified: ${what}`),
  ]);
  return good ? 0 : 1;
}

export const addClusters: AddCommands = (program, ends) => {
  program.command("list").description("list every cluster").action(ends(list));
  program
    .command("status")
    .description("show a cluster's generations, and what works on it")
    .argument("<name>", "the cluster", clusterName)
    .action(ends(status));
  program
    .command("certificate")
    .description("show the certificate of isolation, and whether it is as it was written")
    .argument("<name>", "the cluster", clusterName)
    .option("--generation <number>", "another than the one that serves", whole(1, 9999))
    .option("--output <file>", "write the certificate itself there")
    .action(ends(certificate));
};
