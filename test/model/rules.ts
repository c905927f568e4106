import { recordRules } from "./record-rules.ts";
import { all } from "./without.ts";
import { workRules } from "./work-rules.ts";
import type { Protocol } from "./world.ts";

/** A rule of lifecycle.md, the protocol without it, and the set of actors among whom it is then missed. */
export interface Rule {
  readonly key: string;
  readonly part: string;
  readonly says: string;
  readonly set: string;
  out(protocol: Protocol): Protocol;
  /** What then happens that must not. */
  readonly breaks: RegExp;
  /** The rule that covers this one: alone it is not missed, both are. */
  readonly coveredBy?: string;
  /** What without this rule is so at once and no harm yet. */
  readonly tolerates?: RegExp;
}

export const rules: readonly Rule[] = [...recordRules, ...workRules];

const ruleOf = (key: string): Rule => {
  const rule = rules.find((one) => one.key === key);
  if (rule === undefined) throw new RangeError(`there is no rule "${key}"`);
  return rule;
};
export const coverOf = (rule: Rule): Rule | null => (rule.coveredBy === undefined ? null : ruleOf(rule.coveredBy));
/** What breaks without the rule, and without the one that covers it. */
export const breaking = (rule: Rule): Rule["out"] => {
  const cover = coverOf(rule);
  return cover === null ? rule.out : all(rule.out, cover.out);
};
