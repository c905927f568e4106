import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ablations, copyBundle, type LabAblation } from "./ablations.ts";
import { cacheFolder } from "./cache.ts";
import type { LabCheck } from "./checks.ts";
import { firstFailure } from "./failure.ts";
import { Lab, type LabOptions, labBundle } from "./lab.ts";
import { labRequest } from "./request.ts";

/** One worker is enough for every cause, and nothing needs to be rolled back in an account that ends with the lab. */
const request = (kubernetes: string) => ({
  ...labRequest(kubernetes),
  workers: { count: 1, instanceType: "m5.large" },
  verify: { volume: false, loadBalancer: false },
  onFailure: "keep",
});

async function run(ablation: LabAblation, scale: number, bundle: string | null, signal: AbortSignal): Promise<LabCheck> {
  const { without, error, state, words, plant } = ablation;
  const lab = await Lab.open({ scale: ablation.scale ?? scale, bundle, say: () => {}, onEvent: () => {} });
  const began = performance.now();
  try {
    plant?.(lab);
    const execution = lab.start("build-cluster", "lab-ablation", request(lab.kubernetes));
    signal.addEventListener("abort", () => execution.stop("Interrupted", "the lab is being closed"), { once: true });
    const { status } = await execution.done;
    const found =
      status === "SUCCEEDED" ? { state: "ClusterReady", error: "none", cause: "" } : firstFailure(execution.history.events);
    const took = `${Math.round((performance.now() - began) / 1000)} s`;
    const passed = found.state === state && found.error === error && words.test(found.cause);
    const said = passed ? "" : `: ${found.cause.slice(0, 400)}`;
    return { name: `without ${without}`, passed, evidence: `${took}, ${found.state} ${found.error}${said}` };
  } finally {
    await lab.close();
  }
}

/** Every ablation, one lab after another: each takes one requirement away, and the build must stop as the virtual rehearsal says. */
export async function runSuite(
  { scale, say }: Pick<LabOptions, "scale" | "say">,
  only: RegExp,
  onCheck: (check: LabCheck) => void,
  signal: AbortSignal,
): Promise<LabCheck[]> {
  const checks: LabCheck[] = [];
  for (const ablation of ablations.filter(({ without }) => only.test(without))) {
    if (signal.aborted) break;
    let copy: string | null = null;
    if (ablation.bundle !== undefined) {
      copy = mkdtempSync(join(cacheFolder(), "changed-"));
      copyBundle(await labBundle(say), copy);
      ablation.bundle(copy);
    }
    const check = await run(ablation, scale, copy, signal).catch(
      (error: Error): LabCheck => ({ name: `without ${ablation.without}`, passed: false, evidence: error.message }),
    );
    if (copy !== null) rmSync(copy, { recursive: true });
    checks.push(check);
    onCheck(check);
  }
  return checks;
}
