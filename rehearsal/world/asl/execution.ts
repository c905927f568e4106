import type { Around } from "../life.ts";
import { SimulationGap } from "../service.ts";
import { type Catcher, type Definition, list, nestedResource, type Retrier, type State } from "./definition.ts";
import type { History, Thread } from "./history.ts";
import type { Host, Invocation, Nested, Outcome } from "./host.ts";
import { type Json, place, type Scope, StateError, select, template } from "./paths.ts";
import { nextOf, plain, resultPathOf, type Step } from "./plain.ts";
import { catcherOf, Retries } from "./retry.ts";

/** A call under way; its events are `<events>Succeeded`, `Failed` or `TimedOut`. */
interface Call {
  readonly events: "LambdaFunction" | "Task";
  readonly details: Readonly<Record<string, unknown>>;
  readonly answer: Promise<Json>;
  /** The Task has timed out. */
  abandon(): void;
}

/** A branch or the whole run: once stopped it enters no state and writes no event any more. */
interface Lane extends Thread {
  readonly parent: Lane | null;
  /** Ends the Parallel that this is a branch of, as a failed neighbour does. */
  readonly fail: ((error: StateError) => void) | null;
  stopped: boolean;
}

/** One stay in a state. */
interface Visit {
  readonly name: string;
  readonly state: State;
  readonly data: Json;
  readonly lane: Lane;
  /** `<state>/<how often it was entered>`: what its draws of chance are for. */
  readonly subject: string;
  readonly enteredAt: string;
}

const isStopped = (lane: Lane): boolean => lane.stopped || (lane.parent !== null && isStopped(lane.parent));

