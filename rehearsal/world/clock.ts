interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Time as whatever waits sees it: virtual in a rehearsal, real in the lab. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  iso(): string;
  /** Runs something later, after a wait that somebody chose. */
  after(seconds: number, run: () => void): void;
  /** A wait that somebody chose: an interval, a pause. The lab may shorten it. */
  sleep(seconds: number): Promise<void>;
  /** A limit on something that takes the time it takes: never shortened. */
  limit(seconds: number): Promise<void>;
}

/**
 * Virtual time. Nothing here waits for real: time moves only when every task in flight waits on this clock,
 * and whatever falls due runs in (time, insertion) order.
 */
export class SimClock implements Clock {
  #now: number;
  #order = 0;
  #holds = 0;
  readonly #due: Due[] = [];

  constructor(startIso: string) {
    this.#now = Date.parse(startIso);
  }

  now(): number {
    return this.#now;
  }

  iso(): string {
    return new Date(this.#now).toISOString();
  }

  after(seconds: number, run: () => void): void {
    if (!(seconds >= 0)) throw new RangeError(`cannot wait ${seconds} seconds`);
    const due: Due = { at: this.#now + seconds * 1000, order: this.#order++, run };
    let low = 0;
    for (let high = this.#due.length; low < high; ) {
      const middle = (low + high) >> 1;
      const other = this.#due[middle] as Due;
      if (other.at < due.at || (other.at === due.at && other.order < due.order)) low = middle + 1;
      else high = middle;
    }
    this.#due.splice(low, 0, due);
  }

  sleep(seconds: number): Promise<void> {
    return new Promise((resolve) => this.after(seconds, resolve));
  }

  limit(seconds: number): Promise<void> {
    return this.sleep(seconds);
  }

  /**
   * Runs real asynchronous work (a shell interpreter that loads its commands, say) during which virtual time must stand still.
   * The work gets `outside`, which lets time move again while something that waits on this clock is awaited; several at one time
   * (programs side by side) let it move as one does, and stop nobody else's work from holding it.
   */
  async hold<T>(work: (outside: <R>(wait: () => Promise<R>) => Promise<R>) => Promise<T>): Promise<T> {
    let waiting = 0;
    this.#holds++;
    try {
      return await work(async (wait) => {
        if (waiting++ === 0) this.#holds--;
        try {
          return await wait();
        } finally {
          if (--waiting === 0) this.#holds++;
        }
      });
    } finally {
      this.#holds--;
    }
  }

  /** Moves time to that moment, and runs whatever falls due until then: for whoever lets virtual time follow another clock. */
  async reach(moment: number): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#holds > 0) continue;
      const [next] = this.#due;
      if (next === undefined || next.at > moment) break;
      this.#due.shift();
      this.#now = next.at;
      next.run();
    }
    this.#now = Math.max(this.#now, moment);
  }

  /** Moves time until `until` settles, and gives back its result. Throws when nothing is left that could settle it. */
  async run<T>(until: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    until.then(settle, settle);
    for (;;) {
      // Handlers and clients run on promises alone, so one turn of the event loop drains what they can do without time.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (settled) return until;
      if (this.#holds > 0) continue;
      const next = this.#due.shift();
      if (next === undefined) throw new Error("nothing left to wait for: the simulated world stands still");
      this.#now = next.at;
      next.run();
    }
  }
}
