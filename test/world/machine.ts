import type { Execution } from "../../rehearsal/world/asl/execution.ts";
import type { HistoryEvent } from "../../rehearsal/world/asl/history.ts";
import type { LambdaFunction, Outcome } from "../../rehearsal/world/asl/host.ts";
import type { Json } from "../../rehearsal/world/asl/paths.ts";
import { StepFunctions } from "../../rehearsal/world/asl/step-functions.ts";
import { Chance } from "../../rehearsal/world/chance.ts";
import { SimClock } from "../../rehearsal/world/clock.ts";
import type { Universe } from "../../rehearsal/world/service.ts";

const prefix = "arn:aws:lambda:sim-1:111122223333:function:";

/** The Resource of a Task that calls this function. */
export const call = (name: string) => ({ Type: "Task", Resource: `${prefix}${name}` });

type States = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** States in the order of the run: each goes on to the one written after it, unless it says where to, or ends by its nature. */
export function chain(states: States): Readonly<Record<string, unknown>> {
  const names = Object.keys(states);
  const linked = names.map((name, index) => {
    const state = states[name] ?? {};
    const isOpen = !["Next", "End"].some((field) => field in state) && !/^(Choice|Succeed|Fail)$/.test(String(state["Type"]));
    const next = names[index + 1];
    return [name, isOpen ? { ...state, ...(next === undefined ? { End: true } : { Next: next }) } : state];
  });
  return { StartAt: names[0], States: Object.fromEntries(linked) };
}

/** An account with nothing in it but machines and functions. */
export class Bench {
  readonly universe: Universe;
  readonly stepFunctions: StepFunctions;
  readonly heard: HistoryEvent[] = [];

  constructor(functions: Readonly<Record<string, LambdaFunction>> = {}, seed = 1) {
    const clock = new SimClock("2026-11-24T00:00:00Z");
    this.universe = { clock, chance: new Chance(seed), region: "sim-1", account: "111122223333" };
    this.stepFunctions = new StepFunctions(this.universe, (event) => this.heard.push(event));
    for (const [name, run] of Object.entries(functions)) this.stepFunctions.addFunction(`${prefix}${name}`, run);
  }

  /** Seconds since the bench was set up. */
  seconds(): number {
    return (this.universe.clock.now() - Date.parse("2026-11-24T00:00:00Z")) / 1000;
  }

  start(machine: unknown, input: Json = {}, name = "run"): Execution {
    this.stepFunctions.addMachine("machine", JSON.stringify(machine));
    return this.stepFunctions.start("machine", name, input);
  }

  async run(machine: unknown, input: Json = {}): Promise<Outcome & { readonly execution: Execution }> {
    const execution = this.start(machine, input);
    return { ...(await this.universe.clock.run(execution.done)), execution };
  }
}

/** What a machine gives for an input when its functions take no time. */
export const run = async (states: States, input: Json = {}, functions: Readonly<Record<string, LambdaFunction>> = {}) =>
  new Bench(functions).run(chain(states), input);

/** An error as a step throws one. */
export function named(name: string, message = "as planned"): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}

/** A function that throws these errors, one a call, and then answers. */
export function failing(...names: string[]): LambdaFunction {
  const left = [...names];
  return async () => {
    const name = left.shift();
    if (name !== undefined) throw named(name);
    return { ok: true };
  };
}

export const typesOf = ({ history }: Execution): string[] => history.events.map(({ type }) => type);
