import type { Stage } from "../stage.ts";
import { codesOf } from "../world/codes.ts";
import type { CallRecord } from "../world/door.ts";
import type { FaultRule } from "../world/fault-rule.ts";
import { type killCodes, orphanCodes } from "../world/life.ts";
import { type Tale, tell, type Verdict } from "./run.ts";

/** The smallest cluster that has every part. */
const request = { name: "orchid", workers: { count: 1 }, verify: { volume: false } };
const kept = { ...request, onFailure: "keep" };
const seed = 1;

/** What is told again and again, once for each fault of each call that it makes when nothing else goes wrong. */
interface Plot {
  readonly machine: string;
  readonly input: unknown;
  /** What is built before; null: nothing. */
  readonly before: unknown;
  /** What goes wrong in any case. */
  readonly planted: readonly FaultRule[];
}

const plots = {
  build: { machine: "build-cluster", input: request, before: null, planted: [] },
  /** The same request for a cluster that is ready. */
  rerun: { machine: "build-cluster", input: request, before: request, planted: [] },
  /** A build that was kept, and the same request again. */
  resume: {
    machine: "build-cluster",
    input: kept,
    before: kept,
    planted: [{ operation: "SendCommand", code: "AccessDeniedException", nth: 1, after: false, state: "JoinWorkers" }],
  },
  destroy: { machine: "destroy-cluster", input: { name: request.name }, before: request, planted: [] },
  rebuild: { machine: "rebuild-cluster", input: { name: request.name }, before: request, planted: [] },
} as const satisfies Record<string, Plot>;

export type Scene = keyof typeof plots;
export const scenes = Object.keys(plots) as Scene[];

const story = (scene: Scene) => async (stage: Stage) => {
  const { machine, input, before } = plots[scene];
  if (before !== null) await stage.run("build-cluster", before, "before");
  await stage.run(machine, input, scene);
};

export interface Case {
  readonly scene: Scene;
  readonly rule: FaultRule;
}

/** Every fault of every call of a scene, from a clean run's own list of calls. */
export async function casesOf(scene: Scene): Promise<readonly Case[]> {
  const { machine, planted } = plots[scene];
  const { calls, violations } = await tell({ seed, request, faults: planted, story: story(scene) });
  if (violations.length > 0) throw new Error(`a clean ${scene} breaks an invariant: ${JSON.stringify(violations)}`);
  const own = calls.filter(({ caller }) => caller.kind === "function" && caller.execution.endsWith(`:${machine}:${scene}`));
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
  const { planted } = plots[scene];
  const told = await tell({ seed, request, faults: [...planted, rule], story: story(scene), ...(trace && { trace }) });
  const faults = told.faults.slice(planted.length);
  const never = { invariant: 0, detail: "the fault never happened", at: "" };
  return { ...told, faults, violations: faults.length > 0 ? told.violations : [...told.violations, never] };
}
