import { SimulationGap } from "./service.ts";

interface Statement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: unknown;
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface Policy {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}

/** The keys of a request; those that hold several values at once (`aws:TagKeys`) are asked by a set operator alone. */
export type Context = Readonly<Record<string, string | readonly string[]>>;

/** One request as IAM sees it: `ec2:CreateVolume` on an ARN, with the keys of its context. */
export interface Request {
  readonly action: string;
  readonly resource: string;
  readonly context: Context;
}

const elements = ["Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "Condition"];
const many = (value: string | readonly string[]): readonly string[] => (typeof value === "string" ? [value] : value);

/** Without regard to case; `*` stands for anything. */
function like(pattern: string, value: string): boolean {
  if (pattern === "*") return true;
  if (!pattern.includes("*")) return pattern.toLowerCase() === value.toLowerCase();
  return new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`, "i").test(value);
}

/** `${aws:EC2InstanceSourceVPC}` in a policy stands for that key of the request. */
const filled = (text: string, { context }: Request): string =>
  text.replaceAll(/\$\{!?([^}]+)\}/g, (_, key: string) => single(context, key) ?? "");

function single(context: Context, key: string): string | undefined {
  const value = context[key];
  if (typeof value === "string" || value === undefined) return value;
  throw new SimulationGap(`${key} holds several values: only a set operator asks for it`);
}

/** Of several values one must match; for a negative operator none may. */
const negative = new Set(["StringNotEquals", "ArnNotLike"]);

/** The condition operators that our policies use; a key that is absent makes all but the negative and IfExists ones false. */
const operators: Readonly<Record<string, (value: string | undefined, wanted: string) => boolean>> = {
  StringEquals: (value, wanted) => value === wanted,
  StringLike: (value, wanted) => value !== undefined && like(wanted, value),
  StringLikeIfExists: (value, wanted) => value === undefined || like(wanted, value),
  StringNotEquals: (value, wanted) => value !== wanted,
  // `*` stands for anything here, too (IAM, condition operators).
  ArnEquals: (value, wanted) => value !== undefined && like(wanted, value),
  ArnNotLike: (value, wanted) => value === undefined || !like(wanted, value),
  Null: (value, wanted) => (value === undefined) === (wanted === "true"),
  BoolIfExists: (value, wanted) => value === undefined || value === wanted,
};

function holds(condition: NonNullable<Statement["Condition"]>, request: Request): boolean {
  return Object.entries(condition).every(([name, keys]) => {
    const [, set, plain = ""] = /^(ForAnyValue:)?(.+)$/.exec(name) ?? [];
    const operator = operators[plain];
    if (operator === undefined || (set !== undefined && negative.has(plain)))
      throw new SimulationGap(`IAM's condition operator ${name} is not known`);
    return Object.entries(keys).every(([key, wanted]) => {
      const values = set === undefined ? [single(request.context, key)] : many(request.context[key] ?? []);
      const agrees = (one: string) => values.some((value) => operator(value, filled(one, request)));
      return negative.has(plain) ? many(wanted).every(agrees) : many(wanted).some(agrees);
    });
  });
}

function applies(statement: Statement, request: Request): boolean {
  const unknown = Object.keys(statement).filter((element) => !elements.includes(element));
  if (unknown.length > 0) throw new SimulationGap(`IAM's element ${unknown.join(", ")} is not known`);
  const names = (actions: string | readonly string[]) => many(actions).some((pattern) => like(pattern, request.action));
  const acts = statement.Action === undefined ? !names(statement.NotAction ?? "*") : names(statement.Action);
  if (!acts || !many(statement.Resource).some((pattern) => like(filled(pattern, request), request.resource))) return false;
  return statement.Condition === undefined || holds(statement.Condition, request);
}

/** A policy's word on a request. An explicit Deny wins; what nobody allows is denied. */
export function judge(policies: readonly Policy[], request: Request): "allowed" | "denied" {
  const matching = policies.flatMap(({ Statement }) => Statement).filter((statement) => applies(statement, request));
  if (matching.some(({ Effect }) => Effect === "Deny")) return "denied";
  return matching.some(({ Effect }) => Effect === "Allow") ? "allowed" : "denied";
}

/** A policy as a service may give it back: the same sets, in another order than they were given. */
export const handedBack = (policy: string): string =>
  JSON.stringify(JSON.parse(policy, (_, value: unknown) => (Array.isArray(value) ? value.toReversed() : value)));
