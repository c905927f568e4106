import type { Caller, Operation } from "./service.ts";

type Run<I> = (input: I, caller: Caller) => unknown;

/** An operation that changes nothing. `fields` are all that it understands. */
export const reads = <I>(fields: readonly (keyof I & string)[], run: Run<I>): Operation => ({ fields, mutates: false, run });
export const writes = <I>(fields: readonly (keyof I & string)[], run: Run<I>): Operation => ({ fields, mutates: true, run });
