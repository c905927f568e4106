import type { Caller, Operation } from "./service.ts";

export type Operations = Readonly<Record<string, Operation>>;

type Run<I> = (input: I, caller: Caller) => unknown;

/** An operation that reads. `I` is the SDK command's input, so a field that AWS does not have is a type error. */
export const reads = <I>(fields: readonly (keyof I & string)[], run: Run<I>): Operation => ({ fields, mutates: false, run });

export const writes = <I>(fields: readonly (keyof I & string)[], run: Run<I>): Operation => ({ fields, mutates: true, run });