/** Payload limit of a state, 256 KiB (facts 8.7). */
const payloadMax = 262_144;
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
  endedAt: number | null = null;
  /** What Step Functions bills: states entered, and retries. */
  transitions = 0;
  retries = 0;
  largestStateBytes = 0;
  readonly #definition: Definition;
  readonly #host: Host;
  readonly #lane: Lane;
  readonly #visits = new Map<string, number>();
  readonly #children = new Map<Nested, Lane>();
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
    this.#lane = { previous: 0, parent: null, fail: null, stopped: false };
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
    const timedOut = limit === undefined ? never : clock.limit(limit).then((): Outcome => ({ status: "TIMED_OUT" }));
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
    this.#cancelChildren();
    this.outcome = outcome;
    this.endedAt = clock.now();
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
      const count = (this.#visits.get(name) ?? 0) + 1;
      this.#visits.set(name, count);
      const subject = `${name}/${count}`;
      await this.#host.clock.sleep(this.#host.chance.seconds("stepFunctions.transition", subject));
      if (isStopped(lane)) return never;
      this.transitions++;
      this.history.add(lane, `${eventName[state.Type]}Entered`, { name, input: data });
      const step = await this.#enter({ name, state, data, lane, subject, enteredAt: this.#host.clock.iso() });
      if (isStopped(lane)) return never;
      this.#weigh(step.output);
      this.history.add(lane, `${eventName[state.Type]}Exited`, { name, output: step.output });
      data = step.output;
      name = step.next;
    }
    return data;
  }

  #enter(visit: Visit): Promise<Step> {
    const { state } = visit;
    if (state.Type === "Task" || state.Type === "Parallel") return this.#retried(visit);
    return plain(state, this.#scope(visit, 0), this.#host.clock);
  }

  async #retried(visit: Visit): Promise<Step> {
    const { state, data, lane, subject } = visit;
    const retries = new Retries(list<Partial<Retrier>>(state["Retry"]), this.#host.chance, subject);
    for (let attempt = 0; ; attempt++) {
      try {
        const scope = this.#scope(visit, attempt);
        const input = select(scope, state["InputPath"]);
        const effective = "Parameters" in state ? template(state["Parameters"] as Json, { ...scope, data: input }) : input;
        const work = state.Type === "Task" ? this.#task(visit, effective, attempt) : this.#parallel(state, effective, lane);
        const raw = await work;
        if (isStopped(lane)) return never;
        const result = "ResultSelector" in state ? template(state["ResultSelector"] as Json, { ...scope, data: raw }) : raw;
        const placed = place(data, resultPathOf(state), result);
        return { output: select({ ...scope, data: placed }, state["OutputPath"]), next: nextOf(state) };
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

  /** One call of a function or one nested execution, with its events. What goes on after a timeout is heard by nobody. */
  async #task({ name, state, lane }: Visit, input: Json, attempt: number): Promise<Json> {
    const { clock } = this.#host;
    const resource = String(state["Resource"]);
    const limit = state["TimeoutSeconds"];
    this.#weigh(input);
    const call =
      resource === nestedResource
        ? this.#nested(name, input, lane)
        : this.#lambda({ functionArn: resource, state: name, execution: this.arn, attempt }, input, lane);
    const timeout =
      limit === undefined ? [] : [clock.limit(Number(limit)).then(() => Promise.reject(new StateError("States.Timeout", "")))];
    try {
      const output = await Promise.race([call.answer, ...timeout]);
      if (isStopped(lane)) return never;
      this.#weigh(output);
      this.history.add(lane, `${call.events}Succeeded`, { ...call.details, output });
      return output;
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      if (isStopped(lane)) return never;
      const end = error.name === "States.Timeout" ? "TimedOut" : "Failed";
      if (end === "TimedOut") call.abandon();
      this.history.add(lane, `${call.events}${end}`, { ...call.details, error: error.name, cause: error.cause });
      throw error;
    }
  }

  #lambda(invocation: Omit<Invocation, "life">, input: Json, lane: Lane): Call {
    this.history.add(lane, "LambdaFunctionScheduled", { resource: invocation.functionArn, input });
    this.history.add(lane, "LambdaFunctionStarted", {});
    const { fail } = lane;
    const around: Around = {
      stopBranch: fail === null ? null : () => fail(new StateError("Lambda.Unknown", "planned: a neighbouring branch failed")),
      stopExecution: (error, cause) => this.stop(error, cause),
    };
    return { events: "LambdaFunction", details: {}, answer: this.#host.invoke(input, invocation, around), abandon() {} };
  }

  #nested(name: string, input: Json, lane: Lane): Call {
    const details = { resourceType: "states", resource: "startExecution.sync:2" };
    this.history.add(lane, "TaskScheduled", { ...details, parameters: input });
    this.history.add(lane, "TaskStarted", details);
    try {
      const child = this.#host.nested(input, `${this.name}-${name}`);
      this.#children.set(child, lane);
      const forget = () => void this.#children.delete(child);
      child.ended.then(forget, forget);
      this.history.add(lane, "TaskSubmitted", { ...details, output: child.started });
      return { events: "Task", details, answer: child.ended, abandon: () => this.#cancelChild(child) };
    } catch (error) {
      // A child that cannot be started fails as one that ran: through the events of a Task.
      return { events: "Task", details, answer: Promise.reject(error), abandon() {} };
    }
  }

  /** Children whose Task was aborted, with the execution or by a neighbouring branch. */
  #cancelChildren(): void {
    for (const [child, lane] of this.#children) if (isStopped(lane)) this.#cancelChild(child);
  }

  #cancelChild(child: Nested): void {
    if (this.#children.delete(child)) child.cancel();
  }

  async #parallel(state: State, input: Json, lane: Lane): Promise<Json> {
    this.history.add(lane, "ParallelStateStarted", {});
    const branches = list<Definition>(state["Branches"]);
    const planned = Promise.withResolvers<never>();
    const fail = planned.reject;
    const lanes = branches.map((): Lane => ({ previous: lane.previous, parent: lane, fail, stopped: false }));
    try {
      const walks = Promise.all(branches.map((branch, index) => this.#walk(branch, input, lanes[index] as Lane)));
      const results = await Promise.race([walks, planned.promise]);
      lane.previous = Math.max(...lanes.map(({ previous }) => previous));
      this.history.add(lane, "ParallelStateSucceeded", {});
      return results;
    } catch (error) {
      // The other branches end here; what they have asked of Lambda goes on to its end.
      for (const branch of lanes) branch.stopped = true;
      this.#cancelChildren();
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

  #scope({ name, data, enteredAt }: Visit, attempt: number): Scope {
    const context = {
      Execution: { Id: this.arn, Name: this.name, Input: this.input, StartTime: new Date(this.startedAt).toISOString() },
      State: { Name: name, EnteredTime: enteredAt, RetryCount: attempt },
      StateMachine: { Id: this.#host.machineArn(this.machine), Name: this.machine },
    };
    return { data, context };
  }
}
