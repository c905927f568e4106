import { setTimeout as pause } from "node:timers/promises";
import { Chance } from "../world/chance.ts";
import type { Clock } from "../world/clock.ts";

/** The machine's own time. Chosen waits are divided by the scale, so a test need not sit through a poll's interval; limits never are. */
export class RealClock implements Clock {
  readonly scale: number;

  constructor(scale: number) {
    this.scale = scale;
  }

  now(): number {
    return Date.now();
  }

  iso(): string {
    return new Date().toISOString();
  }

  after(seconds: number, run: () => void): void {
    setTimeout(run, (seconds * 1000) / this.scale);
  }

  async sleep(seconds: number): Promise<void> {
    await pause((seconds * 1000) / this.scale);
  }

  /** A limit alone keeps no process alive: what it guards does. */
  async limit(seconds: number): Promise<void> {
    await pause(seconds * 1000, undefined, { ref: false });
  }
}

/** Nothing is drawn where things take the time they take. */
export class NoDelays extends Chance {
  override seconds(): number {
    return 0;
  }
}
