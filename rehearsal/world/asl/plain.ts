import type { Clock } from "../clock.ts";
import { choose } from "./choice.ts";
import { list, type State } from "./definition.ts";
import { type Json, place, type Scope, StateError, select, template } from "./paths.ts";

/** What a state hands on; `next` is null at an end. */
export interface Step {
  readonly output: Json;
  readonly next: string | null;
}

export const nextOf = (state: State): string | null => (typeof state["Next"] === "string" ? state["Next"] : null);

/** ResultPath: `$` where the state says nothing. */
export const resultPathOf = (state: State): unknown => (state["ResultPath"] === undefined ? "$" : state["ResultPath"]);

/** A state that asks nobody for anything: Choice, Pass, Wait, Succeed and Fail. */
export async function plain(state: State, scope: Scope, clock: Clock): Promise<Step> {
  if (state.Type === "Fail") throw new StateError(textOf(state, "Error", scope), textOf(state, "Cause", scope));
  const input = select(scope, state["InputPath"]);
  const inner: Scope = { ...scope, data: input };
  const handOn = (data: Json, next: string | null): Step => ({ output: select({ ...scope, data }, state["OutputPath"]), next });
  switch (state.Type) {
    case "Choice":
      return handOn(input, choose(list(state["Choices"]), state["Default"] as string | undefined, inner));
    case "Pass": {
      const made = "Parameters" in state ? template(state["Parameters"] as Json, inner) : input;
      const result = "Result" in state ? (state["Result"] as Json) : made;
      return handOn(place(scope.data, resultPathOf(state), result), nextOf(state));
    }
    case "Wait":
      await clock.sleep(Number(state["Seconds"]));
      return handOn(input, nextOf(state));
    default:
      return handOn(input, null);
  }
}

function textOf(state: State, field: "Error" | "Cause", scope: Scope): string {
  const path = state[`${field}Path`];
  return path === undefined ? String(state[field] ?? "") : String(select(scope, path));
}
