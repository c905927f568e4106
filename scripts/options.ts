import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import type { Screen } from "../rehearsal/report/live.ts";

/** Something about the command line that the person can correct: the command ends with exit code 2. */
export class UsageError extends Error {}

/** An option's whole number within its bounds. */
export function wholeNumber(option: string, text: string, least = 0, most = 999_999_999): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < least || number > most) {
    const bounds = least === 0 && most === 999_999_999 ? "" : ` from ${least} to ${most}`;
    throw new UsageError(`${option} wants a whole number${bounds}, not ${text}`);
  }
  return number;
}

/** Does what the person's words lead to: whatever it throws is theirs to correct, in its first line. */
export function usage<T>(work: () => T, about?: string): T {
  try {
    return work();
  } catch (error) {
    const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new UsageError(about === undefined || first.includes(about) ? first : `${about}: ${first}`);
  }
}

export const readRequest = (file: string): unknown =>
  usage(() => {
    const text = readFileSync(file, "utf8");
    return /\.ya?ml$/.test(file) ? parseYaml(text) : JSON.parse(text);
  }, file);

/** The terminal that the command was started in, or the file that it writes to. */
export function screen(): Screen {
  const isTerminal = process.stdout.isTTY === true;
  return {
    isTerminal,
    hasColour: isTerminal && process.env["NO_COLOR"] === undefined,
    columns: process.stdout.columns ?? 120,
    write: (text) => void process.stdout.write(text),
  };
}
