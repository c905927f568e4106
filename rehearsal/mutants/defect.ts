import { aws } from "./aws.ts";
import { doors } from "./doors.ts";
import { machines } from "./machines.ts";
import { nodes } from "./nodes.ts";
import { record } from "./record.ts";
import { steps } from "./steps.ts";

/** A mistake that somebody could make in the product, as data: `from` stands exactly once in its file, and `to` takes its place. */
export interface Defect {
  readonly name: string;
  /** From the project's folder. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /**
   * What notices it soonest: a test's file, or a kind of looks and one of them (`rehearsals/a destroy`). It only comes first; whatever it
   * says, the whole suite has the last word.
   */
  readonly soonest: string;
}

export const defects: readonly Defect[] = [...steps, ...aws, ...record, ...machines, ...nodes, ...doors];

/** The file's text with the defect in it. A refactoring that moved the text away must not disarm the defect in silence. */
export function mutated(text: string, { name, file, from, to }: Defect): string {
  const times = text.split(from).length - 1;
  if (times !== 1) throw new RangeError(`"${name}": its text stands ${times} times in ${file}, not once`);
  if (to === from) throw new RangeError(`"${name}" changes nothing in ${file}`);
  // A function, because in a plain replacement "$&" and its like have a meaning.
  return text.replace(from, () => to);
}
