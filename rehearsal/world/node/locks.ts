import type { SimClock } from "../clock.ts";

export interface Wish {
  /** The descriptor under which the script opened the lock's file; our scripts give each file the same one. */
  readonly descriptor: string;
  readonly isShared: boolean;
  readonly seconds: number;
}

/** A node's locks, as flock(1) has them: one holder alone, or several that share. A holder is a run of a script. */
export class Locks {
  readonly #clock: SimClock;
  readonly #holders = new Map<string, Map<symbol, boolean>>();
  #waiting: (() => void)[] = [];

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  /** False when the lock was not to be had in time. */
  async take(run: symbol, { descriptor, isShared, seconds }: Wish): Promise<boolean> {
    const until = this.#clock.now() + seconds * 1000;
    const holders = this.#holders.get(descriptor) ?? new Map<symbol, boolean>();
    this.#holders.set(descriptor, holders);
    while ([...holders].some(([holder, shares]) => holder !== run && !(shares && isShared))) {
      if (this.#clock.now() >= until) return false;
      const freed = new Promise<void>((resolve) => this.#waiting.push(resolve));
      await Promise.race([freed, this.#clock.sleep((until - this.#clock.now()) / 1000)]);
    }
    holders.set(run, isShared);
    return true;
  }

  /** Gives up one lock, or, when the script has ended, all of them. */
  release(run: symbol, descriptor?: string): void {
    for (const [name, holders] of this.#holders) if (descriptor === undefined || name === descriptor) holders.delete(run);
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }
}
