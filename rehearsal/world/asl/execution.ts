import type { Chance } from "../chance.ts";
import type { SimClock } from "../clock.ts";
import { SimulationGap } from "../service.ts";
import { choose } from "./choice.ts";
import { type Catcher, type Definition, list, type Retrier, type State } from "./definition.ts";
import type { History, Thread } from "./history.ts";
import { type Json, place, type Scope, StateError, select, template } from "./paths.ts";
import { catcherOf, Retries } from "./retry.ts";

/** What a Lambda function gets to know of its call beside the event. */
export interface Invocation {
  readonly functionArn: string;
  readonly state: string;
  readonly execution: string;
}
export type LambdaFunction = (event: Json, invocation: Invocation) => Promise<unknown>;

export interface Outcome {
  readonly status: "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";
  readonly output?: Json;
  readonly error?: string;
  readonly cause?: string;
}

/** What an execution asks of the Step Functions that runs it. */
export interface Host {
  readonly clock: SimClock;
  readonly chance: Chance;
  invoke(functionArn: string, event: Json, invocation: Invocation): Promise<Json>;
  nested(parameters: Json, name: string): Promise<Json>;
}

/** A branch or the whole run: once stopped it enters no state and writes no event any more. */
interface Lane extends Thread {
  readonly parent: Lane | null;
  stopped: boolean;
}

const isStopped = (lane: Lane): boolean => lane.stopped || (lane.parent !== null && isStopped(lane.parent));

/** Payload limit of a state, 256 KiB (facts 8.7). */
const payloadMax = 262_144;
const nestedResource = "arn:aws:states:::states:startExecution.sync:2";
const never = new Promise<never>(() => {});

const eventName: Readonly<Record<State["Type"], string>> = {
  Task: "TaskState",
  Parallel: "ParallelState",
  Choice: "ChoiceState",
  Pass: "PassState",
  Wait: "WaitState",
  Succeed: "SucceedState",
  Fail: "FailState",
};

/** One run of a machine on the virtual clock. */
export class Execution {
  readonly arn: string;
  readonly name: string;
  readonly machine: string;
  readonly input: Json;
  readonly startedAt: number;
  readonly history: History;
  readonly done: Promise<Outcome>;
  outcome: Outcome | null = null;
  /** What Step Functions bills: states entered, and retries. */
  transitions = 0;
  retries = 0;
  largestStateBytes = 0;
  readonly #definition: Definition;
  readonly #host: Host;
  readonly #lane: Lane;
  readonly #visits = new Map<string, number>();
  #abort: (outcome: Outcome) => void = () => {};

  constructor(
    host: Host,
    definition: Definition,
    about: { arn: string; name: string; machine: string; input: Json },
    history: History,
  ) {
    this.arn = about.arn;
    this.name = about.name;
    this.machine = about.machine;
    this.input = about.input;
    this.startedAt = host.clock.now();
    this.history = history;
    this.#host = host;
    this.#definition = definition;
    this.#lane = { previous: 0, parent: null, stopped: false };
    this.done = this.#run();
  }

  /** StopExecution: no Catch runs, and what Lambda has begun goes on to its end. */
  stop(error: string, cause: string): void {
    this.#abort({ status: "ABORTED", error, cause });
  }

