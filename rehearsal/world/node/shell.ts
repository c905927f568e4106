import { Bash, type CommandName, defineCommand, InMemoryFs, parse, type ScriptNode } from "just-bash";
import type { SimClock } from "../clock.ts";
import { frozen } from "../frozen.ts";
import { SimulationGap } from "../service.ts";
import type { ScriptResult } from "../ssm/command.ts";
import { Locks, type Wish } from "./locks.ts";

/** What a program gets: its arguments, what stands before it in the pipe, the node's files, and virtual time. */
export interface Call {
  readonly args: readonly string[];
  readonly stdin: string;
  sleep(seconds: number): Promise<void>;
  /** Takes one of the node's locks until the script ends or gives it up; false when it was not to be had in time. */
  lock(wish: Wish): Promise<boolean>;
  unlock(descriptor: string): void;
}

export interface Answer {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
}

/** A program of the node: its name, and what it does. */
export type Program = (call: Call) => Promise<Answer> | Answer;

/** One script under way. */
interface Run {
  readonly own: symbol;
  outside<R>(wait: () => Promise<R>): Promise<R>;
  /** What went wrong in the simulator, not in the script. */
  readonly gaps: unknown[];
  readonly kill: AbortSignal | undefined;
}

/**
 * Scripts are bounded by virtual time alone; the interpreter's own limits must never be met first. Without a limit of real time
 * it sets no timers either, so a script that the story's end leaves waiting holds up nothing.
 */
const executionLimits = {
  maxCommandCount: 1_000_000,
  maxLoopIterations: 100_000,
  maxExecutionTimeMs: Number.POSITIVE_INFINITY,
};

/** What the image has besides the modelled programs: the interpreter's own, no more than Ubuntu and our image builder install. */
const installed: CommandName[] = (
  "awk base64 basename bash cat chmod comm cp cut diff dirname echo env expr false find grep head hostname jq ln ls mkdir mv od paste " +
  "printf readlink rm rmdir sed seq sh sha256sum sort stat tac tail tee touch tr true uniq wc which xargs"
).split(" ") as CommandName[];

/** The same few scripts run on every node of every rehearsal: each text is parsed once, and no run can change what was parsed. */
const parsed = new Map<string, ScriptNode>();
function parsedOnce(script: string): ScriptNode {
  const ast = parsed.get(script) ?? frozen(parse(script));
  parsed.set(script, ast);
  return ast;
}

/** A node's disk and shell: the shipped scripts run here, word for word, with modelled programs in the place of real ones. */
export class Shell {
  readonly fs = new InMemoryFs();
  readonly #clock: SimClock;
  readonly #programs: Readonly<Record<string, Program>>;
  readonly #isUp: () => boolean;
  readonly #locks: Locks;

  /** `isUp`: whether the machine runs; when it goes down, its processes go with it. */
  constructor(clock: SimClock, programs: Readonly<Record<string, Program>>, isUp: () => boolean = () => true) {
    this.#clock = clock;
    this.#isUp = isUp;
    this.#programs = programs;
    this.#locks = new Locks(clock);
  }

  /** Runs a script to its end on the virtual clock, or to the program before which it is killed: then it never answers. */
  run(script: string, environment: Readonly<Record<string, string>>, kill?: AbortSignal): Promise<ScriptResult> {
    return this.#clock.hold(async (outside) => {
      const own = Symbol("run");
      const gaps: unknown[] = [];
      // The scripts are our own: the interpreter's guard against hostile ones would cost half the time, and patches this process.
      const bash = new Bash({
        defenseInDepth: false,
        fs: this.fs,
        commands: installed,
        customCommands: this.#commands({ own, outside, gaps, kill }),
        env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", ...environment },
        cwd: "/",
        executionLimits,
      });
      bash.registerTransformPlugin({ name: "parsed-once", transform: () => ({ ast: parsedOnce(script) }) });
      const { stdout, stderr, exitCode } = await bash.exec(":");
      this.#locks.release(own);
      // A gap in the simulator must not look like a script that failed.
      if (gaps.length > 0) throw gaps[0];
      if (/command not found/.test(stderr)) {
        throw new SimulationGap(`a script used a program that no node has: ${stderr.slice(0, 300)}`);
      }
      return { exitCode, stdout, stderr };
    });
  }

  /** The node's programs as the interpreter wants them; what they throw is kept, and time moves while they work. */
  #commands({ own, outside, gaps, kill }: Run) {
    return Object.entries(this.#programs).map(([name, program]) =>
      defineCommand(name, async (args, { stdin }) => {
        const call: Call = {
          args,
          stdin: String(stdin ?? ""),
          sleep: (seconds) => this.#clock.sleep(seconds),
          lock: (wish) => this.#locks.take(own, wish),
          unlock: (descriptor) => this.#locks.release(own, descriptor),
        };
        if (kill?.aborted === true || !this.#isUp()) return outside(() => this.#die(own));
        try {
          const { stdout = "", stderr = "", exitCode = 0 } = await outside(async () => program(call));
          return { stdout, stderr, exitCode };
        } catch (error) {
          gaps.push(error);
          return { stdout: "", stderr: `${name}: ${String(error)}\n`, exitCode: 125 };
        }
      }),
    );
  }

  /** A killed process gives its locks back, and is heard of no more. */
  #die(own: symbol): Promise<never> {
    this.#locks.release(own);
    return new Promise<never>(() => {});
  }

  async read(path: string): Promise<string | null> {
    return (await this.fs.exists(path)) ? this.fs.readFile(path) : null;
  }

  async write(path: string, text: string): Promise<void> {
    await this.fs.mkdir(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true });
    await this.fs.writeFile(path, text);
  }

  async remove(path: string): Promise<void> {
    await this.fs.rm(path, { recursive: true, force: true });
  }
}
