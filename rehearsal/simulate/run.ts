import { Stage } from "../stage.ts";
import type { FaultRule } from "../world/fault-rule.ts";
import { Auditor, type Violation } from "./auditor.ts";

/** Until what is left was tried for the last time, and some (lifecycle 2): 1, 4 and 24 hours. */
const patienceHours = 36;
const lookSeconds = 900;

export interface Verdict {
  readonly violations: readonly Violation[];
  /** State machine executions, nested ones and those that the watcher and the sweep started included. */
  readonly executions: number;
  readonly succeeded: number;
  readonly faults: number;
  /** Resources of each generation that stands, as sorted types. */
  readonly standing: ReadonlyMap<string, readonly string[]>;
  /** Every call that a function made, in order. */
  readonly calls: Stage["account"]["world"]["door"]["calls"];
}

/** One story in an account of its own: what happens, under these faults, until everything has come to rest. */
export async function tell(
  seed: number,
  faults: readonly FaultRule[],
  story: (stage: Stage) => Promise<void>,
  request: unknown = {},
): Promise<Verdict> {
  const late: { auditor: Auditor | null } = { auditor: null };
  const stage = await Stage.open({ request, seed, faults, onEvent: (event) => late.auditor?.onEvent(event) });
  const { world, deployment } = stage.account;
  const auditor = new Auditor(world, deployment.bucket);
  late.auditor = auditor;
  stage.attend();
  await story(stage);
  for (let waited = 0; !auditor.isQuiet && waited < patienceHours * 3600; waited += lookSeconds) await stage.pass(lookSeconds);
  auditor.finish(stage.written());
  const executions = [...world.stepFunctions.executions.values()];
  return {
    violations: auditor.violations,
    executions: executions.length,
    succeeded: executions.filter(({ outcome }) => outcome?.status === "SUCCEEDED").length,
    faults: world.door.calls.filter(({ struck }) => struck !== null).length,
    standing: new Map([...auditor.standing()].map(([id, items]) => [id, items.map(({ type }) => type).sort()])),
    calls: world.door.calls,
  };
}
