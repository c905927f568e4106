import { decide, holdsLock } from "../../functions/domain/cluster-record.ts";
import type { Protocol } from "./world.ts";

/** The product's rules, all of them. */
export const whole: Protocol = {
  decide,
  fence: (record, hold) => holdsLock(record ?? undefined, hold),
  pausesBefore: { destroy: true, resume: true },
  awaitsCancelled: true,
  claims: true,
  counts: true,
  numbersOnNodes: true,
  locksNodes: true,
  looksBeforeWriting: true,
  audits: 2,
  retakes: true,
  asksWhetherDue: true,
  looksFirst: true,
  sweepTakes: () => true,
  sweepNamesAnew: true,
};
