import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../cache.ts";
import type { LabCheck } from "../checks.ts";
import { firstFailure } from "../failure.ts";
import { Lab, labBundle } from "../lab.ts";
import { labRequest } from "../request.ts";
import { ablations, copyBundle, type LabAblation } from "./ablations.ts";
import type { Chapter, SuiteOptions } from "./suite.ts";

/** One worker is enough for every cause, and nothing needs to be rolled back in an account that ends with the lab. */
const request = (kubernetes: string) => ({
  ...labRequest(kubernetes),
  workers: { count: 1, instanceType: "m5.large" },
  verify: { volume: false, loadBalancer: false },
  onFailure: "keep",
});

async function run(ablation: LabAblation, options: SuiteOptions, bundle: string | null): Promise<LabCheck> {
  const { without, error, state, words, scale = options.scale, patience = 1, plant } = ablation;
  const { signal } = options;
  const lab = await Lab.open({ scale, patience, bundle, isBaked: bundle === null, say: () => {}, onEvent: () => {} });
  try {
    plant?.(lab);
    const execution = lab.start("build-cluster", "lab-ablation", request(lab.kubernetes));
    const stop = () => execution.stop("Interrupted", "the lab is being closed");
    signal.addEventListener("abort", stop, { once: true });
    const { status } = await execution.done;
    signal.removeEventListener("abort", stop);
    const found =
      status === "SUCCEEDED" ? { state: "ClusterReady", error: "none", cause: "" } : firstFailure(execution.history.events);
    const passed = found.state === state && found.error === error && words.test(found.cause);
    if (!passed) await lab.saveLogs(join(options.logs, without.replaceAll(/\W+/g, "-")));
    const said = passed ? "" : `: ${found.cause.slice(0, 400)}`;
    return { name: nameOf(ablation), passed, evidence: `${found.state} ${found.error}${said}` };
  } finally {
    await lab.close();
  }
}

const nameOf = ({ without }: LabAblation): string => `without ${without}`;
const offered = ({ isWhole }: SuiteOptions): readonly LabAblation[] =>
  ablations.filter(({ isSlow = false }) => isWhole || !isSlow);

/** The row with a bundle of its own, where it changes one; its seconds are those from its lab's opening to its closing. */
async function inCopy(ablation: LabAblation, options: SuiteOptions): Promise<LabCheck> {
  const began = performance.now();
  const copy = ablation.bundle === undefined ? null : mkdtempSync(join(cacheFolder(), "changed-"));
  try {
    if (copy !== null) {
      copyBundle(await labBundle(options), copy);
      ablation.bundle?.(copy);
    }
    const check = await run(ablation, options, copy);
    return { ...check, evidence: `${Math.round((performance.now() - began) / 1000)} s, ${check.evidence}` };
  } catch (error) {
    return { name: nameOf(ablation), passed: false, evidence: (error as Error).message };
  } finally {
    if (copy !== null) rmSync(copy, { recursive: true });
  }
}

/**
 * Every ablation in a lab of its own: each takes one requirement away, and the build must stop as the virtual rehearsal says. Two stand
 * side by side, one of those that build and one of those that wait for what does not come: two that build take longer than one after the other.
 */
export const ablationChapter: Chapter = {
  name: "ablations",
  rows: (options) => offered(options).map(nameOf),
  async run(options, tell) {
    const isWanted = (row: LabAblation) => options.only.test(nameOf(row)) || options.only.test("ablations");
    const queue = offered(options).filter(isWanted);
    const lane = async (next: () => LabAblation | undefined): Promise<void> => {
      for (let row = next(); row !== undefined && !options.signal.aborted; row = next()) tell(await inCopy(row, options));
    };
    // Once alone, so that what all of them need is there.
    await labBundle({ ...options, isBaked: true });
    await Promise.all([lane(() => queue.shift()), lane(() => queue.pop())]);
  },
};
