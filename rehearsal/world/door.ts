import type { Chance } from "./chance.ts";
import type { SimClock } from "./clock.ts";
import { fault, isThrottling, isTransient, type ServiceName } from "./fault.ts";
import { type Caller, type Service, SimulationGap } from "./service.ts";

/** One planned failure: at the nth call of an operation, before its effect or, with `after`, when the answer is lost. */
export interface FaultRule {
  readonly operation: string;
  readonly code: string;
  readonly nth: number;
  readonly after: boolean;
}

export interface CallRecord {
  readonly at: number;
  readonly service: ServiceName;
  readonly operation: string;
  readonly mutates: boolean;
  readonly caller: Caller;
  /** The error code, or null for an answer. */
  readonly code: string | null;
}

/** The SDK's standard retry mode, from @smithy/util-retry: three attempts, full jitter, 100 ms doubling, 500 ms when throttled, 20 s at most. */
const attemptsMax = 3;
const backOffSeconds = (attempt: number, code: string, uniform: number): number =>
  Math.min(20, uniform * (isThrottling(code) ? 0.5 : 0.1) * 2 ** attempt);

/** The one way into the virtual services: it takes time, counts, injects faults and retries as the SDK does. */
export class Door {
  readonly calls: CallRecord[] = [];
  readonly #clock: SimClock;
  readonly #chance: Chance;
  readonly #services: ReadonlyMap<ServiceName, Service>;
  readonly #faults: readonly FaultRule[];
  readonly #counts = new Map<string, number>();

  constructor(clock: SimClock, chance: Chance, services: readonly Service[], faults: readonly FaultRule[]) {
    this.#clock = clock;
    this.#chance = chance;
    this.#services = new Map(services.map((service) => [service.name, service]));
    this.#faults = faults;
  }

  /** Replaces a real client's `send`. The client stays a true instance of its class: the SDK's paginators insist on it. */
  bind<C extends { send: unknown }>(client: C, service: ServiceName, caller: Caller): C {
    client.send = async (command: { readonly constructor: { readonly name: string }; readonly input: Record<string, unknown> }) =>
      this.send(service, command.constructor.name.replace(/Command$/, ""), command.input, caller);
    return client;
  }

  /** One SDK call with its retries. */
  async send(service: ServiceName, operation: string, input: Record<string, unknown>, caller: Caller): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.attempt(service, operation, input, caller);
      } catch (error) {
        const code = (error as Error).name;
        if (attempt + 1 >= attemptsMax || !(isThrottling(code) || isTransient(code))) throw error;
        const uniform = this.#chance.uniform(`retry/${operation}/${this.#count(`retry/${operation}`)}`);
        await this.#clock.sleep(backOffSeconds(attempt, code, uniform));
      }
    }
  }

  /** One request on the wire. */
  async attempt(service: ServiceName, operation: string, input: Record<string, unknown>, caller: Caller): Promise<unknown> {
    const handler = this.#services.get(service)?.operations[operation];
    if (handler === undefined) throw new SimulationGap(`${service} has no operation ${operation}`);
    const unknown = Object.keys(input).filter((field) => input[field] !== undefined && !handler.fields.includes(field));
    if (unknown.length > 0) throw new SimulationGap(`${operation} does not know ${unknown.join(", ")}`);
    const nth = this.#count(operation);
    const seconds = this.#chance.seconds("lambda.warmCall", `${operation}/${nth}`);
    await this.#clock.sleep(seconds / 2);
    const rule = this.#faults.find((candidate) => candidate.operation === operation && candidate.nth === nth);
    const record = (code: string | null) => {
      if (caller.kind !== "harness")
        this.calls.push({ at: this.#clock.now(), service, operation, mutates: handler.mutates, caller, code });
    };
    try {
      if (rule !== undefined && !rule.after) throw fault(service, rule.code, `injected before call ${nth} of ${operation}`);
      const answer = handler.run(structuredClone(input) as never, caller);
      if (rule?.after === true)
        throw fault(service, rule.code, `injected after call ${nth} of ${operation}: the answer was lost`);
      record(null);
      await this.#clock.sleep(seconds / 2);
      return { $metadata: { httpStatusCode: 200 }, ...(answer as object) };
    } catch (error) {
      record((error as Error).name);
      throw error;
    }
  }

  #count(key: string): number {
    const next = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, next);
    return next;
  }
}
