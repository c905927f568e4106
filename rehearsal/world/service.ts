import type { Chance } from "./chance.ts";
import type { Clock, SimClock } from "./clock.ts";
import type { ServiceName } from "./fault.ts";
import type { Life } from "./life.ts";

/** Who makes a call. The rehearsal's own look at the world ("harness") is neither counted nor failed. */
export type Caller =
  | {
      readonly kind: "function";
      readonly step: string;
      readonly state: string;
      readonly execution: string;
      /** The invocation that calls; without it the caller never dies. */
      readonly life?: Life;
    }
  | { readonly kind: "node"; readonly instanceId: string; readonly program: string }
  /** Somebody at a keyboard, by a command of ours. */
  | { readonly kind: "person" }
  | { readonly kind: "harness" };

/** One operation of a service. It runs at one instant of virtual time; what takes time afterwards it puts on the clock. */
export interface Operation {
  /** Every input field it understands, nested ones as `Filters.Name`-less top-level names. Any other field throws a SimulationGap. */
  readonly fields: readonly string[];
  readonly mutates: boolean;
  // The input is the SDK command's own input type; the service narrows it, the door has checked the field names. Only a call that is
  // answered when something is over gives a promise.
  run(input: never, caller: Caller): unknown;
}

/** A service of the virtual AWS: its operations by their API name (`CreateVpc`), and what it holds. */
export interface Service {
  readonly name: ServiceName;
  readonly operations: Readonly<Record<string, Operation>>;
  /** Every resource that exists (or still lingers) as `<type>/<id>`, sorted: what an auditor compares before and after. */
  inventory(): readonly InventoryItem[];
}

export interface InventoryItem {
  /** CloudFormation-like short type: `vpc`, `subnet`, `instance`, `vpc-endpoint`, `load-balancer`, `parameter`, `object`, ... */
  readonly type: string;
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Facts for the report: cidr, instance type, zone, state. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

/** What every part of the world shares; a part that only waits takes any clock. */
export interface Universe<C extends Clock = SimClock> {
  readonly clock: C;
  readonly chance: Chance;
  readonly region: string;
  readonly account: string;
}

/** The world was asked for something it does not model. It never guesses: this is a gap in the simulator, not an answer of AWS. */
export class SimulationGap extends Error {
  override readonly name = "SimulationGap";
}
