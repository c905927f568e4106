import { list, type State } from "../../rehearsal/world/asl/definition.ts";
import { at, meet, object, opaque, type Shape, stepsOf, write } from "./shape.ts";

export interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export interface Walk {
  /** `<state> reads <path>`: on at least one way nothing was written there. */
  readonly problems: ReadonlySet<string>;
  readonly visited: ReadonlySet<string>;
  readonly reads: number;
}

/** What a Task gives back, and what it demands of its Parameters. */
export interface Signatures {
  result(state: State, name: string): Shape;
  /** Complaints about the Parameters that a Task hands over. */
  check?(state: State, name: string, parameters: Shape): readonly string[];
}

interface Rule {
  readonly Variable?: string;
  readonly And?: readonly Rule[];
  readonly Or?: readonly Rule[];
  readonly Not?: Rule;
  readonly IsPresent?: boolean;
}

const failure = object({ Error: opaque, Cause: opaque });
const context = object({
  Execution: object({ Id: opaque, Name: opaque, Input: opaque, StartTime: opaque }),
  State: object({ Name: opaque, EnteredTime: opaque, RetryCount: opaque }),
  StateMachine: object({ Id: opaque, Name: opaque }),
});

/** On the way that a rule leads to, what its And asked for by IsPresent is there. */
const narrowed = (shape: Shape, { And = [] }: Rule): Shape =>
  And.reduce(
    (all, { Variable, IsPresent }) =>
      IsPresent === true && Variable !== undefined && at(all, Variable) === undefined
        ? write(all, stepsOf(Variable), opaque)
        : all,
    shape,
  );

/**
 * Walks every way through a machine (every rule and the Default of each Choice, every Catch, every branch) with the slots that were
 * surely written, and notes each read of one that was not. On AWS that is States.Runtime, which no Catch sees.
 */
export function walkMachine(machine: Machine, input: Shape, signatures: Signatures): Walk {
  const walker = new Walker(signatures);
  walker.walk(machine, input);
  return walker;
}

class Walker implements Walk {
  readonly problems = new Set<string>();
  readonly visited = new Set<string>();
  reads = 0;
  readonly #signatures: Signatures;

  constructor(signatures: Signatures) {
    this.#signatures = signatures;
  }

  /** Gives the shapes with which the machine, or the branch, may end well. */
  walk({ StartAt, States }: Machine, input: Shape): Shape[] {
    const ends: Shape[] = [];
    const seen = new Set<string>();
    const open: (readonly [string, Shape])[] = [[StartAt, input]];
    for (let way = open.pop(); way !== undefined; way = open.pop()) {
      const [name, shape] = way;
      const key = `${name} ${JSON.stringify(shape)}`;
      const state = States[name];
      if (state === undefined || seen.has(key)) continue;
      seen.add(key);
      this.visited.add(name);
      const { output, nexts } = this.#enter(name, state, shape);
      if (nexts.length === 0 && state.Type !== "Fail") ends.push(output);
      open.push(...nexts);
      for (const { ResultPath, Next } of list<{ ResultPath?: string | null; Next: string }>(state["Catch"]))
        open.push([Next, ResultPath === null ? shape : write(shape, stepsOf(ResultPath ?? "$"), failure)]);
    }
    return ends;
  }

  /** `output` is what an end gives; each of `nexts` comes with what surely is there on its way. */
  #enter(name: string, state: State, shape: Shape): { output: Shape; nexts: readonly (readonly [string, Shape])[] } {
    const input = this.#select(name, state["InputPath"], shape);
    const handOn = (output: Shape) => ({
      output,
      nexts: typeof state["Next"] === "string" ? [[state["Next"], output] as const] : [],
    });
    switch (state.Type) {
      case "Choice": {
        const rules = list<Rule & { Next: string }>(state["Choices"]);
        for (const rule of rules) this.#rule(name, rule, input, new Set());
        const output = this.#select(name, state["OutputPath"], input);
        const fallback = typeof state["Default"] === "string" ? [[state["Default"], output] as const] : [];
        return { output, nexts: [...rules.map((rule) => [rule.Next, narrowed(output, rule)] as const), ...fallback] };
      }
      case "Fail":
        for (const path of [state["ErrorPath"], state["CausePath"]])
          if (path !== undefined) this.#read(name, String(path), shape);
        return { output: opaque, nexts: [] };
      case "Wait":
      case "Succeed":
        return handOn(this.#select(name, state["OutputPath"], input));
      default: {
        const effective = "Parameters" in state ? this.#template(name, state["Parameters"], input) : input;
        const raw = this.#result(name, state, effective);
        const result = "ResultSelector" in state ? this.#template(name, state["ResultSelector"], raw) : raw;
        const { ResultPath: path = "$" } = state as { ResultPath?: string | null };
        const placed = path === null ? shape : write(shape, stepsOf(path), result);
        return handOn(this.#select(name, state["OutputPath"], placed));
      }
    }
  }

  #result(name: string, state: State, effective: Shape): Shape {
    if (state.Type === "Pass") return "Result" in state ? this.#template(name, state["Result"], opaque) : effective;
    if (state.Type === "Task") {
      for (const complaint of this.#signatures.check?.(state, name, effective) ?? []) this.problems.add(`${name} ${complaint}`);
      return this.#signatures.result(state, name);
    }
    return { items: list<Machine>(state["Branches"]).map((branch) => this.#branch(name, branch, effective)) };
  }

  /** Whatever end a branch comes to, its result has what all of its ends have. */
  #branch(name: string, branch: Machine, input: Shape): Shape {
    const ends = this.walk(branch, input);
    if (ends.length === 0) this.problems.add(`${name} has a branch without an end`);
    return ends.reduce((all, end) => meet(all, end), ends[0] ?? opaque);
  }

  /** In an And, what was asked for by IsPresent may be read after it. */
  #rule(name: string, { Variable, And = [], Or = [], Not, IsPresent }: Rule, shape: Shape, present: Set<string>): void {
    if (Variable !== undefined && IsPresent === undefined && !present.has(Variable)) this.#read(name, Variable, shape);
    const known = new Set(present);
    for (const inner of And) {
      this.#rule(name, inner, shape, known);
      if (inner.IsPresent === true && inner.Variable !== undefined) known.add(inner.Variable);
    }
    for (const inner of [...Or, ...(Not === undefined ? [] : [Not])]) this.#rule(name, inner, shape, new Set(present));
  }

  #template(name: string, value: unknown, shape: Shape): Shape {
    if (Array.isArray(value)) return { items: value.map((inner) => this.#template(name, inner, shape)) };
    if (typeof value !== "object" || value === null) return opaque;
    return object(
      Object.fromEntries(
        Object.entries(value).map(([key, inner]) =>
          key.endsWith(".$")
            ? [key.slice(0, -2), this.#expression(name, String(inner), shape)]
            : [key, this.#template(name, inner, shape)],
        ),
      ),
    );
  }

  #expression(name: string, text: string, shape: Shape): Shape {
    if (text.startsWith("$")) return this.#read(name, text, shape);
    for (const [path] of text.matchAll(/\$\$?(?:[.[][\w.[\]]*)?/g)) this.#read(name, path, shape);
    return opaque;
  }

  #select(name: string, path: unknown, shape: Shape): Shape {
    if (path === null) return object({});
    return path === undefined ? shape : this.#read(name, String(path), shape);
  }

  #read(name: string, path: string, shape: Shape): Shape {
    this.reads++;
    const found = path.startsWith("$$") ? at(context, path.slice(1)) : at(shape, path);
    if (found === undefined) this.problems.add(`${name} reads ${path}`);
    return found ?? opaque;
  }
}
