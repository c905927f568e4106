import type { Rehearsal } from "../result.ts";
import type { CallRecord } from "../world/door.ts";
import type { InventoryItem } from "../world/service.ts";
import type { CostLine } from "./cost.ts";
import { escaped } from "./html.ts";
import { counted, dollars } from "./words.ts";

export const section = (id: string, title: string, body: string): string =>
  `<section id="${id}"><h2>${escaped(title)}</h2>\n${body}\n</section>`;

/** What is there now and was not before. */
export function created({ before, after }: Rehearsal["inventory"]): InventoryItem[] {
  const known = new Set(before.map(({ type, id }) => `${type}/${id}`));
  return after.filter(({ type, id }) => !known.has(`${type}/${id}`));
}

export function inventory(items: readonly InventoryItem[]): string {
  if (items.length === 0) return `<p class="quiet">The run created nothing.</p>`;
  const types = Map.groupBy(items, ({ type }) => type);
  return [...types]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, group]) => `<details><summary>${escaped(counted(group.length, type))}</summary>${things(group)}</details>`)
    .join("\n");
}

function things(items: readonly InventoryItem[]): string {
  const rows = items.map(({ id, tags, facts }) => {
    const said = Object.entries(facts).filter(([key, value]) => value !== tags["Name"] && key !== "vpcId");
    const text = said.map(([key, value]) => `${key} ${value}`).join(", ");
    const name = tags["Name"] === undefined ? "" : `${escaped(tags["Name"])} `;
    return `<li>${name}<code>${escaped(id)}</code><p>${escaped(text)}</p></li>`;
  });
  return `<ul class="things">${rows.join("")}</ul>`;
}

export function certificate(issued: Rehearsal["certificate"]): string {
  if (issued === null) return `<p class="quiet">No certificate was issued.</p>`;
  const ordered = issued.checks.toSorted((a, b) => Number(a.passed) - Number(b.passed));
  const rows = ordered.map(
    ({ name, passed, evidence }) =>
      `<li class="${passed ? "good" : "bad"}"><strong>${escaped(name)}</strong> <em>${passed ? "passed" : "failed"}</em><p>${escaped(evidence)}</p></li>`,
  );
  const failed = issued.checks.filter(({ passed }) => !passed).length;
  const verdict = issued.isolated ? "The cluster is isolated" : "The cluster is not isolated";
  return `<p>${verdict}: ${issued.checks.length - failed} of ${counted(issued.checks.length, "check")} passed.</p><ul class="checks">${rows.join("\n")}</ul>${unverified(issued.notVerified ?? [])}`;
}

const unverified = (what: readonly string[]): string =>
  what.length === 0 ? "" : `<p>Not verified:</p><ul>${what.map((each) => `<li>${escaped(each)}</li>`).join("")}</ul>`;

/** What the rehearsal's own auditor found, beside the certificate. */
export function audit({ secretLeaks, breaches, foreignTouched }: Rehearsal["audit"]): string {
  const row = (title: string, found: readonly string[]): string => {
    const list = found.map((each) => `<li>${escaped(each)}</li>`).join("");
    const body = found.length === 0 ? "<p>none</p>" : `<ul>${list}</ul>`;
    return `<li class="${found.length === 0 ? "good" : "bad"}"><strong>${title}</strong> <em>${found.length}</em>${body}</li>`;
  };
  return `<ul class="checks">${[
    row("Secrets written where they can be read", secretLeaks),
    row("Moments with a way in or out", breaches),
    row("Changes to what belongs to somebody else", foreignTouched),
  ].join("\n")}</ul>`;
}

export function calls(records: readonly CallRecord[]): string {
  const operations = [...Map.groupBy(records, ({ service, operation }) => `${service} ${operation}`)];
  const rows = operations
    .sort(([a, left], [b, right]) => right.length - left.length || (a < b ? -1 : 1))
    .map(([name, group]) => {
      const errors = Map.groupBy(
        group.filter(({ code }) => code !== null),
        ({ code }) => String(code),
      );
      const codes = [...errors].map(([code, failed]) => `${code} ×${failed.length}`).join(", ");
      const failed = codes === "" ? "" : ` <span class="bad-text">${escaped(codes)}</span>`;
      const label = group.some(({ mutates }) => mutates) ? `<strong>${escaped(name)}</strong>` : escaped(name);
      return `<tr><td>${label}${failed}</td><td class="number">${group.length}</td></tr>`;
    });
  return `<details><summary>${counted(operations.length, "operation")}, ${counted(records.length, "call")}</summary><p class="quiet">Bold: changes something. Red: how calls failed; not finding what is not there yet is a common one.</p><table>${rows.join("\n")}</table></details>`;
}

export function nodes(cluster: Rehearsal["cluster"]): string {
  if (cluster === null) return `<p class="quiet">No cluster came to be.</p>`;
  const rows = cluster.nodes.map(({ name, role, ready, providerID }) => {
    const state = ready ? `<span class="good-text">Ready</span>` : `<span class="bad-text">NotReady</span>`;
    return `<li>${escaped(name)}<p>${state}, ${escaped(role)}, <code>${escaped(providerID)}</code></p></li>`;
  });
  const list = rows.length === 0 ? `<p class="quiet">No node has joined.</p>` : `<ul class="things">${rows.join("\n")}</ul>`;
  const endpoint = cluster.apiEndpoint === "" ? "" : `<p>API: <code>${escaped(cluster.apiEndpoint)}</code></p>`;
  return endpoint + list;
}

export function cost(lines: readonly CostLine[]): string {
  const sum = (key: "perMonth" | "run"): string => dollars(lines.reduce((total, line) => total + line[key], 0));
  const rows = lines.map(
    ({ what, count, perMonth, run }) =>
      `<tr><td>${escaped(what)}</td><td class="number">${count}</td><td class="number">${dollars(run)}</td><td class="number">${perMonth === 0 ? "" : dollars(perMonth)}</td></tr>`,
  );
  return [
    `<div class="wide"><table><tr><th></th><th class="number">count</th><th class="number">this run</th><th class="number">a month</th></tr>`,
    ...rows,
    `<tr class="sum"><td>Sum</td><td></td><td class="number">${sum("run")}</td><td class="number">${sum("perMonth")}</td></tr></table></div>`,
    `<p class="quiet">List prices of us-west-2, without traffic and load. In a real account it would cost this; the rehearsal costs nothing.</p>`,
  ].join("\n");
}
