import { ConflictError, InvalidRequestError, LockLostError, type StepError } from "../../errors.ts";
import type { ClusterName } from "../ids.ts";
import type { Because, TeardownLock } from "../lock.ts";
import { entered, holdOf, holdsLock, isBelieved, isLastHolder, lost, notItsParent, runningHolder, whyBusy } from "./holding.ts";
import {
  type Circumstances,
  type ClusterRecord,
  type Decision,
  emptyRecord,
  emptyRow,
  hoursAfter,
  type IntentOf,
  isPast,
  nobody,
  type Residue,
  type Row,
  rowOf,
  rowsOf,
  written,
} from "./shape.ts";

type Destroy = IntentOf<"destroy">;

/** As many as one lock names; what is beyond is for the next destroy. */
const maxGenerations = 50;

/** A destroy enters the record: what it rests on is checked in the very write that takes the lock (lifecycle 3.3). */
export function destroy(present: ClusterRecord | null, intent: Destroy, at: Circumstances): Decision<"destroy"> {
  const { name, parent } = intent;
  const own = present === null ? [] : rowsOf(present).filter(([, row]) => row.destroyer === at.who);
  if (present !== null && own.length > 0) return askedAgain(present, name, own, at);
  const record = present ?? emptyRecord();
  if (parent !== null && !isBelieved(record, parent)) return { refusal: notItsParent(name, parent) };
  const forbidden = whyForbidden(record, intent);
  if (forbidden !== undefined) return { refusal: forbidden };
  const { chosen, why } = choose(record, intent, at);
  if (chosen.length === 0) return { record: null, answer: { lock: null, why } };
  const busy = parent === null ? whyBusy(record, name, at) : undefined;
  if (busy !== undefined) return { refusal: busy };
  const takesCurrent = chosen.some(([generation]) => generation === record.current);
  if (takesCurrent && record.protected) {
    const message = `generation ${record.current} of ${name} is protected: unprotect it before you destroy it`;
    return { refusal: new ConflictError(message, { current: record.current }) };
  }
  const rows = Object.fromEntries(chosen.map(([generation, row]) => [generation, doomed(row, intent, at)]));
  const destroying = written(record, rows, {
    lock: entered(record, at, parent),
    // What tags know without a row was allotted once too, and no generation comes back (lifecycle 1).
    nextGeneration: Math.max(record.nextGeneration, ...intent.tagged.map((generation) => generation + 1)),
    // From here on nobody may call it ready: a destroy that dies half-way has left half a cluster (lifecycle 7).
    ...(takesCurrent ? { current: null, protected: false } : {}),
  });
  const generations = chosen.map(([generation]) => generation);
  return { record: destroying, answer: { lock: lockOf(destroying, name, generations), why: why || "as asked" } };
}

const lockOf = (record: ClusterRecord, name: ClusterName, generations: readonly number[]): TeardownLock => ({
  ...holdOf(record, name),
  generations: [...generations],
  doomedVolumes: generations.filter((generation) => rowOf(record, generation)?.doomedVolumes),
  vpcIds: generations.flatMap((generation) => rowOf(record, generation)?.made.vpcId ?? []),
});

/** The same execution gets the same lock; once its rows are destroyed, or another's, it is no longer the one (lifecycle 3.4). */
function askedAgain(
  record: ClusterRecord,
  name: ClusterName,
  own: readonly (readonly [number, Row])[],
  { who }: Circumstances,
): Decision<"destroy"> {
  if (isLastHolder(record, who) && own.every(([, { state }]) => state === "destroying")) {
    const generations = own.map(([generation]) => generation);
    return { record: null, answer: { lock: lockOf(record, name, generations), why: "as asked before" } };
  }
  return {
    refusal: new LockLostError(`${who} has worked on ${name} already: start a new destroy`, { generations: own.map(([g]) => g) }),
  };
}

/** A destroy that no person started carries its reason; one that a rebuild starts is the first half of a "replace" (lifecycle 3.3). */
function whyForbidden(record: ClusterRecord, { name, because, parent, byPerson }: Destroy): StepError | undefined {
  if (because !== null) return undefined;
  if (parent === null) {
    return byPerson ? undefined : new InvalidRequestError(`a destroy of ${name} that no person started must carry its reason`);
  }
  const row = rowOf(record, parent.generation);
  const isReplacing = row?.rebuilder === parent.execution && row.request?.rebuild.strategy === "replace";
  return isReplacing ? undefined : new InvalidRequestError(`${parent.execution} replaces nothing, so it must carry a reason`);
}

/** The rows that go. A generation that only tags know gets a row here, so that its destroy is on record. */
function choose(record: ClusterRecord, intent: Destroy, at: Circumstances) {
  const known = knownGenerations(record, intent.tagged);
  const wanted = intent.generation === null ? known : known.filter((generation) => generation === intent.generation);
  const chosen: (readonly [number, Row])[] = [];
  const whys: string[] = [];
  for (const generation of wanted) {
    const why = whySpared(record, generation, intent, at);
    // What has no row may hold somebody's data: nobody can say that it was never proved.
    if (why === null) chosen.push([generation, rowOf(record, generation) ?? { ...emptyRow(), wasProved: true }]);
    else whys.push(why);
  }
  const name = intent.generation === null ? `cluster ${intent.name}` : `generation ${intent.generation} of ${intent.name}`;
  return {
    chosen: chosen.slice(0, maxGenerations),
    why: wanted.length === 0 ? `there is no ${name}` : whys.join("; "),
  };
}

