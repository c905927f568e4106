import type { Clock } from "../clock.ts";
import type { Universe } from "../service.ts";
import type { Execution } from "./execution.ts";

/** What EventBridge hands on when an execution begins or ends (AWS's guide, "Automating Step Functions event delivery with EventBridge"). */
export interface StatusEvent {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": "Step Functions Execution Status Change";
  readonly source: "aws.states";
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: {
    readonly executionArn: string;
    readonly stateMachineArn: string;
    readonly name: string;
    readonly status: "RUNNING" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";
    /** Milliseconds since the epoch. */
    readonly startDate: number;
    readonly stopDate: number | null;
    /** JSON text. */
    readonly input: string;
    readonly output: string | null;
  };
}

/** Delivery is "best effort": lost, late or doubled. The shares are the simulator's own, harsher than anybody has seen. */
const shares = { lost: 0.05, late: 0.1, doubled: 0.1 } as const;
const seconds = { usual: 2, late: 1800 } as const;

/** Tells subscribers of every execution's begin and end, as reliably as AWS promises to. */
export class StatusEvents {
  readonly #universe: Universe<Clock>;
  readonly #listeners: ((event: StatusEvent) => void)[] = [];

  constructor(universe: Universe<Clock>) {
    this.#universe = universe;
  }

  subscribe(listener: (event: StatusEvent) => void): void {
    this.#listeners.push(listener);
  }

  publish(execution: Execution, stateMachineArn: string): void {
    if (this.#listeners.length === 0) return;
    const event = this.#eventOf(execution, stateMachineArn);
    const uniform = (what: string) => this.#universe.chance.uniform(`${event.id}/${what}`);
    if (uniform("lost") < shares.lost) return;
    for (const copy of uniform("doubled") < shares.doubled ? ["first", "second"] : ["first"]) {
      const most = uniform(`${copy}/late`) < shares.late ? seconds.late : seconds.usual;
      this.#universe.clock.after(uniform(`${copy}/delay`) * most, () => {
        for (const listener of this.#listeners) listener(structuredClone(event));
      });
    }
  }

  #eventOf({ arn, name, input, outcome, startedAt, endedAt }: Execution, stateMachineArn: string): StatusEvent {
    const { account, region, clock } = this.#universe;
    const status = outcome?.status ?? "RUNNING";
    return {
      version: "0",
      // A copy has the id of the event it doubles.
      id: `${arn}/${status}`,
      "detail-type": "Step Functions Execution Status Change",
      source: "aws.states",
      ...{ account, region, time: clock.iso(), resources: [arn] },
      detail: {
        ...{ executionArn: arn, stateMachineArn, name, status, startDate: startedAt, stopDate: endedAt },
        input: JSON.stringify(input),
        output: outcome?.output === undefined ? null : JSON.stringify(outcome.output),
      },
    };
  }
}
