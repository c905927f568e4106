import { type Json, look, read, type Scope, StateError } from "./paths.ts";

interface Rule {
  readonly Variable?: string;
  readonly Next?: string;
  readonly And?: readonly Rule[];
  readonly Or?: readonly Rule[];
  readonly Not?: Rule;
  readonly [comparison: string]: unknown;
}

interface Comparison {
  /** The type of what a rule compares with. */
  readonly type: "string" | "number" | "boolean";
  /** `value` is undefined only for IsPresent. */
  matches(value: Json | undefined, wanted: unknown): boolean;
}

/** A value of another type is not an error: it does not match. */
const numeric = (compare: (value: number, wanted: number) => boolean): Comparison => ({
  type: "number",
  matches: (value, wanted) => typeof value === "number" && compare(value, Number(wanted)),
});

/** `*` stands for any characters, line breaks among them; an escaped one is refused when the machine is loaded. */
const isLike = (value: string, pattern: string): boolean =>
  new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]]/g, "\\$&").replaceAll("*", ".*")}$`, "s").test(value);

/** Every comparison that a Choice may use. */
export const comparisons: Readonly<Record<string, Comparison>> = {
  StringEquals: { type: "string", matches: (value, wanted) => value === wanted },
  StringMatches: { type: "string", matches: (value, wanted) => typeof value === "string" && isLike(value, String(wanted)) },
  BooleanEquals: { type: "boolean", matches: (value, wanted) => value === wanted },
  NumericEquals: numeric((value, wanted) => value === wanted),
  NumericGreaterThan: numeric((value, wanted) => value > wanted),
  NumericGreaterThanEquals: numeric((value, wanted) => value >= wanted),
  NumericLessThan: numeric((value, wanted) => value < wanted),
  NumericLessThanEquals: numeric((value, wanted) => value <= wanted),
  IsNull: { type: "boolean", matches: (value, wanted) => (value === null) === wanted },
  IsPresent: { type: "boolean", matches: (value, wanted) => (value !== undefined) === wanted },
};

function holds(rule: Rule, scope: Scope): boolean {
  if (rule.And !== undefined) return rule.And.every((inner) => holds(inner, scope));
  if (rule.Or !== undefined) return rule.Or.some((inner) => holds(inner, scope));
  if (rule.Not !== undefined) return !holds(rule.Not, scope);
  const variable = rule.Variable ?? "$";
  // IsPresent alone may ask for what is not there; for any other comparison that is States.Runtime.
  const value = "IsPresent" in rule ? look(scope, variable) : read(scope, variable);
  return Object.entries(comparisons).some(([name, { matches }]) => name in rule && matches(value, rule[name]));
}

/** The state that a Choice leads to. */
export function choose(rules: readonly Rule[], fallback: string | undefined, scope: Scope): string {
  const next = rules.find((rule) => holds(rule, scope))?.Next ?? fallback;
  if (next === undefined) throw new StateError("States.NoChoiceMatched", "no choice matched, and there is no Default");
  return next;
}
