import { InvalidRequestError } from "../../errors.ts";
import { whyBusy } from "./holding.ts";
import {
  type Change,
  type Circumstances,
  type ClusterRecord,
  type Decision,
  hoursAfter,
  type IntentOf,
  isPast,
  type Row,
  rowOf,
  rowsOf,
  written,
} from "./shape.ts";

type Changed = Decision<"change">;
const unchanged: Changed = { record: null, answer: null };
const changed = (record: ClusterRecord): Changed => ({ record, answer: null });
const invalid = (message: string): Changed => ({ refusal: new InvalidRequestError(message) });

/** What a person changes in a record, one swap each; refused while a chain runs. Asked again, each changes nothing (lifecycle 6). */
export function change(record: ClusterRecord | null, { name, change }: IntentOf<"change">, at: Circumstances): Changed {
  if (record === null) return invalid(`there is no cluster ${name}`);
  const busy = whyBusy(record, name, at);
  if (busy !== undefined) return { refusal: busy };
  switch (change.kind) {
    case "promote":
      return promote(record, name, at.now);
    case "rollback":
      return rollBack(record, name, at.now);
    case "extend":
      return extend(record, name, change, at.now);
    case "protect":
      return protect(record, name, true);
    case "unprotect":
      return protect(record, name, false);
  }
}

/** The retired generations' grace ends now. A person has decided it, so their volumes go where their request says so. */
function promote(record: ClusterRecord, name: string, now: Date): Changed {
  const retired = rowsOf(record).filter(([, { state }]) => state === "retired");
  if (retired.length === 0) return invalid(`${name} has no retired generation: there is nothing to promote over`);
  const due = retired.filter(([, row]) => !(isPast(row.destroyAfter, now) && row.doomedVolumes === isDeleting(row)));
  if (due.length === 0) return unchanged;
  const promoted = due.map(([generation, row]): [string, Row] => [
    String(generation),
    { ...row, destroyAfter: hoursAfter(now, 0), doomedVolumes: isDeleting(row) },
  ]);
  return changed(written(record, Object.fromEntries(promoted)));
}

const isDeleting = ({ request }: Row): boolean => request?.storage.onDestroy === "delete";

/**
 * Back to the generation before. Only ever to an older one: a second call after a lost answer must not switch forth again, and one with
 * a newer generation retired beside it has been rolled back already.
 */
function rollBack(record: ClusterRecord, name: string, now: Date): Changed {
  const { current } = record;
  const retired = rowsOf(record).filter(([, { state }]) => state === "retired");
  if (current !== null && retired.some(([generation]) => generation > current)) return unchanged;
  const target = retired.at(-1);
  if (target === undefined) return invalid(`${name} has no retired generation to go back to: rebuild it instead`);
  const [generation, old] = target;
  const back: Row = { ...old, state: "proved", destroyAfter: null, doomedVolumes: false };
  const rows: Record<string, Row> = { [generation]: back };
  const newer = current === null ? undefined : rowOf(record, current);
  if (current !== null && newer !== undefined) {
    const graceHours = newer.request?.rebuild.graceHours ?? 0;
    rows[current] = { ...newer, state: "retired", destroyAfter: hoursAfter(now, graceHours) };
  }
  return changed(written(record, rows, { current: generation }));
}

/** A kept or a retired generation stays for so many hours from now, never shorter than it would have. */
function extend(
  record: ClusterRecord,
  name: string,
  { generation, hours }: Extract<Change, { kind: "extend" }>,
  now: Date,
): Changed {
  if (!Number.isInteger(hours) || hours < 1 || hours > 720) return invalid("extend takes 1 to 720 whole hours");
  const row = rowOf(record, generation);
  const limit = row?.state === "kept" ? "keptUntil" : row?.state === "retired" ? "destroyAfter" : null;
  if (row === undefined || limit === null) {
    return invalid(`generation ${generation} of ${name} is ${row?.state ?? "unknown"}: only a kept or a retired one is extended`);
  }
  const until = hoursAfter(now, hours);
  const present = row[limit];
  if (present !== null && Date.parse(present) >= Date.parse(until)) return unchanged;
  return changed(written(record, { [generation]: { ...row, [limit]: until } }));
}

function protect(record: ClusterRecord, name: string, isProtected: boolean): Changed {
  if (record.protected === isProtected) return unchanged;
  if (record.current === null) return invalid(`${name} is not ready: there is nothing to protect`);
  return changed(written(record, {}, { protected: isProtected }));
}
