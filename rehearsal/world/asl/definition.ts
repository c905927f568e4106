import { SimulationGap } from "../service.ts";
import { comparisons } from "./choice.ts";
import { checkPath, checkTemplate } from "./paths.ts";

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds: number;
  readonly BackoffRate: number;
  readonly MaxAttempts: number;
  readonly MaxDelaySeconds: number;
  readonly JitterStrategy: "FULL" | "NONE";
}

export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly ResultPath: string | null;
  readonly Next: string;
}

/** A state as it stands in the file: only fields that `checkDefinition` knows. */
export interface State {
  readonly Type: "Task" | "Parallel" | "Choice" | "Pass" | "Wait" | "Succeed" | "Fail";
  readonly [field: string]: unknown;
}

export interface Definition {
  readonly Comment?: string;
  readonly StartAt: string;
  readonly TimeoutSeconds?: number;
  readonly States: Readonly<Record<string, State>>;
}

export const list = <T>(value: unknown): readonly T[] => (Array.isArray(value) ? value : []);

export const nestedResource = "arn:aws:states:::states:startExecution.sync:2";

const flow = ["Type", "Comment", "Next", "End", "InputPath", "OutputPath"];
/** The fields each type of state may have; any other is a feature that nothing here would carry out. */
const fieldsOf: Readonly<Record<State["Type"], readonly string[]>> = {
  Task: [...flow, "Resource", "TimeoutSeconds", "Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"],
  Parallel: [...flow, "Branches", "Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"],
  Choice: ["Type", "Comment", "Choices", "Default", "InputPath", "OutputPath"],
  Pass: [...flow, "Parameters", "Result", "ResultPath"],
  Wait: [...flow, "Seconds"],
  Succeed: ["Type", "Comment", "InputPath", "OutputPath"],
  Fail: ["Type", "Comment", "Error", "Cause", "ErrorPath", "CausePath"],
};
const retrierFields = "ErrorEquals IntervalSeconds BackoffRate MaxAttempts MaxDelaySeconds JitterStrategy Comment".split(" ");
const pathFields = ["InputPath", "OutputPath", "ResultPath", "ErrorPath", "CausePath"];

interface Rule {
  readonly Variable?: unknown;
  readonly Next?: unknown;
  readonly And?: readonly Rule[];
  readonly Or?: readonly Rule[];
  readonly Not?: Rule;
  readonly [comparison: string]: unknown;
}

/** Refuses, before anything runs, whatever the interpreter would otherwise have to guess about. */
export function checkDefinition(value: unknown): Definition {
  const definition = value as Definition;
  known("the machine", definition, ["Comment", "StartAt", "TimeoutSeconds", "States"]);
  checkStates(definition);
  return definition;
}

function refuseUnless(fact: boolean, complaint: string): void {
  if (!fact) throw new SimulationGap(complaint);
}

function known(where: string, value: object, fields: readonly string[]): void {
  const unknown = Object.keys(value).filter((field) => !fields.includes(field));
  refuseUnless(unknown.length === 0, `${where} uses ${unknown.join(", ")}, which this interpreter does not know`);
}

function checkStates(machine: Pick<Definition, "StartAt" | "States">): void {
  const targets = new Set<unknown>([machine.StartAt]);
  for (const [name, state] of Object.entries(machine.States)) {
    const fields = fieldsOf[state.Type];
    if (fields === undefined) throw new SimulationGap(`${name} is a ${state.Type}`);
    known(name, state, fields);
    checkFlow(name, state);
    checkData(name, state);
    checkErrors(`${name}.Retry`, list<Retrier>(state["Retry"]), retrierFields);
    checkErrors(`${name}.Catch`, list<Catcher>(state["Catch"]), ["ErrorEquals", "ResultPath", "Next", "Comment"]);
    for (const rule of list<Rule>(state["Choices"])) checkRule(name, rule, true);
    for (const { Next } of [...list<Catcher>(state["Catch"]), ...list<Rule>(state["Choices"])]) targets.add(Next);
    for (const field of ["Next", "Default"]) if (field in state) targets.add(state[field]);
    for (const branch of list<Definition>(state["Branches"])) {
      known(`${name}.Branches`, branch, ["Comment", "StartAt", "States"]);
      checkStates(branch);
    }
  }
  for (const target of targets) refuseUnless(Object.hasOwn(machine.States, String(target)), `no state is called ${target}`);
}

