import { SimulationGap } from "../../service.ts";
import type { Answer, Call, Program } from "../shell.ts";

/** A program's arguments, told apart. */
export interface Line {
  /** What is no flag, without the subcommand's own words. */
  readonly words: readonly string[];
  /** What stands behind `--`. */
  readonly rest: readonly string[];
  has(flag: string): boolean;
  /** The flag's last value. */
  get(flag: string): string | undefined;
  all(flag: string): readonly string[];
}

export interface Command {
  /**
   * The flags that are modelled: `-A,--all-namespaces` is a switch by two names, `--timeout=` takes a value as its next argument or
   * behind an equals sign, `-m:` only as its next argument; `-o:/dev/null|-` takes no other value, `--config!=` must be there.
   */
  readonly flags?: string;
  /** How many words it takes; none when left out. */
  readonly words?: number | readonly [least: number, most: number];
  run(line: Line, call: Call): Answer | Promise<Answer>;
}

interface Flag {
  readonly name: string;
  readonly takes: "nothing" | "next" | "either";
  readonly values: readonly string[] | null;
  readonly isRequired: boolean;
}

type Flags = ReadonlyMap<string, Flag>;

function flagsOf(text: string): Flags {
  const found = new Map<string, Flag>();
  for (const word of text.split(" ").filter((part) => part !== "")) {
    const [, names = "", required, sign, values = ""] = /^([^!=:]+)(!?)([=:]?)(.*)$/.exec(word) ?? [];
    const [name = "", ...others] = names.split(",");
    const takes = sign === "=" ? "either" : sign === ":" ? "next" : "nothing";
    const flag: Flag = { name, takes, values: values === "" ? null : values.split("|"), isRequired: required === "!" };
    for (const spelling of [name, ...others]) found.set(spelling, flag);
  }
  return found;
}

interface Told {
  readonly words: string[];
  readonly rest: string[];
  readonly given: Map<string, string[]>;
}

/** Tells flags and words apart; what no command knows is handed to `unknown`. */
function tell(flags: Flags, args: readonly string[], unknown: (argument: string) => never): Told {
  const told: Told = { words: [], rest: [], given: new Map() };
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? "";
    if (argument === "--") {
      told.rest.push(...args.slice(at + 1));
      break;
    }
    if (!argument.startsWith("-") || argument === "-") {
      told.words.push(argument);
      continue;
    }
    const [, spelling = "", joined] = /^(--?[^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
    // One letter after another, as in -fsS: the last may take a value.
    const letters =
      /^-[A-Za-z]{2,}$/.test(argument) && !flags.has(spelling) ? [...argument.slice(1)].map((one) => `-${one}`) : [spelling];
    for (const letter of letters) {
      const flag = flags.get(letter);
      if (flag === undefined || (joined !== undefined && flag.takes !== "either")) return unknown(argument);
      const isLast = letter === letters.at(-1);
      const value = flag.takes === "nothing" ? "" : (joined ?? (isLast ? args[++at] : undefined));
      if (value === undefined) return unknown(`${argument} without a value`);
      told.given.set(flag.name, [...(told.given.get(flag.name) ?? []), value]);
    }
  }
  return told;
}

/**
 * A program by its subcommands (`""` where it has none). A subcommand, flag, value or count of words that its table lacks is a
 * SimulationGap: what the real program would do with it is not modelled.
 */
export function program(name: string, commands: Readonly<Record<string, Command>>, globals = ""): Program {
  const table = Object.entries(commands)
    .map(([path, { flags = "", words = 0, run }]) => ({
      path: path.split(" ").filter((word) => word !== ""),
      flags: flagsOf(`${globals} ${flags}`),
      words: typeof words === "number" ? ([words, words] as const) : words,
      run,
    }))
    .sort((a, b) => b.path.length - a.path.length);
  // Flags may stand before the subcommand, so which one it is shows only when all arguments are told apart.
  const every: Flags = new Map(table.flatMap(({ flags }) => [...flags]));
  return (call) => {
    const gap = (what: string): never => {
      throw new SimulationGap(`${name} ${call.args.join(" ")} is not modelled: ${what}`);
    };
    const { words, rest, given } = tell(every, call.args, (argument) => gap(`the flag ${argument}`));
    const command = table.find(({ path }) => path.every((word, index) => words[index] === word)) ?? gap("the subcommand");
    const own = new Map([...command.flags.values()].map((flag) => [flag.name, flag]));
    for (const [flag, values] of given) {
      const known = own.get(flag) ?? gap(`the flag ${flag}`);
      const strange = values.find((value) => known.values?.includes(value) === false);
      if (strange !== undefined) gap(`${flag} with ${strange}`);
    }
    const lacking = [...own.values()].find((flag) => flag.isRequired && !given.has(flag.name));
    if (lacking !== undefined) gap(`without ${lacking.name}`);
    const left = words.slice(command.path.length);
    const [least, most] = command.words;
    if (left.length < least || left.length > most) gap(`${left.length} words`);
    const all = (flag: string): readonly string[] => given.get(flag) ?? [];
    return command.run({ words: left, rest, has: (flag) => given.has(flag), get: (flag) => all(flag).at(-1), all }, call);
  };
}

export const fail = (stderr: string, exitCode = 1): Answer => ({ stderr: `${stderr}\n`, exitCode });
