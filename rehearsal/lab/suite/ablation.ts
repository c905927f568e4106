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
  const lab = await Lab.open({ scale, patience, bundle, say: () => {}, onEvent: () => {} });
  const began = performance.now();
  try {
    plant?.(lab);
    const execution = lab.start("build-cluster", "lab-ablation", request(lab.kubernetes));
    const stop = () => execution.stop("Interrupted", "the lab is being closed");
    signal.addEventListener("abort", stop, { once: true });
    const { status } = await execution.done;
    signal.removeEventListener("abort", stop);
    const found =
      status === "SUCCEEDED" ? { state: "ClusterReady", error: "none", cause: "" } : firstFailure(execution.history.events);
    const took = `${Math.round((performance.now() - began) / 1000)} s`;
    const passed = found.state === state && found.error === error && words.test(found.cause);
    if (!passed) await lab.saveLogs(join(options.logs, without.replaceAll(/\W+/g, "-")));
    const said = passed ? "" : `: ${found.cause.slice(0, 400)}`;
    return { name: nameOf(ablation), passed, evidence: `${took}, ${found.state} ${found.error}${said}` };
  } finally {
    await lab.close();
  }
}

const nameOf = ({ without }: LabAblation): string => `without ${without}`;
const offered = ({ isWhole }: SuiteOptions): readonly LabAblation[] =>
  ablations.filter(({ isSlow = false }) => isWhole || !isSlow);

/** The row with a bundle of its own, where it changes one. */
async function inCopy(ablation: LabAblation, options: SuiteOptions): Promise<LabCheck> {
  const copy = ablation.bundle === undefined ? null : mkdtempSync(join(cacheFolder(), "changed-"));
  try {
    if (copy !== null) {
      copyBundle(await labBundle(options), copy);
      ablation.bundle?.(copy);
    }
    return await run(ablation, options, copy);
  } catch (error) {
    return { name: nameOf(ablation), passed: false, evidence: (error as Error).message };
  } finally {
    if (copy !== null) rmSync(copy, { recursive: true });
  }
}

/**
 * Every ablation in a lab of its own: each takes one requirement away, and the build must stop as the virtual
 * rehearsal says. Two stand side by side: one lane begins with rows that work, the other with those that wait for what does not come.
 */
export const ablationChapter: Chapter = {
  name: "ablations",
  rows: (options) => offered(options).map(nameOf),
  async run(options, tell) {
    const isWanted = (row: LabAblation) => options.only.test(nameOf(row)) || options.only.test("ablations");
    const wanted = offered(options).filter(isWanted);
    const isWaiting = ({ patience }: LabAblation): boolean => patience !== undefined;
    const queue = [...wanted.filter((row) => !isWaiting(row)), ...wanted.filter(isWaiting)];
    const lane = async (next: () => LabAblation | undefined): Promise<void> => {
      for (let row = next(); row !== undefined && !options.signal.aborted; row = next()) tell(await inCopy(row, options));
    };
    // Once alone, so that what all of them need is there.
    await labBundle(options);
    await Promise.all([lane(() => queue.shift()), lane(() => queue.pop())]);
  },
};