function checkFlow(name: string, state: State): void {
  if (fieldsOf[state.Type].includes("End"))
    refuseUnless((state["End"] === true) !== (typeof state["Next"] === "string"), `${name} needs either Next or End`);
  if (state.Type === "Wait") refuseUnless(typeof state["Seconds"] === "number", `${name} waits for no number of seconds`);
  if (state.Type === "Parallel") refuseUnless(list(state["Branches"]).length > 0, `${name} has no branches`);
  if (state.Type === "Choice") refuseUnless(list(state["Choices"]).length > 0, `${name} has no choices`);
  if (state.Type !== "Task") return;
  const resource = String(state["Resource"]);
  // The shipped file names its functions by places that the deployment fills.
  const isKnown = /^(arn:aws:lambda:|\$\{\w+Arn\}$)/.test(resource) || resource === nestedResource;
  refuseUnless(isKnown, `${name} calls ${resource}, which this interpreter does not know`);
}

function checkData(name: string, state: State): void {
  for (const field of pathFields) if (typeof state[field] === "string") checkPath(state[field]);
  for (const field of ["Parameters", "ResultSelector"]) if (field in state) checkTemplate(state[field]);
  for (const field of ["Error", "Cause"])
    refuseUnless(!(field in state && `${field}Path` in state), `${name} has both ${field} and ${field}Path`);
}

/** States.ALL stands alone, in the last place: AWS refuses the machine otherwise. */
function checkErrors(where: string, rules: readonly (Retrier | Catcher)[], fields: readonly string[]): void {
  for (const [index, rule] of rules.entries()) {
    known(where, rule, fields);
    const names = list<string>(rule.ErrorEquals);
    refuseUnless(names.length > 0, `${where} has no ErrorEquals`);
    const isAlone = names.length === 1 && index === rules.length - 1;
    refuseUnless(!names.includes("States.ALL") || isAlone, `${where}: States.ALL stands alone and last`);
    const { JitterStrategy = "NONE", ResultPath } = rule as Partial<Retrier & Catcher>;
    refuseUnless(["FULL", "NONE"].includes(JitterStrategy), `${where} has the jitter ${JitterStrategy}`);
    if (typeof ResultPath === "string") checkPath(ResultPath);
  }
}

function checkRule(name: string, rule: Rule, isOutermost: boolean): void {
  const where = `${name}.Choices`;
  known(where, rule, ["Variable", "Next", "Comment", "And", "Or", "Not", ...Object.keys(comparisons)]);
  refuseUnless(isOutermost === (typeof rule.Next === "string"), `${where}: Next belongs to the outermost rule, and only there`);
  const operators = Object.keys(rule).filter((field) => !["Variable", "Next", "Comment"].includes(field));
  const [operator = ""] = operators;
  refuseUnless(operators.length === 1, `${where} has ${operators.length} operators in one rule`);
  const comparison = comparisons[operator];
  if (comparison !== undefined) {
    refuseUnless(typeof rule.Variable === "string", `${where} compares no Variable`);
    checkPath(String(rule.Variable));
    const isOfType = typeof rule[operator] === comparison.type;
    refuseUnless(isOfType, `${where}: ${operator} is compared with a ${comparison.type}`);
    refuseUnless(operator !== "StringMatches" || !String(rule[operator]).includes("\\"), `${where}: an escape in a pattern`);
  }
  for (const inner of [...(rule.And ?? []), ...(rule.Or ?? []), ...(rule.Not === undefined ? [] : [rule.Not])])
    checkRule(name, inner, false);
}
