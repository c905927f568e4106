import type { ClusterRecord, Intent, Row } from "../../functions/domain/cluster-record.ts";
import { asksOf, type Execution, executionOf, idOf, nowOf, type Part, type World } from "./world.ts";

/** What lifecycle 7 forbids, each as the sentence that a story ends with. */

const follows: Readonly<Record<Row["state"], readonly Row["state"][]>> = {
  building: ["proved", "kept", "failed", "destroying"],
  proved: ["retired", "destroying"],
  retired: ["proved", "destroying"],
  kept: ["building", "destroying"],
  failed: ["building", "destroying"],
  destroying: ["gone", "left"],
  left: ["destroying"],
  gone: ["destroying"],
};

const isPast = (instant: string | null, now: Date): boolean => instant !== null && Date.parse(instant) <= now.getTime();

/** Whether `one` was started, at any remove, by the execution with that id. */
function descends(world: World, one: Execution | undefined, id: string): boolean {
  for (let up = one; up !== undefined; up = up.startedBy === null ? undefined : executionOf(world, up.startedBy)) {
    if (up.id === id) return true;
  }
  return false;
}

/** Runs, as far as anybody who looks can know. */
const runs = (world: World, id: string): boolean => {
  const one = executionOf(world, id);
  return one?.status === "running" && !one.isUnnoticed;
};

/** At most one chain works on a name; a released lock is free once; no number comes back. */
function lockBroken(world: World, from: ClusterRecord | null, to: ClusterRecord, who: Execution, intent: Intent): string | null {
  if (to.revision !== (from?.revision ?? 0) + 1) return "a write did not raise the revision by one";
  if (from === null) return null;
  const isWriter = /^(claim|fail|commit|switch|finish)$/.test(intent.kind);
  if (isWriter && idOf(from.lock.holders.at(-1)?.execution ?? "") !== who.id) return `${who.id} writes a row without the lock`;
  const isIn = (record: ClusterRecord, execution: string) => record.lock.holders.some((holder) => holder.execution === execution);
  for (const { execution } of from.lock.holders) {
    const id = idOf(execution);
    if (!isIn(to, execution) && id !== who.id && runs(world, id)) return `${who.id} takes the lock from ${id}, which runs`;
  }
  const above = to.lock.holders.slice(0, -1).find(({ execution }) => !descends(world, who, idOf(execution)));
  const hasEntered = to.lock.holders.some(({ execution }) => !isIn(from, execution));
  if (hasEntered && above !== undefined) return `${who.id} enters behind ${idOf(above.execution)}, which did not start it`;
  if (hasEntered && to.lock.number <= from.lock.number) return `${who.id} enters under a lock number that was used before`;
  if (to.lock.number < from.lock.number) return "a lock number comes back";
  if (to.nextGeneration < from.nextGeneration) return "generation numbers come back";
  return null;
}

/** Nothing but a person's destroy, a replace, a switch or a person's rollback takes `current` away, and never what is protected. */
function currentBroken(from: ClusterRecord | null, to: ClusterRecord, intent: Intent): string | null {
  if (from === null || from.current === null || from.current === to.current) return null;
  if (from.protected && to.current === null) return `generation ${from.current} was protected, and is current no more`;
  const isMeant =
    intent.kind === "switch" ||
    (intent.kind === "change" && intent.change.kind === "rollback") ||
    (intent.kind === "destroy" && intent.because === null);
  return isMeant ? null : `generation ${from.current} is current no more, and no person wanted it`;
}

/** What a destroy that nobody asked for may not take. */
function takenBroken(world: World, generation: number, from: Row, intent: Intent): string | null {
  if (intent.kind !== "destroy" || intent.because === null) return null;
  const now = nowOf(world);
  if (from.state === "proved" && intent.because === "rollBack") return `generation ${generation} is proved, and is rolled back`;
  if (world.served.includes(generation) && from.state !== "destroying" && from.state !== "left" && from.state !== "gone") {
    const isOver = intent.because === "pastGrace" && from.state === "retired" && isPast(from.destroyAfter, now);
    if (!isOver) return `generation ${generation}, which is ${from.state} and served, is destroyed`;
  }
  if (from.state === "kept" && !isPast(from.keptUntil, now))
    return `generation ${generation} is destroyed before its time is over`;
  return null;
}

function rowsBroken(world: World, from: ClusterRecord | null, to: ClusterRecord, intent: Intent): string | null {
  for (const [key, row] of Object.entries(from?.generations ?? {})) {
    const next = to.generations[key];
    if (next === undefined) return `the row of generation ${key} is lost`;
    if (next.state !== row.state && !follows[row.state].includes(next.state)) {
      return `generation ${key} turns from ${row.state} to ${next.state}`;
    }
    if (next.state !== "destroying" || next === row) continue;
    const isDecided = row.doomedVolumes || (intent.kind === "destroy" && intent.byPerson);
    if (row.wasProved && next.doomedVolumes && !isDecided) return `the data of generation ${key} go, and no person decided so`;
    const taken = takenBroken(world, Number(key), row, intent);
    if (taken !== null) return taken;
  }
  for (const key of Object.keys(to.generations)) {
    const isNew = from?.generations[key] === undefined;
    if (isNew && intent.kind !== "destroy" && Number(key) < (from?.nextGeneration ?? 1)) return `generation ${key} comes back`;
  }
  return null;
}

/** What a write of the record does that it must not do. */
export const brokenBy = (world: World, to: ClusterRecord, who: Execution, intent: Intent): string | null =>
  lockBroken(world, world.record, to, who, intent) ??
  currentBroken(world.record, to, intent) ??
  rowsBroken(world, world.record, to, intent);

/** Exactly the plan, each once. What the cluster itself made, and what scripts wrote, are not in the plan. */
export function deviation(world: World, generation: number, parts: readonly Part[]): string | null {
  for (const part of ["vpc", "nodes"] as const) {
    const present = world.things.filter((thing) => thing.generation === generation && thing.part === part);
    const planned = parts.includes(part) ? 1 : 0;
    if (present.length !== planned) return `generation ${generation} has ${present.length} of ${part}, not ${planned}`;
  }
  return null;
}

/** What must hold in every state. */
export function brokenIn(world: World, parts: readonly Part[]): string | null {
  const { record } = world;
  for (const [key, row] of Object.entries(record?.generations ?? {})) {
    const generation = Number(key);
    if (row.state === "proved" || row.state === "retired") {
      const differs = deviation(world, generation, parts);
      if (differs !== null) return `${differs}, and it is ${row.state}`;
      const isForeign = ({ asks }: { asks: string }) => (asks === "other") !== (asksOf(row) === "other");
      const foreign = world.things.find((thing) => thing.generation === generation && isForeign(thing));
      if (foreign !== undefined) return `generation ${key} is ${row.state} with ${foreign.part} of another request`;
    }
    if (row.state === "gone" && world.things.some((thing) => thing.generation === generation)) {
      return `generation ${generation} was audited clean, and something of it is there`;
    }
  }
  const current = record?.current ?? null;
  if (record === null || current === null) return null;
  const state = record.generations[String(current)]?.state;
  return state === "proved" ? null : `generation ${current} is current and ${state}`;
}
