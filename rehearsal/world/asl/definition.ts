import { SimulationGap } from "../service.ts";

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
const retrierFields = [
  "ErrorEquals",
  "IntervalSeconds",
  "BackoffRate",
  "MaxAttempts",
  "MaxDelaySeconds",
  "JitterStrategy",
  "Comment",
];
const comparisons = [
  "StringEquals",
  "NumericEquals",
  "NumericGreaterThan",
  "NumericLessThan",
  "BooleanEquals",
  "IsNull",
  "IsPresent",
];
const ruleFields = ["Variable", "Next", "Comment", "And", "Or", "Not", ...comparisons];

/** Refuses whatever the interpreter would otherwise have to guess about. */
export function checkDefinition(value: unknown): Definition {
  const definition = value as Definition;
  known("the machine", definition, ["Comment", "StartAt", "TimeoutSeconds", "States"]);
  checkStates(definition);
  return definition;
}

function checkStates(machine: Pick<Definition, "StartAt" | "States">): void {
  const targets = new Set([machine.StartAt]);
  for (const [name, state] of Object.entries(machine.States)) {
    const fields = fieldsOf[state.Type];
    if (fields === undefined) throw new SimulationGap(`${name} is a ${state.Type}`);
    known(name, state, fields);
    for (const retrier of list<object>(state["Retry"])) known(`${name}.Retry`, retrier, retrierFields);
    for (const catcher of list<{ Next: string }>(state["Catch"])) {
      known(`${name}.Catch`, catcher, ["ErrorEquals", "ResultPath", "Next", "Comment"]);
      targets.add(catcher.Next);
    }
    for (const rule of list<{ Next: string }>(state["Choices"])) {
      checkRule(name, rule);
      targets.add(rule.Next);
    }
    for (const field of ["Next", "Default"]) if (typeof state[field] === "string") targets.add(state[field]);
    for (const branch of list<Definition>(state["Branches"])) {
      known(`${name}.Branches`, branch, ["Comment", "StartAt", "States"]);
      checkStates(branch);
    }
  }
  for (const target of targets) if (machine.States[target] === undefined) throw new SimulationGap(`no state is called ${target}`);
}

function checkRule(name: string, rule: object): void {
  known(`${name}.Choices`, rule, ruleFields);
  const { And, Or, Not } = rule as { And?: object[]; Or?: object[]; Not?: object };
  for (const inner of [...(And ?? []), ...(Or ?? []), ...(Not === undefined ? [] : [Not])]) checkRule(name, inner);
}

export const list = <T>(value: unknown): readonly T[] => (Array.isArray(value) ? value : []);

function known(where: string, value: object, fields: readonly string[]): void {
  const unknown = Object.keys(value).filter((field) => !fields.includes(field));
  if (unknown.length > 0) throw new SimulationGap(`${where} uses ${unknown.join(", ")}, which this interpreter does not know`);
}