/** Why the generation is not this destroy's to take, or null when it is (lifecycle 3.3). */
function whySpared(
  record: ClusterRecord,
  generation: number,
  intent: Pick<Destroy, "because" | "parent" | "volumes" | "tagged">,
  at: Circumstances,
): string | null {
  const row = rowOf(record, generation);
  const isTagged = intent.tagged.includes(generation);
  const wantsItsVolumes = intent.volumes === "delete" && (row?.volumes ?? []).length > 0;
  if (row?.state === "gone" && !isTagged && !wantsItsVolumes) return `generation ${generation} is gone`;
  if (intent.because === null) return null;
  if (generation === record.current) return `generation ${generation} is current`;
  const state = row?.state ?? "unknown";
  const spared = `generation ${generation} is ${state}, not ${intent.because}`;
  switch (intent.because) {
    case "rollBack": {
      const isOurs = record.lock.holders.some(({ execution }) => execution === row?.builder?.execution);
      return intent.parent !== null && isOurs && (state === "building" || state === "failed") ? null : spared;
    }
    case "abandoned": {
      const running = runningHolder(record, at);
      if (running !== undefined) return `generation ${generation} is not abandoned: ${running.execution} runs`;
      return isAbandoned(state, isPast(row?.left?.nextTry, at.now)) ? null : spared;
    }
    case "expired":
      return state === "kept" && isPast(row?.keptUntil, at.now) ? null : spared;
    case "pastGrace":
      return state === "retired" && isPast(row?.destroyAfter, at.now) ? null : spared;
  }
}

/** States that explain nothing once every holder is dead (lifecycle 3.3 and 5). `proved` is a rebuild that died before its switch. */
function isAbandoned(state: Row["state"] | "unknown", isDue: boolean): boolean {
  switch (state) {
    case "building":
    case "failed":
    case "destroying":
    case "proved":
      return true;
    case "left":
      return isDue;
    // Both only where tags show things nevertheless.
    case "gone":
    case "unknown":
      return true;
    case "kept":
    case "retired":
      return false;
  }
}

/** A destroy that nobody has to ask for. */
export interface Due {
  readonly generation: number;
  readonly because: Exclude<Because, "rollBack">;
}

/**
 * What those who act alone may destroy, and why (lifecycle 5). Nothing while a chain works on the name. Each destroy checks its reason
 * again in the write that takes the lock, so an answer that is old by then does no harm.
 */
export function due(present: ClusterRecord | null, tagged: readonly number[], seen: Omit<Circumstances, "who">): readonly Due[] {
  const record = present ?? emptyRecord();
  const at = { ...seen, who: nobody };
  if (runningHolder(record, at) !== undefined) return [];
  return knownGenerations(record, tagged).flatMap((generation) => {
    const because = (["abandoned", "expired", "pastGrace"] as const).find(
      (reason) => whySpared(record, generation, { because: reason, parent: null, volumes: null, tagged }, at) === null,
    );
    return because === undefined ? [] : [{ generation, because }];
  });
}

const knownGenerations = (record: ClusterRecord, tagged: readonly number[]): readonly number[] =>
  [...new Set([...rowsOf(record).map(([generation]) => generation), ...tagged])].sort((a, b) => a - b);

/** A generation that was never proved holds nobody's data; of any other, volumes go only when a person has decided so (lifecycle 6). */
function doomed(row: Row, { byPerson, volumes }: Destroy, { who }: Circumstances): Row {
  const policy = volumes ?? row.request?.storage.onDestroy ?? "retain";
  const isDecided = volumes !== "retain" && (row.doomedVolumes || (byPerson && policy === "delete"));
  return { ...row, state: "destroying", destroyer: who, doomedVolumes: !row.wasProved || isDecided };
}

/** Hours until what is left is tried again, by the tries so far; then it is only reported (lifecycle 2). */
const hoursToNextTry = [1, 4, 24];

/** The audit's verdict on every generation of the lock (lifecycle 2). */
export function finish(record: ClusterRecord | null, { lock, residue }: IntentOf<"finish">, now: Date): Decision<"finish"> {
  if (record === null || !holdsLock(record, lock)) return { refusal: lost(lock, record) };
  const rows: Record<string, Row> = {};
  for (const generation of lock.generations) {
    const row = rowOf(record, generation);
    const found = residue[String(generation)];
    if (row?.destroyer !== lock.execution) return { refusal: lost(lock, record) };
    if (found === undefined) {
      return { refusal: new InvalidRequestError(`generation ${generation} of ${lock.cluster} was not audited`) };
    }
    if (row.state === "destroying") rows[generation] = audited(row, found, now);
  }
  return { record: Object.keys(rows).length === 0 ? null : written(record, rows), answer: null };
}

function audited(row: Row, { left, volumes }: Residue, now: Date): Row {
  const kept = [...new Set([...(row.volumes ?? []), ...volumes])];
  const listed = kept.length === 0 ? null : kept;
  if (left.length === 0) return { ...row, state: "gone", volumes: listed, left: null };
  const tries = (row.left?.tries ?? 0) + 1;
  const hours = hoursToNextTry[tries - 1];
  const nextTry = hours === undefined ? null : hoursAfter(now, hours);
  return { ...row, state: "left", volumes: listed, left: { items: left.slice(0, 50), tries, nextTry } };
}
