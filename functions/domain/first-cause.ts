import * as z from "zod";
import { readableCause } from "./failure.ts";

/** What `startExecution.sync:2` says of a child that did not succeed. */
const Nested = z.object({ Error: z.string(), Cause: z.string().default("") });

/** Machines of ours start machines of ours, and those no others that fail: this is more than there can be. */
const depthMax = 8;

/** The error of the innermost execution that failed: a nested one's end is the Cause of the state that started it. */
export function firstCause(error: string, cause: string, depth = 0): { readonly name: string; readonly cause: string } {
  const nested = error === "States.TaskFailed" && depth < depthMax ? Nested.safeParse(asJson(cause)).data : undefined;
  return nested === undefined ? { name: error, cause: readableCause(cause) } : firstCause(nested.Error, nested.Cause, depth + 1);
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
