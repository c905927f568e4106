import { ConflictError, LockLostError } from "../../errors.ts";
import type { ClusterName } from "../ids.ts";
import type { CertificateRef, Lock, Parent } from "../lock.ts";
import { entered, holdOf, isBelieved, isLastHolder, lost, notItsParent, whyBusy } from "./holding.ts";
import { isSameRequest } from "./same-request.ts";
import {
  type Circumstances,
  type ClusterRecord,
  type Decision,
  emptyRecord,
  emptyRow,
  hoursAfter,
  type IntentOf,
  type Made,
  type RequestedRow,
  type Row,
  rowOf,
  rowsOf,
  written,
} from "./shape.ts";

type Acquire = IntentOf<"acquire">;

/** A build enters the record: on a new generation, on one to be resumed, on its parent's, or on a ready one that is only verified. */
export function acquire(record: ClusterRecord | null, intent: Acquire, at: Circumstances): Decision<"acquire"> {
  const { name, parent } = intent;
  const own = record === null ? undefined : rowsOf(record).find(([, row]) => row.builder?.execution === at.who);
  if (record !== null && own !== undefined) return askedAgain(record, name, own, at);
  if (parent !== null) return forParent(record, intent, parent, at);
  if (record === null) return begin(emptyRecord(), intent, at);
  const busy = whyBusy(record, name, at);
  if (busy !== undefined) return { refusal: busy };
  const current = record.current === null ? undefined : rowOf(record, record.current);
  if (record.current !== null && current !== undefined) return verify(record, record.current, current, intent, at);
  const unfinished = rowsOf(record).findLast(([, { state }]) => isUnfinished(state));
  return unfinished === undefined ? begin(record, intent, at) : resume(record, unfinished, intent, at);
}

const isUnfinished = (state: Row["state"]): boolean => state === "building" || state === "kept" || state === "failed";

/**
 * An execution builds one generation in its life (lifecycle 3.4): asked again it gets the same answer, or learns that it is no longer
 * the one. A redriven run would otherwise work on a generation that was audited clean.
 */
function askedAgain(
  record: ClusterRecord,
  name: ClusterName,
  [generation, row]: readonly [number, Row],
  { who }: Circumstances,
): Decision<"acquire"> {
  if (row.state === "building" && isLastHolder(record, who)) {
    return { record: null, answer: lockOf(record, name, generation, row.builder?.origin ?? "new") };
  }
  const message = `${who} has built generation ${generation} of ${name} already; it is ${row.state}: start a new execution`;
  return { refusal: new LockLostError(message, { generation, state: row.state }) };
}

/** A rebuild's build works on exactly the generation that the rebuild allotted (lifecycle 3.6). */
function forParent(record: ClusterRecord | null, intent: Acquire, parent: Parent, at: Circumstances): Decision<"acquire"> {
  const row = record === null ? undefined : rowOf(record, parent.generation);
  const isDue = row !== undefined && row.rebuilder === parent.execution && isUnfinished(row.state);
  if (record === null || !isDue || !isBelieved(record, parent)) return { refusal: notItsParent(intent.name, parent) };
  return build(record, parent.generation, row, row.builder === null ? "new" : "resumed", intent, at);
}

/** Ready and the same request: the cluster is verified, and that is all (lifecycle 3.6). */
function verify(
  record: ClusterRecord,
  generation: number,
  { asked }: Row,
  intent: Acquire,
  at: Circumstances,
): Decision<"acquire"> {
  if (asked === null || !isSameRequest(asked, intent.asked)) {
    return {
      refusal: new ConflictError(`${intent.name} is ready and was built from another request: rebuild it to change it`, {
        generation,
      }),
    };
  }
  if (isLastHolder(record, at.who)) return { record: null, answer: lockOf(record, intent.name, generation, "ready") };
  const taken = written(record, {}, { lock: entered(record, at, null) });
  return { record: taken, answer: lockOf(taken, intent.name, generation, "ready") };
}

