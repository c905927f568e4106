import { codesOf } from "../world/codes.ts";
import type { CallRecord } from "../world/door.ts";
import type { FaultRule } from "../world/fault-rule.ts";
import { type killCodes, orphanCodes } from "../world/life.ts";
import { type Course, courses, name, oldEnoughSeconds, smallest } from "./courses.ts";
import { type Tale, tell, type Verdict } from "./run.ts";

const request = smallest;
const kept = { ...request, onFailure: "keep" };
const seed = 1;

/** What is told again and again, once for each fault of each of its own calls when nothing else goes wrong. */
interface Plot extends Course {
  isOwn(call: CallRecord, first: CallRecord): boolean;
}

const executionOf = ({ caller }: CallRecord): string => (caller.kind === "function" ? caller.execution : "");
const by = (execution: string) => (call: CallRecord) => executionOf(call).endsWith(`:${execution}`);

/** A machine's run, after a build where there is one before it. */
const plot = (machine: string, input: object, before: object | null, planted: Course["planted"] = []): Plot => ({
  planted,
  isOwn: by(`${machine}:told`),
  async run(stage) {
    if (before !== null) await stage.run("build-cluster", before, "before");
    await stage.run(machine, input, "told");
  },
});

/** Destroys that the watcher or the sweep has started, until they have their lock. */
const isLoneLock: Plot["isOwn"] = (call) =>
  call.site.state === "AcquireTeardownLock" && /:(?:abandoned-\w+|orchid-\w+-\d+)$/.test(executionOf(call));

/** What goes on before somebody overtakes is a build like any other. */
const isOvertaking: Plot["isOwn"] = (call, first) =>
  by("build-cluster:overtaker")(call)
    ? call.site.state === "AcquireLock"
    : by("build-cluster:overtaken")(call) && call.at - first.at > oldEnoughSeconds * 1000;

const plots = {
  build: plot("build-cluster", request, null),
  /** The same request for a cluster that is ready. */
  rerun: plot("build-cluster", request, request),
  /** A build that was kept, and the same request again. */
  resume: plot("build-cluster", kept, kept, [
    { operation: "SendCommand", code: "AccessDeniedException", nth: 1, after: false, state: "JoinWorkers" },
  ]),
  destroy: plot("destroy-cluster", { name }, request),
  rebuild: plot("rebuild-cluster", { name }, request),
  "bad-request": { ...courses["bad request"], isOwn: by("build-cluster:refused") },
  "lost-lock": { ...courses["lost lock"], isOwn: isOvertaking },
  "failed-rerun": { ...courses["failed re-run of a ready cluster"], isOwn: by("build-cluster:rerun") },
  "failed-rebuild": { ...courses["rebuild whose build fails"], isOwn: by("rebuild-cluster:failing") },
  "resume-between": { ...courses["resume before a destroy's lock"], isOwn: isLoneLock },
  "extend-between": { ...courses["extend before a destroy's lock"], isOwn: isLoneLock },
  "promote-between": { ...courses["promote before a destroy's lock"], isOwn: isLoneLock },
  "rollback-between": { ...courses["rollback before a destroy's lock"], isOwn: isLoneLock },
  "protect-between": { ...courses["protect before a destroy's lock"], isOwn: isLoneLock },
} as const satisfies Record<string, Plot>;

export type Scene = keyof typeof plots;
export const scenes = Object.keys(plots) as Scene[];

export interface Case {
  readonly scene: Scene;
  readonly rule: FaultRule;
}

/** Every fault of every call of a scene, from a clean run's own list of calls. */
export async function casesOf(scene: Scene): Promise<readonly Case[]> {
  const { planted, run, isOwn }: Plot = plots[scene];
  const { calls, violations } = await tell({ seed, request, faults: planted, story: run });
  if (violations.length > 0) throw new Error(`a clean ${scene} breaks an invariant: ${JSON.stringify(violations)}`);
  const [first] = calls;
  const own = first === undefined ? [] : calls.filter((call) => call.struck === null && isOwn(call, first));
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
  const { planted, run }: Plot = plots[scene];
  const told = await tell({ seed, request, faults: [...planted, rule], story: run, ...(trace && { trace }) });
  const faults = told.faults.filter((fault) => fault === rule);
  const never = { invariant: 0, detail: "the fault never happened", at: "" };
  return { ...told, faults, violations: faults.length > 0 ? told.violations : [...told.violations, never] };
}
