import * as z from "zod";
import type { Aws } from "./aws/aws.ts";
import type { Removal } from "./aws/removals.ts";
import { describeHoldings, type Holding } from "./domain/holdings.ts";
import { TeardownLock } from "./domain/lock.ts";
import { NotReadyError } from "./errors.ts";
import { defineStep, type Log } from "./step.ts";

/** What a removal meets on its way. Blocked things are no error: what holds them goes later, and the audit judges what never goes. */
class Sweep {
  readonly #log: Log;
  readonly #blocked: string[] = [];
  #asked = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  note(holdings: readonly Holding[], answer: Removal): void {
    const what = describeHoldings(holdings);
    if (answer === "asked") {
      this.#asked++;
      this.#log.info("removal asked for", { what });
    } else {
      this.#log.info("removal has to wait", { what, reason: answer.blocked });
      this.#blocked.push(`${what}: ${answer.blocked}`);
    }
  }

  /** One after another; each is tried, whatever became of the one before. */
  async each(holdings: readonly Holding[], remove: (holding: Holding) => Promise<Removal>): Promise<void> {
    for (const holding of holdings) this.note([holding], await remove(holding));
  }

  /** Nothing went, and something could not. */
  get isStuck(): boolean {
    return this.#asked === 0 && this.#blocked.length > 0;
  }

  get blocked(): string {
    return this.#blocked.slice(0, 3).join("; ");
  }
}

interface RemovalSpec<D> {
  readonly name: string;
  deps(aws: Aws): D;
  /** What is still there and is to go. */
  list(lock: TeardownLock, deps: D): Promise<readonly Holding[]>;
  /** Asks AWS to remove these, each at most once. */
  remove(holdings: readonly Holding[], deps: D, sweep: Sweep, lock: TeardownLock): Promise<void>;
}

/**
 * A step of a tear-down: lists, asks for the removal of what it found, and is done when a list is empty. The state's Retry on
 * NotReadyError is the wait. "Already gone" is success; so it works twice in a row, and on any half-built cluster.
 */
export const defineRemoval = <D>(spec: RemovalSpec<D>) =>
  defineStep({
    name: spec.name,
    mutates: true,
    input: z.strictObject({ lock: TeardownLock }),
    output: z.strictObject({}),
    deps: (aws) => ({ own: spec.deps(aws) }),
    async run({ lock }, { own }: { own: D }, log) {
      const present = await spec.list(lock, own);
      if (present.length === 0) return {};
      const sweep = new Sweep(log);
      await spec.remove(present, own, sweep, lock);
      const reason = sweep.blocked === "" ? "" : ` (${sweep.blocked})`;
      throw new NotReadyError(`${present.length} left: ${describeHoldings(present)}${reason}`, { left: present.length });
    },
  });
