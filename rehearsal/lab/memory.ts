import { readFileSync } from "node:fs";

const available = (): number => Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) / 1024;

/** Watches how much of the machine's memory is gone since it was made. */
export class MemoryGauge {
  readonly #atFirst = available();
  readonly #timer = setInterval(() => this.#look(), 1_000).unref();
  #least = this.#atFirst;

  #look(): void {
    this.#least = Math.min(this.#least, available());
  }

  get peakMegabytes(): number {
    return Math.round(this.#atFirst - this.#least);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
