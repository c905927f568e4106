import type { Rehearsal } from "../result.ts";
import type { Definition } from "../world/asl/definition.ts";
import type { CostLine } from "./cost.ts";
import { graphSvg, type StateOutcome } from "./graph.ts";
import { escaped } from "./html.ts";
import { audit, calls, certificate, cost, created, inventory, nodes, section } from "./page-parts.ts";
import { pageStyle } from "./page-style.ts";
import { waterfall } from "./page-waterfall.ts";
import { readableCause, type Visit, visits } from "./waterfall.ts";
import { counted, dollars, duration } from "./words.ts";

export interface ReportInput {
  readonly rehearsal: Rehearsal;
  readonly definition: Definition;
  readonly cost: readonly CostLine[];
}

/** One page that stands alone: no script, nothing loaded. All that the run produced is escaped. */
export function reportPage({ rehearsal, definition, cost: lines }: ReportInput): string {
  const found = visits(rehearsal.history);
  const items = created(rehearsal.inventory);
  const title = `${titles[rehearsal.status]}: ${rehearsal.cluster?.name ?? rehearsal.execution.machine}`;
  const pictures = [
    `<ul class="legend">${[swatch("aws", "waiting for AWS"), swatch("node", "waiting for a node"), swatch("own", "own work"), swatch("retry", "an attempt that failed and was repeated")].join("")}</ul>`,
    found.length === 0 ? `<p class="quiet">No state was entered.</p>` : waterfall(found),
  ];
  const proofs = [
    section("certificate", "Certificate of isolation", certificate(rehearsal.certificate)),
    section("cost", "Cost", cost(lines)),
  ];
  const rest = [
    section("audit", "What an auditor saw", audit(rehearsal.audit)),
    section("nodes", "Cluster", nodes(rehearsal.cluster)),
    section("created", `Created: ${counted(items.length, "resource")}`, inventory(items)),
    section("calls", "Calls to AWS", calls(rehearsal.callRecords)),
  ];
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">`,
    `<title>${escaped(title)}</title><style>${pageStyle}</style></head><body><main>`,
    header(rehearsal, title, items.length, lines),
    section("time", "Where the time went", pictures.join("\n")),
    `<div class="columns"><div>${section("machine", "State machine", `<div class="machine">${graphSvg(definition, outcomesOf(found))}</div>`)}</div>`,
    `<div>${[...proofs, ...rest].join("\n")}</div></div>`,
    "</main></body></html>\n",
  ].join("\n");
}

const titles = {
  ready: "Cluster ready",
  destroyed: "Cluster destroyed",
  failed: "Failed",
  refused: "Request refused",
} as const;

function header(rehearsal: Rehearsal, title: string, resources: number, lines: readonly CostLine[]): string {
  const { status, seed, execution, calls, certificate, cluster } = rehearsal;
  const facts = [
    ["virtual time", duration(execution.virtualSeconds)],
    ["resources created", resources],
    ["calls to AWS", calls.throttled === 0 ? calls.total : `${calls.total}, ${calls.throttled} throttled`],
    ["transitions", execution.transitions],
    ["isolated", certificate === null ? "not certified" : certificate.isolated ? "yes" : "no"],
    ["cost of the run", dollars(lines.reduce((sum, { run }) => sum + run, 0))],
  ];
  const generation = cluster === null ? "" : `, generation ${cluster.generation}`;
  return [
    `<header class="${status}"><h1>${escaped(title)}</h1>`,
    `<p>Rehearsal of ${escaped(execution.machine)}${generation}, seed ${seed}. No AWS account was involved.</p>`,
    failure(rehearsal.error),
    `<dl class="facts">${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${escaped(value ?? "")}</dd></div>`).join("")}</dl>`,
    criticalPath(execution),
    "</header>",
  ].join("\n");
}

function failure(error: Rehearsal["error"]): string {
  if (error === null) return "";
  const where = error.state === "" ? "" : ` in ${escaped(error.state)}`;
  return `<div class="error"><strong>${escaped(error.name)}</strong>${where}<pre>${escaped(readableCause(error.cause))}</pre></div>`;
}

/** The chain of states that the end waited for, by what it waited on. */
function criticalPath({ criticalPath: path }: Rehearsal["execution"]): string {
  const kinds = { aws: "waiting for AWS", node: "waiting for nodes", own: "own work" } as const;
  const parts = (["aws", "node", "own"] as const).map((kind) => {
    const seconds = path.filter(({ on }) => on === kind).reduce((sum, item) => sum + item.seconds, 0);
    return { kind, seconds, text: `${kinds[kind]} ${duration(seconds)}` };
  });
  if (parts.every(({ seconds }) => seconds === 0)) return "";
  const bar = parts.map(
    ({ kind, seconds, text }) => `<i class="${kind}" style="flex:${seconds.toFixed(2)}" title="${text}"></i>`,
  );
  return `<div class="split">${bar.join("")}</div><ul class="legend">${parts.map(({ kind, text }) => swatch(kind, text)).join("")}</ul>`;
}

const swatch = (kind: string, text: string): string => `<li><i class="${kind}"></i>${text}</li>`;

/** A state that was entered more than once shows how it went the last time. */
function outcomesOf(found: readonly Visit[]): Map<string, StateOutcome> {
  return new Map(found.map(({ name, outcome }) => [name, outcome === "running" ? "stopped" : outcome]));
}
