import type { Grant, Place } from "./grants.ts";
import { callsOf, grantsOf } from "./steps.ts";

export interface Statement {
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Grant["condition"];
}

/** Actions on the same things under the same condition make one statement, so that a policy stays within IAM's 10,240 characters. */
function toStatements(grants: readonly Grant[]): readonly Statement[] {
  const merged = new Map<string, { actions: Set<string>; grant: Grant }>();
  for (const grant of grants) {
    const key = JSON.stringify([grant.resources, grant.condition]);
    const known = merged.get(key) ?? { actions: new Set(), grant };
    merged.set(key, known);
    known.actions.add(grant.action);
  }
  return [...merged.values()].map(({ actions, grant: { resources, condition } }) => ({
    Effect: "Allow",
    Action: [...actions].sort(),
    Resource: resources,
    ...(condition && { Condition: condition }),
  }));
}

/** Everything that a step may do: its calls' rows. */
export const stepStatements = (step: string, place: Place): readonly Statement[] =>
  toStatements(callsOf(step).flatMap((call) => grantsOf(call, place)));
