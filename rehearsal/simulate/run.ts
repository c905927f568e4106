import { type Reason, reasonOf } from "../reasons.ts";
import { Stage } from "../stage.ts";
import type { HistoryEvent } from "../world/asl/history.ts";
import type { CallRecord, Door } from "../world/door.ts";
import type { FaultRule } from "../world/fault-rule.ts";
import { Auditor, type Violation } from "./auditor.ts";
import { endingsOf, type Planting } from "./plantings.ts";

/** Until what is left was tried for the last time, and some (lifecycle 2): 1, 4 and 24 hours. */
const patienceHours = 36;
const lookSeconds = 900;

/** What happens in an account of its own. */
export interface Tale {
  readonly seed: number;
  /** What the account's default image and bundle are for. */
  readonly request: unknown;
  /** A list, or a weather that draws them; it ends with the story. */
  readonly faults: readonly FaultRule[] | Door["planned"];
  /** Says by `onMet` what it has planted that no execution's end shows. */
  story(stage: Stage, onMet: (met: Planting) => void): Promise<void>;
  trace?(event: HistoryEvent): void;
}

export interface Verdict {
  readonly violations: readonly Violation[];
  /** State machine executions, nested ones and those that the watcher and the sweep started included. */
  readonly executions: number;
  readonly succeeded: number;
  /** The faults that met a call. */
  readonly faults: readonly FaultRule[];
  /** Every call that a function made, in order. */
  readonly calls: readonly CallRecord[];
  /** What of the list in plantings.ts has happened, each as often as it did. */
  readonly planted: readonly Planting[];
  /** Of each fault that became an execution's reason to fail. */
  readonly reasons: readonly Reason[];
}

/** Tells a story, lets it come to rest without further faults, and judges it. */
export async function tell({ seed, request, faults, story, trace }: Tale): Promise<Verdict> {
  const late: { auditor: Auditor | null } = { auditor: null };
  const onEvent = (event: HistoryEvent) => {
    trace?.(event);
    late.auditor?.onEvent(event);
  };
  const isDrawn = typeof faults === "function";
  const stage = await Stage.open({ request, seed, faults: isDrawn ? [] : faults, scripts: "quick", onEvent });
  const { world, deployment } = stage.account;
  const auditor = new Auditor(world, deployment.bucket);
  late.auditor = auditor;
  if (isDrawn) world.door.planned = faults;
  stage.attend();
  const planted: Planting[] = [];
  await story(stage, (met) => planted.push(met));
  if (isDrawn) world.door.planned = () => undefined;
  for (let waited = 0; !auditor.isQuiet && waited < patienceHours * 3600; waited += lookSeconds) await stage.pass(lookSeconds);
  auditor.finish(stage.written());
  const executions = [...world.stepFunctions.executions.values()];
  return {
    violations: auditor.violations,
    executions: executions.length,
    succeeded: executions.filter(({ outcome }) => outcome?.status === "SUCCEEDED").length,
    faults: world.door.calls.flatMap(({ struck }) => struck ?? []),
    calls: world.door.calls,
    planted: [...planted, ...endingsOf(executions)],
    reasons: world.door.calls.flatMap(({ struck, caller, at }) => {
      const execution = caller.kind === "function" ? world.stepFunctions.executions.get(caller.execution) : undefined;
      return struck === null || execution === undefined ? [] : (reasonOf(execution, struck.code, at) ?? []);
    }),
  };
}
