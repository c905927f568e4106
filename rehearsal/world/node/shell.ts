import { Bash, type CommandName, defineCommand, InMemoryFs, parse, type ScriptNode } from "just-bash";
import type { SimClock } from "../clock.ts";
import { frozen } from "../frozen.ts";
import { SimulationGap } from "../service.ts";
import type { ScriptResult } from "../ssm/command.ts";
import type { Wish } from "./locks.ts";
import { type Process, Processes } from "./processes.ts";

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

/** A node's disk, and what runs the scripts that it is given. */
export interface NodeShell {
  /** Runs a script to its end on the virtual clock, or to the program before which it is killed: then it never answers. */
  run(script: string, environment: Readonly<Record<string, string>>, kill?: AbortSignal): Promise<ScriptResult>;
  read(path: string): Promise<string | null>;
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
}

/** One script under way. */
interface Run {
  readonly process: Process;
  outside<R>(wait: () => Promise<R>): Promise<R>;
  /** What went wrong in the simulator, not in the script. */
  readonly gaps: unknown[];
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
export class Shell implements NodeShell {
  readonly #fs = new InMemoryFs();
  readonly #clock: SimClock;
  readonly #processes: Processes;

  /** `isUp`: whether the machine runs; when it goes down, its processes go with it. */
  constructor(clock: SimClock, programs: Readonly<Record<string, Program>>, isUp: () => boolean = () => true) {
    this.#clock = clock;
    this.#processes = new Processes(clock, programs, isUp);
  }

  run(script: string, environment: Readonly<Record<string, string>>, kill?: AbortSignal): Promise<ScriptResult> {
    return this.#clock.hold(async (outside) => {
      const process = this.#processes.begin(kill);
      const gaps: unknown[] = [];
      // The scripts are our own: the interpreter's guard against hostile ones would cost half the time, and patches this process.
      const bash = new Bash({
        defenseInDepth: false,
        fs: this.#fs,
        commands: installed,
        customCommands: this.#commands({ process, outside, gaps }),
        env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", ...environment },
        cwd: "/",
        executionLimits,
      });
      // The first line it is asked about stands for the script; further ones are what a program of the script runs (xargs).
      let first: ScriptNode | null = parsedOnce(script);
      const transform = ({ ast }: { readonly ast: ScriptNode }) => {
        const given = { ast: first ?? ast };
        first = null;
        return given;
      };
      bash.registerTransformPlugin({ name: "parsed-once", transform });
      const { stdout, stderr, exitCode } = await bash.exec(":");
      process.end();
      // A gap in the simulator must not look like a script that failed.
      if (gaps.length > 0) throw gaps[0];
      if (/command not found/.test(stderr)) {
        throw new SimulationGap(`a script used a program that no node has: ${stderr.slice(0, 300)}`);
      }
      return { exitCode, stdout, stderr };
    });
  }

  /** The node's programs as the interpreter wants them; what they throw is kept, and time moves while they work. */
  #commands({ process, outside, gaps }: Run) {
    return Object.keys(this.#processes.programs).map((name) =>
      defineCommand(name, async (args, { stdin }) => {
        try {
          return await outside(() => process.start(name, args, String(stdin ?? "")));
        } catch (error) {
          gaps.push(error);
          return { stdout: "", stderr: `${name}: ${String(error)}\n`, exitCode: 125 };
        }
      }),
    );
  }

  async read(path: string): Promise<string | null> {
    return (await this.#fs.exists(path)) ? this.#fs.readFile(path) : null;
  }

  async write(path: string, text: string): Promise<void> {
    await this.#fs.mkdir(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true });
    await this.#fs.writeFile(path, text);
  }

  async remove(path: string): Promise<void> {
    await this.#fs.rm(path, { recursive: true, force: true });
  }

  async makeFolder(path: string): Promise<void> {
    await this.#fs.mkdir(path, { recursive: true });
  }
}
