import * as z from "zod";

/** `$.failure`, as a Catch writes it. */
export const Failure = z.strictObject({ Error: z.string().max(256), Cause: z.string().max(40_000).default("") });

/** Causes are cut here, so that the state and the message stay small. */
const causeMax = 4_000;

/** The message inside a Cause: Lambda wraps it as `{"errorType", "errorMessage", "trace"}`; anything else is taken as it stands. */
export function readableCause(cause: string): string {
  try {
    const parsed: unknown = JSON.parse(cause);
    if (typeof parsed === "object" && parsed !== null && "errorMessage" in parsed && typeof parsed.errorMessage === "string") {
      return parsed.errorMessage.slice(0, causeMax);
    }
  } catch (error) {
    // Not JSON: States.Timeout and its like give plain text.
    if (!(error instanceof SyntaxError)) throw error;
  }
  return cause.slice(0, causeMax);
}
