import type { SimClock } from "../clock.ts";
import { Locks } from "./locks.ts";
import type { Answer, Program } from "./shell.ts";

/** One script under way, and the programs it starts. */
export interface Process {
  /** Starts a program and gives its answer; once the script was killed or its machine is down, it is heard of no more. */
  start(name: string, args: readonly string[], stdin: string): Promise<Required<Answer>>;
  /** The script has ended: what it held is free. */
  end(): void;
}

/** What may run on a node: its programs, the locks they share, and whether the machine is up. */
export class Processes {
  readonly programs: Readonly<Record<string, Program>>;
  readonly #clock: SimClock;
  readonly #isUp: () => boolean;
  readonly #locks: Locks;

  constructor(clock: SimClock, programs: Readonly<Record<string, Program>>, isUp: () => boolean) {
    this.programs = programs;
    this.#clock = clock;
    this.#isUp = isUp;
    this.#locks = new Locks(clock);
  }

  begin(kill: AbortSignal | undefined): Process {
    const own = Symbol("run");
    const end = () => this.#locks.release(own);
    const call = {
      sleep: (seconds: number) => this.#clock.sleep(seconds),
      lock: (wish: Parameters<Locks["take"]>[1]) => this.#locks.take(own, wish),
      unlock: (descriptor: string) => this.#locks.release(own, descriptor),
    };
    return {
      end,
      start: async (name, args, stdin) => {
        if (kill?.aborted === true || !this.#isUp()) {
          end();
          return new Promise<never>(() => {});
        }
        const program = this.programs[name];
        if (program === undefined) throw new RangeError(`no node has the program ${name}`);
        const { stdout = "", stderr = "", exitCode = 0 } = await program({ args, stdin, ...call });
        return { stdout, stderr, exitCode };
      },
    };
  }
}
