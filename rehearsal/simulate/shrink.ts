import type { FaultRule } from "../world/fault-rule.ts";
import type { Verdict } from "./run.ts";

/** So many retellings at most: a small list soon is as good as the smallest one late. */
const triesMax = 60;

/** The fewest faults that still break the same invariant: leaves out halves, quarters and so on, as long as it stays broken. */
export async function smallest(
  broken: Verdict,
  retell: (faults: readonly FaultRule[]) => Promise<Verdict>,
): Promise<readonly FaultRule[]> {
  const invariant = broken.violations[0]?.invariant;
  const stillBreaks = async (faults: readonly FaultRule[]) =>
    (await retell(faults)).violations.some((violation) => violation.invariant === invariant);
  let faults = broken.faults;
  for (let size = Math.ceil(faults.length / 2), tries = 0; size >= 1 && tries < triesMax; ) {
    let hasShrunk = false;
    for (let from = 0; from < faults.length && tries < triesMax; from += size, tries++) {
      const fewer = [...faults.slice(0, from), ...faults.slice(from + size)];
      if (!(await stillBreaks(fewer))) continue;
      faults = fewer;
      hasShrunk = true;
      break;
    }
    if (!hasShrunk) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return faults;
}
