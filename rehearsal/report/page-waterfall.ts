import { escaped } from "./html.ts";
import { isWait, type Visit, waitedUntil } from "./waterfall.ts";
import { duration } from "./words.ts";

interface Axis {
  readonly start: number;
  readonly seconds: number;
}

/** Every visit of a state as a bar on the virtual time axis; a Parallel state's branches stand under it, each in its own group. */
export function waterfall(all: readonly Visit[]): string {
  const start = Math.min(...all.map(({ enteredAt }) => enteredAt));
  const end = Math.max(...all.map(({ exitedAt, enteredAt }) => exitedAt ?? enteredAt));
  const axis = { start, seconds: Math.max((end - start) / 1000, 0.001) };
  const step = stepOf(axis.seconds);
  const marks = Array.from({ length: Math.floor(axis.seconds / step) + 1 }, (_, index) => index * step);
  // A label near the end stands left of its mark, to stay inside.
  const scale = marks.map((mark) => {
    const part = mark / axis.seconds;
    return `<i${part > 0.9 ? ` class="late"` : ""} style="left:${percent(part)}">${duration(mark)}</i>`;
  });
  return [
    `<div class="fall" style="--step:${percent(step / axis.seconds)}">`,
    `<div class="visit scale"><span></span><div class="track">${scale.join("")}</div><span></span></div>`,
    group(all, null, axis),
    "</div>",
  ].join("\n");
}

/** The rows of one line of visits, branches in the order in which they begin. */
function group(all: readonly Visit[], parent: Visit | null, axis: Axis): string {
  const inside = all.filter((visit) => visit.parent === parent);
  const branches = [...new Set(inside.map(({ branch }) => branch))];
  return branches
    .map((branch) => {
      const visits = inside.filter((visit) => visit.branch === branch);
      const rows = visits.map((visit) => row(visit, axis) + (visit.type === "Parallel" ? group(all, visit, axis) : ""));
      return parent === null ? rows.join("\n") : `<div class="branch">${rows.join("\n")}</div>`;
    })
    .join("\n");
}

function row(visit: Visit, axis: Axis): string {
  const { name, type, enteredAt, outcome, attempts } = visit;
  const end = visit.exitedAt ?? enteredAt;
  const errors = attempts.slice(0, -1).filter((attempt) => attempt.error !== null && !isWait(attempt));
  const ticks = errors.map((attempt) => {
    const left = percent(((attempt.endedAt ?? end) - axis.start) / 1000 / axis.seconds);
    return `<b style="left:${left}" title="${escaped(`${attempt.error}: ${attempt.message}`)}"></b>`;
  });
  const label = `<span class="name${outcome === "failed" ? " failed" : ""}">${escaped(name)}</span>`;
  const seconds = (end - enteredAt) / 1000;
  return [
    `<div class="visit ${type.toLowerCase()}" title="${escaped(story(visit))}">`,
    `${label}<div class="track">${bars(visit, axis)}${ticks.join("")}</div>`,
    `<span class="took">${seconds < 0.05 ? "" : duration(seconds)}</span></div>`,
  ].join("");
}

function bars(visit: Visit, { start, seconds }: Axis): string {
  const end = visit.exitedAt ?? visit.enteredAt;
  const bar = (kind: string, from: number, to: number): string =>
    `<u class="${kind}" style="left:${percent((from - start) / 1000 / seconds)};width:${percent((to - from) / 1000 / seconds)}"></u>`;
  if (visit.type === "Parallel") return bar("around", visit.enteredAt, end);
  const until = waitedUntil(visit);
  const done = visit.outcome === "failed" ? "bad" : "own";
  if (until === null) return bar(done, visit.enteredAt, end);
  // A wait that ended in a failure has no last good attempt: all of it was waiting, and the end is marked.
  return bar(kindOfWait(visit.name), visit.enteredAt, until) + bar(done, until, end);
}

/** What a state waits for: the scripts on the nodes are all awaited under one name (design 4). */
const kindOfWait = (state: string): "node" | "aws" => (state.startsWith("AwaitCommand") ? "node" : "aws");

function story({ name, outcome, attempts, waitingFor }: Visit): string {
  const last = attempts.at(-1);
  const tries = attempts.length > 1 ? `, ${attempts.length} attempts` : "";
  const waited = waitingFor === null ? "" : `; last waited for: ${waitingFor}`;
  const failed = last?.error == null || isWait(last) ? "" : `; ${last.error}: ${last.message}`;
  return `${name}: ${outcome}${tries}${waited}${failed}`;
}

/** Seconds between two marks, so that there are few enough of them to read. */
function stepOf(seconds: number): number {
  const steps = [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
  return steps.find((step) => seconds / step <= 8) ?? Math.ceil(seconds / 8);
}

const percent = (part: number): string => `${Math.round(part * 10_000) / 100}%`;
