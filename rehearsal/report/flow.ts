import { type Catcher, type Definition, list, type State } from "../world/asl/definition.ts";

export type Machine = Pick<Definition, "StartAt" | "States">;

/** An edge as the definition has it; the label is a Choice's condition in short. */
export interface Arrow {
  readonly to: string;
  readonly label: string | null;
}

/** A machine as a person reads it: one main line, what turns off it, and what only a failure leads to. */
export interface Flow {
  readonly main: readonly string[];
  /** By the Choice on the main line that leads there. */
  readonly side: ReadonlyMap<string, readonly string[]>;
  readonly failure: readonly string[];
}

export const branchesOf = (state: State): readonly Machine[] => list<Machine>(state["Branches"]);

export function arrowsOf(state: State): Arrow[] {
  const rules = list<Rule>(state["Choices"]).map((rule) => ({ to: rule.Next, label: wording(rule) }));
  const rest = typeof state["Default"] === "string" ? [{ to: state["Default"], label: "else" }] : [];
  const next = typeof state["Next"] === "string" ? [{ to: state["Next"], label: null }] : [];
  return [...rules, ...rest, ...next];
}

interface Rule {
  readonly Variable?: string;
  readonly Next: string;
  readonly [comparison: string]: unknown;
}

/** `$.request.controlPlane.count` above 1 becomes `count > 1`; a compound rule is only hinted at. */
function wording(rule: Rule): string {
  const subject = rule.Variable?.split(".").at(-1) ?? "rule";
  const signs: Readonly<Record<string, string>> = {
    StringEquals: "is",
    NumericEquals: "is",
    BooleanEquals: "is",
    NumericGreaterThan: ">",
    NumericLessThan: "<",
  };
  for (const [comparison, sign] of Object.entries(signs)) {
    if (rule[comparison] !== undefined) return `${subject} ${sign} ${String(rule[comparison])}`;
  }
  if (rule["IsNull"] !== undefined) return `${subject} is ${rule["IsNull"] === true ? "" : "not "}null`;
  if (rule["IsPresent"] !== undefined) return `${subject} is ${rule["IsPresent"] === true ? "there" : "missing"}`;
  return subject;
}

/** The main line is the longest way through: a short cut past states should look like one. */
export function flowOf(machine: Machine): Flow {
  const ways = new Map<string, readonly string[]>();
  const main = longestWay(machine, machine.StartAt, ways, new Set());
  const placed = new Set(main);
  const side = new Map<string, readonly string[]>();
  for (const name of main) {
    const turned: string[] = [];
    const open = machine.States[name] === undefined ? [] : arrowsOf(machine.States[name]).map(({ to }) => to);
    for (let to = open.shift(); to !== undefined; to = open.shift()) {
      const state = machine.States[to];
      if (placed.has(to) || state === undefined) continue;
      placed.add(to);
      turned.push(to);
      open.push(...arrowsOf(state).map((arrow) => arrow.to));
    }
    if (turned.length > 0) side.set(name, turned);
  }
  return { main, side, failure: Object.keys(machine.States).filter((name) => !placed.has(name)) };
}

/** `open` holds the way walked so far: a loop back counts for nothing. */
function longestWay(machine: Machine, from: string, ways: Map<string, readonly string[]>, open: Set<string>): readonly string[] {
  const known = ways.get(from);
  if (known !== undefined) return known;
  const state = machine.States[from];
  if (state === undefined || open.has(from)) return [];
  open.add(from);
  const rests = arrowsOf(state).map(({ to }) => longestWay(machine, to, ways, open));
  open.delete(from);
  const way = [from, ...rests.reduce((best, rest) => (rest.length > best.length ? rest : best), [])];
  ways.set(from, way);
  return way;
}

/** What leads into a state by Catch, in words: drawn as edges it would be one from nearly every state. */
export function caughtFrom(machine: Machine, target: string): string[] {
  const sources = new Map<string, string[]>();
  for (const [name, state] of Object.entries(machine.States)) {
    for (const { ErrorEquals, Next } of list<Catcher>(state["Catch"])) {
      if (Next !== target) continue;
      const errors = ErrorEquals.join(", ").replace("States.ALL", "any failure");
      sources.set(errors, [...(sources.get(errors) ?? []), name]);
    }
  }
  return [...sources].map(([errors, names]) => `${errors} of ${names.length < 3 ? names.join(", ") : `${names.length} states`}`);
}