  async #run(): Promise<Outcome> {
    const { clock } = this.#host;
    this.history.add(this.#lane, "ExecutionStarted", { input: this.input });
    const aborted = new Promise<Outcome>((resolve) => {
      this.#abort = resolve;
    });
    const limit = this.#definition.TimeoutSeconds;
    const timedOut = limit === undefined ? never : clock.sleep(limit).then((): Outcome => ({ status: "TIMED_OUT" }));
    const outcome = await Promise.race([this.#states(), aborted, timedOut]);
    const endings = {
      SUCCEEDED: "ExecutionSucceeded",
      FAILED: "ExecutionFailed",
      TIMED_OUT: "ExecutionTimedOut",
      ABORTED: "ExecutionAborted",
    };
    const { status, ...details } = outcome;
    this.history.add(this.#lane, endings[status], details);
    this.#lane.stopped = true;
    this.outcome = outcome;
    return outcome;
  }

  async #states(): Promise<Outcome> {
    try {
      return { status: "SUCCEEDED", output: await this.#walk(this.#definition, this.input, this.#lane) };
    } catch (error) {
      if (error instanceof StateError) return { status: "FAILED", error: error.name, cause: error.cause };
      throw error;
    }
  }

  /** From StartAt to an end; gives the last state's output. */
  async #walk(machine: Pick<Definition, "StartAt" | "States">, input: Json, lane: Lane): Promise<Json> {
    let data = input;
    for (let name: string | null = machine.StartAt; name !== null; ) {
      const state: State | undefined = machine.States[name];
      if (state === undefined) throw new SimulationGap(`no state is called ${name}`);
      const visit = (this.#visits.get(name) ?? 0) + 1;
      this.#visits.set(name, visit);
      await this.#host.clock.sleep(this.#host.chance.seconds("stepFunctions.transition", `${name}/${visit}`));
      if (isStopped(lane)) return never;
      this.transitions++;
      this.history.add(lane, `${eventName[state.Type]}Entered`, { name, input: data });
      const step = await this.#enter(name, visit, state, data, lane);
      if (isStopped(lane)) return never;
      this.#weigh(step.output);
      this.history.add(lane, `${eventName[state.Type]}Exited`, { name, output: step.output });
      data = step.output;
      name = step.next;
    }
    return data;
  }

  async #enter(
    name: string,
    visit: number,
    state: State,
    data: Json,
    lane: Lane,
  ): Promise<{ output: Json; next: string | null }> {
    const scope: Scope = { data, context: this.#context(name) };
    const next = typeof state["Next"] === "string" ? state["Next"] : null;
    switch (state.Type) {
      case "Task":
      case "Parallel":
        return this.#retried(name, visit, state, data, lane);
      case "Choice":
        return {
          output: select(scope, state["InputPath"]),
          next: choose(list(state["Choices"]), state["Default"] as string | undefined, scope),
        };
      case "Pass": {
        const input = select(scope, state["InputPath"]);
        const made = "Result" in state ? (state["Result"] as Json) : input;
        const result = "Parameters" in state ? template(state["Parameters"] as Json, { ...scope, data: input }) : made;
        return {
          output: select(
            { ...scope, data: place(data, state["ResultPath"] === undefined ? "$" : state["ResultPath"], result) },
            state["OutputPath"],
          ),
          next,
        };
      }
      case "Wait":
        await this.#host.clock.sleep(Number(state["Seconds"]));
        return { output: data, next };
      case "Succeed":
        return { output: select(scope, state["OutputPath"]), next: null };
      case "Fail": {
        const text = (field: "Error" | "Cause") => {
          const path = state[`${field}Path`];
          return path === undefined ? String(state[field] ?? "") : String(select(scope, path));
        };
        throw new StateError(text("Error"), text("Cause"));
      }
    }
  }

  async #retried(
    name: string,
    visit: number,
    state: State,
    data: Json,
    lane: Lane,
  ): Promise<{ output: Json; next: string | null }> {
    const retries = new Retries(list<Partial<Retrier>>(state["Retry"]), this.#host.chance, `${name}/${visit}`);
    for (let attempt = 0; ; attempt++) {
      try {
        const scope: Scope = { data, context: this.#context(name, attempt) };
        const input = select(scope, state["InputPath"]);
        const effective = "Parameters" in state ? template(state["Parameters"] as Json, { ...scope, data: input }) : input;
        const raw =
          state.Type === "Task"
            ? await this.#task(name, state, effective, lane)
            : await this.#parallel(name, state, effective, lane);
        if (isStopped(lane)) return never;
        const result = "ResultSelector" in state ? template(state["ResultSelector"] as Json, { ...scope, data: raw }) : raw;
        const placed = place(data, state["ResultPath"] === undefined ? "$" : state["ResultPath"], result);
        return {
          output: select({ ...scope, data: placed }, state["OutputPath"]),
          next: typeof state["Next"] === "string" ? state["Next"] : null,
        };
      } catch (error) {
        if (!(error instanceof StateError)) throw error;
        if (isStopped(lane)) return never;
        const delay = retries.next(error);
        if (delay === null) {
          const catcher = catcherOf(list<Catcher>(state["Catch"]), error);
          if (catcher === undefined) throw error;
          const failure = { Error: error.name, Cause: error.cause };
          return {
            output: place(data, catcher.ResultPath === undefined ? "$" : catcher.ResultPath, failure),
            next: catcher.Next,
          };
        }
        this.retries++;
        await this.#host.clock.sleep(delay);
        if (isStopped(lane)) return never;
      }
    }
  }

  async #task(name: string, state: State, input: Json, lane: Lane): Promise<Json> {
    const { clock } = this.#host;
    const resource = String(state["Resource"]);
    this.#weigh(input);
    const limit = state["TimeoutSeconds"];
    const timeout =
      limit === undefined ? never : clock.sleep(Number(limit)).then(() => Promise.reject(new StateError("States.Timeout", "")));
    if (resource === nestedResource) {
      this.history.add(lane, "TaskScheduled", { resourceType: "states", resource: "startExecution.sync:2", parameters: input });
      return Promise.race([this.#host.nested(input, `${this.name}-${name}`), timeout]);
    }
    this.history.add(lane, "LambdaFunctionScheduled", { resource, input });
    this.history.add(lane, "LambdaFunctionStarted", {});
    try {
      const invocation = { functionArn: resource, state: name, execution: this.arn };
      const output = await Promise.race([this.#host.invoke(resource, input, invocation), timeout]);
      if (isStopped(lane)) return never;
      this.#weigh(output);
      this.history.add(lane, "LambdaFunctionSucceeded", { output });
      return output;
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      if (isStopped(lane)) return never;
      const type = error.name === "States.Timeout" ? "LambdaFunctionTimedOut" : "LambdaFunctionFailed";
      this.history.add(lane, type, { error: error.name, cause: error.cause });
      throw error;
    }
  }

  async #parallel(name: string, state: State, input: Json, lane: Lane): Promise<Json> {
    this.history.add(lane, "ParallelStateStarted", {});
    const branches = list<Definition>(state["Branches"]);
    const lanes = branches.map((): Lane => ({ previous: lane.previous, parent: lane, stopped: false }));
    try {
      const results = await Promise.all(branches.map((branch, index) => this.#walk(branch, input, lanes[index] as Lane)));
      lane.previous = Math.max(...lanes.map(({ previous }) => previous));
      this.history.add(lane, "ParallelStateSucceeded", {});
      return results;
    } catch (error) {
      // The other branches end here; what they have asked of Lambda goes on to its end.
      for (const branch of lanes) branch.stopped = true;
      if (error instanceof StateError && !isStopped(lane)) {
        lane.previous = Math.max(...lanes.map(({ previous }) => previous));
        this.history.add(lane, "ParallelStateFailed", { error: error.name, cause: error.cause });
      }
      throw error;
    }
  }

  #weigh(data: Json): void {
    const bytes = Buffer.byteLength(JSON.stringify(data));
    this.largestStateBytes = Math.max(this.largestStateBytes, bytes);
    if (bytes > payloadMax) throw new StateError("States.DataLimitExceeded", `${bytes} bytes exceed the limit of ${payloadMax}`);
  }

  #context(state: string, attempt = 0): Json {
    return {
      Execution: { Id: this.arn, Name: this.name, Input: this.input, StartTime: new Date(this.startedAt).toISOString() },
      State: { Name: state, EnteredTime: this.#host.clock.iso(), RetryCount: attempt },
      StateMachine: { Name: this.machine },
    };
  }
}
