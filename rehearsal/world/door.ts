import type { Chance } from "./chance.ts";
import type { SimClock } from "./clock.ts";
import { fault, isThrottling, isTransient, type ServiceName } from "./fault.ts";
import { type CallSite, type FaultRule, ruleAt } from "./fault-rule.ts";
import type { Life } from "./life.ts";
import { type Caller, type Service, SimulationGap } from "./service.ts";

export interface CallRecord {
  readonly at: number;
  readonly service: ServiceName;
  readonly operation: string;
  readonly mutates: boolean;
  readonly caller: Caller;
  /** The error code, or null for an answer. */
  readonly code: string | null;
  readonly site: CallSite;
  /** The planned failure that met this call. */
  readonly struck: FaultRule | null;
}

/** The SDK's standard retry mode, from @smithy/util-retry: three attempts, full jitter, 100 ms doubling, 500 ms when throttled, 20 s at most. */
const attemptsMax = 3;
const backOffSeconds = (attempt: number, code: string, uniform: number): number =>
  Math.min(20, uniform * (isThrottling(code) ? 0.5 : 0.1) * 2 ** attempt);

/** One SDK call, whatever number of requests it takes. */
interface Call {
  readonly service: ServiceName;
  readonly operation: string;
  readonly input: Record<string, unknown>;
  readonly caller: Caller;
  /** A planned failure that met its first request, and meets the others too. */
  lasting: FaultRule | undefined;
}

const unanswered = (): Promise<never> => new Promise<never>(() => {});
const isDead = (life: Life | undefined): boolean => life?.isOver === true;
const lifeOf = (caller: Caller): Life | undefined => (caller.kind === "function" ? caller.life : undefined);

interface CallOutcome {
  readonly code: string | null;
  give(): unknown;
}

/** A refusal is an answer too, and can be lost like one. */
function refused(error: unknown): CallOutcome {
  if (!(error instanceof Error) || error instanceof SimulationGap) throw error;
  const give = () => {
    throw error;
  };
  return { code: error.name, give };
}

const answered = (answer: object): CallOutcome => ({
  code: null,
  give: () => ({ $metadata: { httpStatusCode: 200 }, ...answer }),
});

/** A promise only for an operation that gives one: all else is over at the instant of its call. */
function outcomeOf(run: () => unknown): CallOutcome | Promise<CallOutcome> {
  try {
    const answer = run() as object;
    return answer instanceof Promise ? answer.then(answered, refused) : answered(answer);
  } catch (error) {
    return refused(error);
  }
}

/** The one way into the virtual services: it takes time, counts, injects faults and retries as the SDK does. */
export class Door {
  readonly calls: CallRecord[] = [];
  /** Hears of every change at the instant of its effect, with what was asked for. */
  onChange: (call: {
    readonly operation: string;
    readonly caller: Caller;
    readonly input: Readonly<Record<string, unknown>>;
  }) => void = () => {};
  readonly #clock: SimClock;
  readonly #chance: Chance;
  readonly #services: Map<ServiceName, Service>;
  /** What is to go wrong with a call; the simulator draws it, everybody else has a list. */
  planned: (service: ServiceName, site: CallSite) => FaultRule | undefined;
  readonly #counts = new Map<string, number>();

  constructor(clock: SimClock, chance: Chance, services: readonly Service[], faults: readonly FaultRule[]) {
    this.#clock = clock;
    this.#chance = chance;
    this.#services = new Map(services.map((service) => [service.name, service]));
    this.planned = (_, site) => ruleAt(faults, site);
  }

  /** Another service, which the world has only for those who need it. */
  open(service: Service): void {
    this.#services.set(service.name, service);
  }

