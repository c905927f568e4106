import { type Json, look, read, type Scope, StateError } from "./paths.ts";

interface Rule {
  readonly Variable?: string;
  readonly Next?: string;
  readonly And?: readonly Rule[];
  readonly Or?: readonly Rule[];
  readonly Not?: Rule;
  readonly [comparison: string]: unknown;
}

/** A comparison of values of another type is false, not an error. */
const compare: Readonly<Record<string, (value: Json, wanted: unknown) => boolean>> = {
  StringEquals: (value, wanted) => typeof value === "string" && value === wanted,
  NumericEquals: (value, wanted) => typeof value === "number" && value === wanted,
  NumericGreaterThan: (value, wanted) => typeof value === "number" && value > Number(wanted),
  NumericLessThan: (value, wanted) => typeof value === "number" && value < Number(wanted),
  BooleanEquals: (value, wanted) => typeof value === "boolean" && value === wanted,
  IsNull: (value, wanted) => (value === null) === wanted,
};

function holds(rule: Rule, scope: Scope): boolean {
  if (rule.And !== undefined) return rule.And.every((inner) => holds(inner, scope));
  if (rule.Or !== undefined) return rule.Or.some((inner) => holds(inner, scope));
  if (rule.Not !== undefined) return !holds(rule.Not, scope);
  const variable = rule.Variable ?? "$";
  if ("IsPresent" in rule) return (look(scope.data, variable) !== undefined) === rule["IsPresent"];
  const value = read(scope, variable);
  return Object.entries(compare).some(([name, matches]) => name in rule && matches(value, rule[name]));
}

/** The state that a Choice leads to. */
export function choose(rules: readonly Rule[], fallback: string | undefined, scope: Scope): string {
  const next = rules.find((rule) => holds(rule, scope))?.Next ?? fallback;
  if (next === undefined) throw new StateError("States.NoChoiceMatched", "no choice matched, and there is no Default");
  return next;
}
