import type { Say } from "../cache.ts";
import type { LabCheck } from "../checks.ts";
import { ablationChapter } from "./ablation.ts";
import { motosInterpreter, olderMinors, threeControlPlanes } from "./clusters.ts";
import { wholeLife } from "./life.ts";
import { everyVersion } from "./versions.ts";

export interface SuiteOptions {
  readonly scale: number;
  /** What takes minutes by its nature too. */
  readonly isWhole: boolean;
  /** The names of what is run: of chapters, or of single rows in one that has rows. */
  readonly only: RegExp;
  /** Where the logs of what failed go. */
  readonly logs: string;
  readonly signal: AbortSignal;
  readonly say: Say;
}

/** A part of the suite, with labs of its own; it tells every check as it is made. */
export interface Chapter {
  readonly name: string;
  /** It takes minutes, or needs what is built for it alone. */
  readonly isSlow?: boolean;
  /** The names of what it has to offer, where it can do a part of it. */
  rows?(options: SuiteOptions): readonly string[];
  run(options: SuiteOptions, tell: (check: LabCheck) => void): Promise<void>;
}

const chapters: readonly Chapter[] = [
  ablationChapter,
  wholeLife,
  threeControlPlanes,
  motosInterpreter,
  ...olderMinors,
  everyVersion,
];

/** What is wanted and takes minutes by its nature: `--all` runs it. */
export function leftOut(options: SuiteOptions): string[] {
  if (options.isWhole) return [];
  const all = chapters.flatMap(({ name, isSlow = false, rows }) => {
    const offered = rows?.(options) ?? [];
    return isSlow ? [name] : (rows?.({ ...options, isWhole: true }) ?? []).filter((row) => !offered.includes(row));
  });
  return all.filter((name) => options.only.test(name));
}

/** Every chapter that is wanted, one after the other. */
export async function runSuite(options: SuiteOptions, onCheck: (check: LabCheck) => void): Promise<LabCheck[]> {
  const checks: LabCheck[] = [];
  const isWanted = ({ name, rows, isSlow = false }: Chapter) =>
    (options.isWhole || !isSlow) && [name, ...(rows?.(options) ?? [])].some((one) => options.only.test(one));
  for (const chapter of chapters.filter(isWanted)) {
    if (options.signal.aborted) break;
    const tell = (check: LabCheck): void => {
      const named = { ...check, name: `${chapter.name}: ${check.name}` };
      checks.push(named);
      onCheck(named);
    };
    await chapter
      .run(options, tell)
      .catch((error: Error) => tell({ name: "it comes to its end", passed: false, evidence: error.message }));
  }
  return checks;
}