  /** The operations that a service has here. */
  operationsOf(service: ServiceName): readonly string[] {
    return Object.keys(this.#services.get(service)?.operations ?? {});
  }

  /** Replaces a real client's `send`. The client stays a true instance of its class: the SDK's paginators insist on it. */
  bind<C extends { send: unknown }>(client: C, service: ServiceName, caller: Caller): C {
    client.send = async (command: { readonly constructor: { readonly name: string }; readonly input: Record<string, unknown> }) =>
      this.send(service, command.constructor.name.replace(/Command$/, ""), command.input, caller);
    return client;
  }

  /** One SDK call with its retries. */
  async send(service: ServiceName, operation: string, input: Record<string, unknown>, caller: Caller): Promise<unknown> {
    const call: Call = { service, operation, input, caller, lasting: undefined };
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(call);
      } catch (error) {
        const code = (error as Error).name;
        if (attempt + 1 >= attemptsMax || !(isThrottling(code) || isTransient(code))) throw error;
        const uniform = this.#chance.uniform(`retry/${operation}/${this.#count(`retry/${operation}`)}`);
        await this.#clock.sleep(backOffSeconds(attempt, code, uniform));
      }
    }
  }

  /** One request on the wire. */
  async #attempt(call: Call): Promise<unknown> {
    const { service, operation, input, caller } = call;
    const handler = this.#services.get(service)?.operations[operation];
    if (handler === undefined) throw new SimulationGap(`${service} has no operation ${operation}`);
    const unknown = Object.keys(input).filter((field) => input[field] !== undefined && !handler.fields.includes(field));
    if (unknown.length > 0) throw new SimulationGap(`${operation} does not know ${unknown.join(", ")}`);
    const life = lifeOf(caller);
    // A dead Lambda sends nothing. What it had sent takes effect all the same, and the answer reaches nobody.
    if (isDead(life)) return unanswered();
    const site = this.#site(operation, caller);
    const rule = call.lasting ?? (caller.kind === "harness" ? undefined : this.planned(service, site));
    if (rule?.kind === "lasting") call.lasting = rule;
    const seconds = this.#chance.seconds("lambda.warmCall", `${operation}/${site.nth}`);
    await this.#clock.sleep(seconds / 2);
    const record = (code: string | null, struck: FaultRule | null = null) => {
      if (caller.kind !== "harness")
        this.calls.push({ at: this.#clock.now(), service, operation, mutates: handler.mutates, caller, code, site, struck });
    };
    if (rule?.after === false) await this.#strike(rule, call, record, rule.code);
    const outcome = outcomeOf(() => handler.run(structuredClone(input) as never, caller));
    const { code, give } = outcome instanceof Promise ? await outcome : outcome;
    if (code === null && handler.mutates) this.onChange({ operation, caller, input });
    if (rule?.after === true) await this.#strike(rule, call, record, code);
    else record(code);
    if (code === null) await this.#clock.sleep(seconds / 2);
    return isDead(life) ? unanswered() : give();
  }

  /**
   * What was planned for this call happens: it throws, never returns, or returns late. A call that its state's end meets before it is sent
   * is recorded with what the state is told, and once more when it is sent after all; one that was answered, with that answer.
   */
  async #strike(
    rule: FaultRule,
    { service, caller }: Call,
    record: (code: string | null, struck: FaultRule) => void,
    answered: string | null,
  ): Promise<void> {
    const { kind = "error", operation, nth, code, state = "", after } = rule;
    const life = lifeOf(caller);
    record(kind === "orphan" ? answered : code, rule);
    if (kind === "error" || kind === "lasting") {
      const where = after ? `after call ${nth} of ${operation}: the answer was lost` : `before call ${nth} of ${operation}`;
      return isDead(life) ? unanswered() : Promise.reject(fault(service, code, `injected ${where}`));
    }
    if (life === undefined)
      throw new SimulationGap(`call ${nth} of ${operation} is no Lambda's, and there is nothing to ${kind}`);
    if (kind === "kill") {
      life.kill(code);
      return unanswered();
    }
    life.orphan(code);
    // The later it goes on, the more has been done behind its back; it lives until its function's timeout at most.
    const left = Math.max(0, life.endsAt - this.#clock.now()) / 1000;
    await this.#clock.sleep(left * this.#chance.uniform(`orphan/${state}/${operation}/${nth}/${after}`));
    if (life.isOver) return unanswered();
  }

  #site(operation: string, caller: Caller): CallSite {
    const none = { operation, state: null, nthInState: 0, isInBranch: false };
    if (caller.kind === "harness") return { ...none, nth: this.#count(`harness/${operation}`) };
    const nth = this.#count(operation);
    if (caller.kind !== "function") return { ...none, nth };
    const { state, life } = caller;
    return { operation, nth, state, nthInState: this.#count(`${state}/${operation}`), isInBranch: life?.isInBranch === true };
  }

  #count(key: string): number {
    const next = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, next);
    return next;
  }
}
