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

/** Every ablation, one lab after another: each takes one requirement away, and the build must stop as the virtual rehearsal says. */
export const ablationChapter: Chapter = {
  name: "ablations",
  rows: (options) => offered(options).map(nameOf),
  async run(options, tell) {
    const isWanted = (row: LabAblation) => options.only.test(nameOf(row)) || options.only.test("ablations");
    for (const ablation of offered(options).filter(isWanted)) {
      if (options.signal.aborted) return;
      let copy: string | null = null;
      if (ablation.bundle !== undefined) {
        copy = mkdtempSync(join(cacheFolder(), "changed-"));
        copyBundle(await labBundle(options.say), copy);
        ablation.bundle(copy);
      }
      const failed = (error: Error): LabCheck => ({ name: nameOf(ablation), passed: false, evidence: error.message });
      tell(await run(ablation, options, copy).catch(failed));
      if (copy !== null) rmSync(copy, { recursive: true });
    }
  },
};
