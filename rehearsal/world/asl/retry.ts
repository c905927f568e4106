import type { Chance } from "../chance.ts";
import type { Catcher, Retrier } from "./definition.ts";
import type { StateError } from "./paths.ts";

/** States.ALL does not cover it, by the documents; a recording says that it does. The machines build on neither (style.md 5). */
const beyondAll = "States.DataLimitExceeded";

/** States.Runtime ends the execution whatever a machine says: neither States.ALL nor its own name catches it (facts, wire 3.4). */
const matches = (names: readonly string[], error: string): boolean =>
  error !== "States.Runtime" &&
  names.some(
    (name) =>
      name === error ||
      (name === "States.ALL" && error !== beyondAll) ||
      // A task's own failure, whatever its name, except a timeout.
      (name === "States.TaskFailed" && error !== "States.Timeout" && error !== beyondAll),
  );

/** Counts each retrier's attempts over one visit of a state, and says how long to wait before the next try. */
export class Retries {
  readonly #retriers: readonly Partial<Retrier>[];
  readonly #counts: number[];
  readonly #chance: Chance;
  readonly #subject: string;

  constructor(retriers: readonly Partial<Retrier>[], chance: Chance, subject: string) {
    this.#retriers = retriers;
    this.#counts = retriers.map(() => 0);
    this.#chance = chance;
    this.#subject = subject;
  }

  /** Seconds until the next attempt, or null when no retrier takes the error or its attempts are used up. */
  next(error: StateError): number | null {
    const index = this.#retriers.findIndex(({ ErrorEquals = [] }) => matches(ErrorEquals, error.name));
    const retrier = this.#retriers[index];
    const used = this.#counts[index];
    if (retrier === undefined || used === undefined) return null;
    // Amazon States Language: the defaults are 1 second, 2.0 and 3 attempts.
    const {
      IntervalSeconds = 1,
      BackoffRate = 2,
      MaxAttempts = 3,
      MaxDelaySeconds = Number.POSITIVE_INFINITY,
      JitterStrategy,
    } = retrier;
    if (used >= MaxAttempts) return null;
    this.#counts[index] = used + 1;
    const delay = Math.min(IntervalSeconds * BackoffRate ** used, MaxDelaySeconds);
    return JitterStrategy === "FULL" ? delay * this.#chance.uniform(`jitter/${this.#subject}/${index}/${used}`) : delay;
  }
}

export const catcherOf = (catchers: readonly Catcher[], error: StateError): Catcher | undefined =>
  catchers.find(({ ErrorEquals }) => matches(ErrorEquals, error.name));
