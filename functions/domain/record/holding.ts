import { ConflictError, LockLostError, type StepError } from "../../errors.ts";
import type { ClusterName, ExecutionArn } from "../ids.ts";
import type { Hold, Lock, Parent } from "../lock.ts";
import {
  type Circumstances,
  type ClusterRecord,
  type Decision,
  type Intent,
  type IntentOf,
  type RequestedRow,
  rowOf,
  written,
} from "./shape.ts";

/** An execution that cannot be found counts as dead only after this long (lifecycle 3.1). */
const unknownIsDeadSeconds = 300;

/** The fence: the lock's number is the record's and the execution its last holder (lifecycle 4). */
export const holdsLock = (record: ClusterRecord | undefined, lock: Pick<Hold, "number" | "execution">): boolean =>
  record !== undefined && record.lock.number === lock.number && isLastHolder(record, lock.execution);

export const isLastHolder = (record: ClusterRecord, execution: ExecutionArn): boolean =>
  record.lock.holders.at(-1)?.execution === execution;

function isDead(at: Circumstances, execution: ExecutionArn, since: string): boolean {
  const state = at.holders.get(execution) ?? "running";
  return state === "ended" || (state === "unknown" && at.now.getTime() - Date.parse(since) > unknownIsDeadSeconds * 1000);
}

/** The first holder but oneself that is not dead (lifecycle 3.1: a lock is free when every holder of its chain is dead). */
export const runningHolder = (record: ClusterRecord, at: Circumstances) =>
  record.lock.holders.find(({ execution, since }) => execution !== at.who && !isDead(at, execution, since));

/** Why nobody else may work on the name now, or undefined when the lock is free (lifecycle 3.1). */
export function whyBusy(record: ClusterRecord, name: ClusterName, at: Circumstances): StepError | undefined {
  const busy = runningHolder(record, at);
  if (busy === undefined) return undefined;
  return new ConflictError(`${name} is being worked on by ${busy.execution}: wait for it to end, or stop it`, {
    holder: busy.execution,
    since: busy.since,
  });
}

/** Enters the execution in place of dead holders, or behind its parent, always with a new fencing number (lifecycle 3.2 and 3.5). */
export function entered(record: ClusterRecord, { who, now }: Circumstances, parent: Parent | null): ClusterRecord["lock"] {
  const number = record.lock.number + 1;
  const above = parent === null ? [] : record.lock.holders;
  return { number, holders: [...above, { execution: who, since: now.toISOString(), number }] };
}

/**
 * A parent is believed only where the record says the same: it is the last holder under that very number, and that generation is its
 * own. So a copied `parent` is worth nothing, and a hand-over works once (lifecycle 3.5).
 */
export function isBelieved(record: ClusterRecord, parent: Parent): boolean {
  const row = rowOf(record, parent.generation);
  const isItsOwn = row?.builder?.execution === parent.execution || row?.rebuilder === parent.execution;
  return isItsOwn && holdsLock(record, { number: parent.lockNumber, execution: parent.execution });
}

export const notItsParent = (name: ClusterName, parent: Parent): StepError =>
  new LockLostError(`${parent.execution} does not hold ${name} under number ${parent.lockNumber}: what it began is over`, {
    parent: parent.execution,
    number: parent.lockNumber,
  });

export function holdOf(record: ClusterRecord, name: ClusterName): Hold {
  const holder = record.lock.holders.at(-1);
  if (holder === undefined) throw new RangeError("a record without a holder has no lock to give");
  return { cluster: name, number: record.lock.number, execution: holder.execution, since: holder.since };
}

export const lost = (lock: Pick<Hold, "cluster" | "number">, record: ClusterRecord | null, detail?: string): StepError =>
  new LockLostError(detail ?? `another execution holds ${lock.cluster}`, { number: lock.number, held: record?.lock.number });

/** Only the holder changes a row; anybody else has lost the lock. */
export function onHeld<K extends Intent["kind"]>(
  record: ClusterRecord | null,
  lock: Lock,
  change: (record: ClusterRecord, row: RequestedRow) => Decision<K>,
): Decision<K> {
  const row = record === null ? undefined : rowOf(record, lock.generation);
  if (record === null || row === undefined || !holdsLock(record, lock)) return { refusal: lost(lock, record) };
  if (row.asked === null || row.request === null) return { refusal: lost(lock, record, "nobody asked for this generation") };
  return change(record, { ...row, asked: row.asked, request: row.request });
}

/**
 * After a child has ended, well or not: drops the dead holders behind the execution, under a new number, so that nothing the child left
 * under way passes for its parent's (lifecycle 3.5), not even an entry that comes only now. Asked again, with the lock from before, it
 * gives the same.
 */
export function retake(record: ClusterRecord | null, { lock }: IntentOf<"retake">, at: Circumstances): Decision<"retake"> {
  const place = record?.lock.holders.findIndex(({ execution }) => execution === at.who) ?? -1;
  const own = record?.lock.holders[place];
  if (record === null || own === undefined || lock.execution !== at.who) return { refusal: lost(lock, record) };
  const behind = record.lock.holders.slice(place + 1);
  const running = behind.find(({ execution, since }) => !isDead(at, execution, since));
  if (running !== undefined) {
    const message = `${running.execution}, which this execution started, still works on ${lock.cluster}`;
    return { refusal: new ConflictError(message, { holder: running.execution, since: running.since }) };
  }
  const isRetaken = own.number === record.lock.number && own.number > lock.number;
  if (behind.length === 0 && isRetaken) return { record: null, answer: holdOf(record, lock.cluster) };
  const number = record.lock.number + 1;
  const holders = [...record.lock.holders.slice(0, place), { ...own, number }];
  const retaken = written(record, {}, { lock: { number, holders } });
  return { record: retaken, answer: holdOf(retaken, lock.cluster) };
}

/** Removes only the one who releases. Not being a holder is success: somebody released before (lifecycle 2 and 3.5). */
export function release(record: ClusterRecord | null, { lock }: IntentOf<"release">): Decision<"release"> {
  const holders = record?.lock.holders.filter(({ execution }) => execution !== lock.execution) ?? [];
  if (record === null || holders.length === record.lock.holders.length) return { record: null, answer: null };
  return { record: written(record, {}, { lock: { ...record.lock, holders } }), answer: null };
}
