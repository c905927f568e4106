import type { Chance } from "../chance.ts";
import type { Clock } from "../clock.ts";
import type { Around, Life } from "../life.ts";
import type { Json } from "./paths.ts";

/** What a Lambda function gets to know of its call beside the event. */
export interface Invocation {
  readonly functionArn: string;
  readonly state: string;
  readonly execution: string;
  /** 0 at the first try in a visit of the state. */
  readonly attempt: number;
  readonly life: Life;
}
export type LambdaFunction = (event: Json, invocation: Invocation) => Promise<unknown>;

export interface Outcome {
  readonly status: "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";
  readonly output?: Json;
  readonly error?: string;
  readonly cause?: string;
}

/** A child under way: what DescribeExecution says of it, its end, and what Step Functions does about it when its Task is aborted. */
export interface Nested {
  readonly started: Json;
  readonly ended: Promise<Json>;
  cancel(): void;
}

/** What an execution asks of the Step Functions that runs it. */
export interface Host {
  readonly clock: Clock;
  readonly chance: Chance;
  invoke(event: Json, invocation: Omit<Invocation, "life">, around: Around): Promise<Json>;
  /** Starts a child; `name` is for one that is given none. */
  nested(parameters: Json, name: string): Nested;
  machineArn(name: string): string;
}
