import { ConflictError, InvalidRequestError, LockLostError } from "../../errors.ts";
import { ClusterRequest } from "../cluster-request.ts";
import { entered, holdOf, holdsLock, isLastHolder, lost, whyBusy } from "./holding.ts";
import {
  type Asked,
  type Circumstances,
  type ClusterRecord,
  type Decision,
  emptyRecord,
  emptyRow,
  hoursAfter,
  type IntentOf,
  type Row,
  rowOf,
  rowsOf,
  written,
} from "./shape.ts";

type Rebuild = IntentOf<"rebuild">;

/** A rebuild enters the record and allots the next generation, which its build will work on (lifecycle 3.6). */
export function rebuild(record: ClusterRecord | null, intent: Rebuild, at: Circumstances): Decision<"rebuild"> {
  const { name } = intent;
  const own = record === null ? undefined : rowsOf(record).find(([, row]) => row.rebuilder === at.who);
  if (record !== null && own !== undefined) return askedAgain(record, intent, own, at);
  const base = record ?? emptyRecord();
  const busy = whyBusy(base, name, at);
  if (busy !== undefined) return { refusal: busy };
  // A rebuild starts from what was asked for the current generation, and draws the defaults anew (lifecycle 5).
  const asked = intent.asked ?? (base.current === null ? null : (rowOf(base, base.current)?.asked ?? null));
  if (asked === null) {
    return { refusal: new InvalidRequestError(`${name} is not ready and no request was given: there is nothing to rebuild`) };
  }
  const request = ClusterRequest.safeParse(asked);
  if (!request.success) {
    return { refusal: new InvalidRequestError(`the request for ${name} is not valid`, { issues: request.error.issues }) };
  }
  if (request.data.name !== name) {
    return { refusal: new InvalidRequestError(`the request is for ${request.data.name}, not for ${name}`) };
  }
  if (base.protected && base.current !== null && request.data.rebuild.strategy === "replace") {
    const message = `${name} is protected, and "replace" would destroy it first: unprotect it, or rebuild it beside`;
    return { refusal: new ConflictError(message, { current: base.current }) };
  }
  const generation = base.nextGeneration;
  const row: Row = { ...emptyRow(), rebuilder: at.who, asked, request: request.data };
  const fields = { lock: entered(base, at, null), nextGeneration: generation + 1 };
  const allotted = written(base, { [generation]: row }, fields);
  return { record: allotted, answer: answerOf(allotted, intent, generation, asked, request.data) };
}

const answerOf = (record: ClusterRecord, { name }: Rebuild, generation: number, asked: Asked, { rebuild }: ClusterRequest) => ({
  hold: holdOf(record, name),
  generation,
  previous: record.current,
  asked,
  strategy: rebuild.strategy,
  graceHours: rebuild.graceHours,
});

/** A rebuild, too, allots one generation in its life (lifecycle 3.4). */
function askedAgain(
  record: ClusterRecord,
  intent: Rebuild,
  [generation, row]: readonly [number, Row],
  { who }: Circumstances,
): Decision<"rebuild"> {
  const isUntouched = row.state === "building" && row.builder === null && isLastHolder(record, who);
  if (isUntouched && row.asked !== null && row.request !== null) {
    return { record: null, answer: answerOf(record, intent, generation, row.asked, row.request) };
  }
  const message = `${who} has rebuilt ${intent.name} as generation ${generation} already; it is ${row.state}: start a new rebuild`;
  return { refusal: new LockLostError(message, { generation, state: row.state }) };
}

/** The proved generation becomes current, the one before it is retired and stays for its grace (lifecycle 2). */
export function switchTo(record: ClusterRecord | null, intent: IntentOf<"switch">, now: Date): Decision<"switch"> {
  const { hold, generation, previous, graceHours } = intent;
  const row = record === null ? undefined : rowOf(record, generation);
  if (record === null || !holdsLock(record, hold) || row?.rebuilder !== hold.execution) return { refusal: lost(hold, record) };
  if (record.current === generation) return { record: null, answer: null };
  if (row.state !== "proved") {
    const message = `generation ${generation} of ${hold.cluster} is ${row.state}, not proved: the current one stays; rebuild again`;
    return { refusal: new ConflictError(message, { generation, state: row.state }) };
  }
  // Null where a "replace" has destroyed it; anything else is not what this rebuild set out from.
  if (record.current !== null && record.current !== previous) return { refusal: lost(hold, record) };
  const old = record.current === null ? undefined : rowOf(record, record.current);
  const retired: Record<string, Row> =
    record.current === null || old === undefined
      ? {}
      : { [record.current]: { ...old, state: "retired", destroyAfter: hoursAfter(now, graceHours) } };
  // What a person has protected stays so through a rebuild that did not ask for it.
  const isProtected = record.protected || (row.request?.protected ?? false);
  return { record: written(record, retired, { current: generation, protected: isProtected }), answer: null };
}
