import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../clock.ts";
import { Lambda } from "../lambda.ts";
import type { Universe } from "../service.ts";
import { SimulationGap } from "../service.ts";
import { checkDefinition, type Definition } from "./definition.ts";
import { Execution } from "./execution.ts";
import { History, type HistoryEvent } from "./history.ts";
import type { Host, LambdaFunction } from "./host.ts";
import { type Json, StateError } from "./paths.ts";
import { type StatusEvent, StatusEvents } from "./status-events.ts";

/** From an aborted Task to the end of its child, where it is stopped at all: a guess. */
const cancelSecondsMax = 10;

/** The Step Functions and the Lambda of the virtual account: machines, functions, and every execution that ever ran. */
export class StepFunctions {
  readonly executions = new Map<string, Execution>();
  readonly #universe: Universe<Clock>;
  readonly #machines = new Map<string, Definition>();
  readonly lambda: Lambda;
  readonly #events: StatusEvents;
  readonly #onEvent: (event: HistoryEvent) => void;

  constructor(universe: Universe<Clock>, onEvent: (event: HistoryEvent) => void = () => {}) {
    this.#universe = universe;
    this.lambda = new Lambda(universe);
    this.#events = new StatusEvents(universe);
    this.#onEvent = onEvent;
  }

  /** `definition` is the file's text with its ARNs filled in. */
  addMachine(name: string, definition: string): void {
    const [place] = /\$\{\w+\}/.exec(definition) ?? [];
    if (place !== undefined) throw new SimulationGap(`${name}: nothing was put in the place of ${place}`);
    this.#machines.set(name, checkDefinition(JSON.parse(definition)));
  }

  addFunction(arn: string, run: LambdaFunction): void {
    this.lambda.add(arn, run);
  }

  /** Status events of every execution, its begin and its end: one in twenty is lost, others come late or twice. */
  onStatusChange(listener: (event: StatusEvent) => void): void {
    this.#events.subscribe(listener);
  }

  machineArn(name: string): string {
    return `arn:aws:states:${this.#universe.region}:${this.#universe.account}:stateMachine:${name}`;
  }

  executionArn(machine: string, name: string): string {
    return `arn:aws:states:${this.#universe.region}:${this.#universe.account}:execution:${machine}:${name}`;
  }

  start(machine: string, name: string, input: Json): Execution {
    const definition = this.#machines.get(machine);
    if (definition === undefined) throw new SimulationGap(`no state machine is called ${machine}`);
    const arn = this.executionArn(machine, name);
    const history = new History(arn, this.#universe.clock, this.#onEvent);
    const host: Host = {
      clock: this.#universe.clock,
      chance: this.#universe.chance,
      invoke: (event, invocation, around) => this.lambda.invoke(event, invocation, around),
      nested: (parameters, childName) => this.#nested(parameters, childName),
      machineArn: (name) => this.machineArn(name),
    };
    const execution = new Execution(host, definition, { arn, name, machine, input }, history);
    this.executions.set(arn, execution);
    const publish = () => this.#events.publish(execution, this.machineArn(machine));
    publish();
    // A gap in the simulator ends an execution without a status.
    execution.done.then(publish, () => {});
    return execution;
  }

  /**
   * StartExecution: the same name with the same input while it runs is the same execution; null when the name is taken. A closed
   * execution's name stays taken (for 90 days on AWS).
   */
  startNamed(machine: string, name: string, input: Json): Execution | null {
    const present = this.executions.get(this.executionArn(machine, name));
    if (present === undefined) return this.start(machine, name, input);
    return present.outcome === null && isDeepStrictEqual(present.input, input) ? present : null;
  }

  /** A name that no execution of the machine has, for a caller that gives none. */
  freeName(machine: string, stem: string): string {
    for (let count = 1; ; count++) {
      const name = `${stem}-${count}`;
      if (!this.executions.has(this.executionArn(machine, name))) return name;
    }
  }

  now(): number {
    return this.#universe.clock.now();
  }

  hasMachine(name: string): boolean {
    return this.#machines.has(name);
  }

  /** The child of an aborted Task: Step Functions promises no more than to try to stop it ("Run a job" in AWS's guide). */
  #cancel(child: Execution): void {
    const { clock, chance } = this.#universe;
    if (chance.uniform(`cancel/${child.arn}`) >= 0.5) return;
    const seconds = cancelSecondsMax * chance.uniform(`cancel/${child.arn}/delay`);
    clock.after(seconds, () => child.stop("", "the Task that waited for it was aborted"));
  }

  /** `startExecution.sync:2`: the child's output is parsed; a child that did not succeed fails the state. */
  #nested(parameters: Json, stem: string): ReturnType<Host["nested"]> {
    const { StateMachineArn, Input, Name, ...rest } = parameters as { StateMachineArn: string; Input: Json; Name?: string };
    const unknown = Object.keys(rest);
    if (unknown.length > 0) throw new SimulationGap(`startExecution.sync:2 with ${unknown.join(", ")}`);
    const machine = StateMachineArn.split(":").at(-1) ?? "";
    const child = this.startNamed(machine, Name ?? this.freeName(machine, stem), Input);
    if (child === null)
      throw new StateError("StepFunctions.ExecutionAlreadyExistsException", `Execution Already Exists: '${Name}' of ${machine}`);
    return {
      started: { ExecutionArn: child.arn, StartDate: new Date(child.startedAt).toISOString() },
      ended: child.done.then(({ status, output, error, cause }) => {
        const described = { ExecutionArn: child.arn, Name: child.name, StateMachineArn, Status: status, Input };
        if (status === "SUCCEEDED") return { ...described, Output: output ?? null };
        throw new StateError("States.TaskFailed", JSON.stringify({ ...described, Error: error, Cause: cause }));
      }),
      cancel: () => this.#cancel(child),
    };
  }
}