/** What no running execution builds any more is resumed by the same request; another one is told what to do (lifecycle 3.7). */
function resume(
  record: ClusterRecord,
  [generation, row]: readonly [number, Row],
  intent: Acquire,
  at: Circumstances,
): Decision<"acquire"> {
  if (row.asked !== null && isSameRequest(row.asked, intent.asked)) {
    return build(record, generation, row, "resumed", intent, at);
  }
  const until = row.keptUntil === null ? "" : ` until ${row.keptUntil}`;
  const message = `generation ${generation} of ${intent.name} is ${row.state}${until} and was asked for otherwise: resume it with its own request, or destroy it first`;
  return { refusal: new ConflictError(message, { generation, state: row.state }) };
}

const begin = (record: ClusterRecord, intent: Acquire, at: Circumstances): Decision<"acquire"> =>
  build(record, record.nextGeneration, emptyRow(), "new", intent, at);

function build(
  record: ClusterRecord,
  generation: number,
  row: Row,
  origin: "new" | "resumed",
  { name, asked, request, parent }: Acquire,
  at: Circumstances,
): Decision<"acquire"> {
  const builder = { execution: at.who, origin };
  const building: Row = { ...row, state: "building", builder, asked, request, keptUntil: null };
  const fields = {
    lock: entered(record, at, parent),
    // No generation's number is used twice (lifecycle 1).
    nextGeneration: Math.max(record.nextGeneration, generation + 1),
  };
  const built = written(record, { [generation]: building }, fields);
  return { record: built, answer: lockOf(built, name, generation, origin) };
}

const lockOf = (record: ClusterRecord, name: ClusterName, generation: number, origin: Lock["origin"]): Lock => ({
  ...holdOf(record, name),
  generation,
  origin,
  certificate: origin === "ready" ? (rowOf(record, generation)?.certificate ?? null) : null,
});

/** The first id that stands is the generation's (lifecycle 4). */
export function claim(record: ClusterRecord, row: RequestedRow, lock: Lock, wanted: Partial<Made>): Decision<"claim"> {
  const made: Made = {
    vpcId: row.made.vpcId ?? wanted.vpcId ?? null,
    internetGatewayId: row.made.internetGatewayId ?? wanted.internetGatewayId ?? null,
  };
  const isNews = made.vpcId !== row.made.vpcId || made.internetGatewayId !== row.made.internetGatewayId;
  return { record: isNews ? written(record, { [lock.generation]: { ...row, made } }) : null, answer: made };
}

/** What a failure means for the generation. On one that is proved it never means anything (lifecycle 2). */
export function fail(record: ClusterRecord, row: RequestedRow, lock: Lock, now: Date): Decision<"fail"> {
  switch (row.state) {
    case "proved":
    case "retired":
      return { record: null, answer: { rollBack: "no", keptUntil: null } };
    case "kept":
      return { record: null, answer: { rollBack: "kept", keptUntil: row.keptUntil } };
    case "failed":
      return { record: null, answer: { rollBack: "yes", keptUntil: null } };
    case "building":
      break;
    default:
      return { refusal: lost(lock, record, `generation ${lock.generation} of ${lock.cluster} is ${row.state}`) };
  }
  const rows = (changed: Partial<Row>) => written(record, { [lock.generation]: { ...row, ...changed } });
  if (row.request.onFailure === "rollback") {
    return { record: rows({ state: "failed" }), answer: { rollBack: "yes", keptUntil: null } };
  }
  const keptUntil = hoursAfter(now, row.request.keepHours);
  return { record: rows({ state: "kept", keptUntil }), answer: { rollBack: "kept", keptUntil } };
}

/**
 * The point of no return (lifecycle 2). The generation becomes current at once where no rebuild stands above, or where nothing serves: a
 * rebuild that replaced the old one and dies now would otherwise leave the only proved cluster to the sweep. Else the rebuild switches.
 */
export function commit(record: ClusterRecord, row: RequestedRow, lock: Lock, certificate: CertificateRef): Decision<"commit"> {
  if (row.state === "proved") return { record: null, answer: null };
  if (row.state !== "building" || row.builder?.execution !== lock.execution) {
    return { refusal: lost(lock, record, `generation ${lock.generation} of ${lock.cluster} is ${row.state}`) };
  }
  const isAlone = record.lock.holders.length === 1;
  const proved: Row = { ...row, state: "proved", wasProved: true, certificate };
  const fields = isAlone || record.current === null ? { current: lock.generation, protected: row.request.protected } : {};
  return { record: written(record, { [lock.generation]: proved }, fields), answer: null };
}
