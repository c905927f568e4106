import type { Stage } from "../stage.ts";
import { codesOf } from "../world/codes.ts";
import type { CallRecord } from "../world/door.ts";
import type { FaultRule } from "../world/fault-rule.ts";
import { type killCodes, orphanCodes } from "../world/life.ts";
import { type Tale, tell, type Verdict } from "./run.ts";

/** The smallest cluster that has every part. */
const request = { name: "orchid", workers: { count: 1 }, verify: { volume: false } };
const seed = 1;

/** What is told again and again, once for each fault of each call that it makes when nothing goes wrong. */
export const scenes = ["build", "destroy", "rebuild"] as const;
export type Scene = (typeof scenes)[number];

const machines: Readonly<Record<Scene, string>> = {
  build: "build-cluster",
  destroy: "destroy-cluster",
  rebuild: "rebuild-cluster",
};

const story = (scene: Scene) => async (stage: Stage) => {
  if (scene !== "build") await stage.run("build-cluster", request, "before");
  await stage.run(machines[scene], scene === "build" ? request : { name: request.name }, scene);
};

export interface Case {
  readonly scene: Scene;
  readonly rule: FaultRule;
}

/** Every fault of every call of a scene, from a clean run's own list of calls. */
export async function casesOf(scene: Scene): Promise<readonly Case[]> {
  const { calls, violations } = await tell({ seed, request, faults: [], story: story(scene) });
  if (violations.length > 0) throw new Error(`a clean ${scene} breaks an invariant: ${JSON.stringify(violations)}`);
  const own = calls.filter(
    ({ caller }) => caller.kind === "function" && caller.execution.includes(`:${machines[scene]}:${scene}`),
  );
  return own.flatMap((call) => faultsOf(call).map((rule) => ({ scene, rule })));
}

/** How a Lambda dies at once, and how one hangs until its timeout. */
const deaths = ["Runtime.ExitError", "Sandbox.Timedout"] as const satisfies readonly (typeof killCodes)[number][];

/**
 * Every code before its effect and, where there is one, after it. A death or an orphan comes after the call's answer: before the next call's
 * effect is the same moment.
 */
function faultsOf({ service, operation, mutates, site }: CallRecord): readonly FaultRule[] {
  const at = { operation, nth: site.nthInState, state: site.state ?? "" };
  const codes = codesOf(service, operation);
  if (codes === null) throw new Error(`nobody says which codes ${operation} can give`);
  const orphans = orphanCodes.filter((code) => code !== "Branch.Stopped" || site.isInBranch);
  return [
    ...codes.flatMap((code) => (mutates ? [false, true] : [false]).map((after) => ({ ...at, code, after }))),
    ...deaths.map((code) => ({ ...at, code, after: true, kind: "kill" as const })),
    ...orphans.map((code) => ({ ...at, code, after: true, kind: "orphan" as const })),
  ];
}

/** One scene under one fault. */
export async function judge({ scene, rule }: Case, trace?: Tale["trace"]): Promise<Verdict> {
  const verdict = await tell({ seed, request, faults: [rule], story: story(scene), ...(trace && { trace }) });
  const never = { invariant: 0, detail: "the fault never happened", at: "" };
  return verdict.faults.length > 0 ? verdict : { ...verdict, violations: [...verdict.violations, never] };
}
