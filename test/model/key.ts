import type { ClusterRecord } from "../../functions/domain/cluster-record.ts";
import { asksOf, type Call, type Execution, executionOf, idOf, type World } from "./world.ts";

const texts = new WeakMap<ClusterRecord, string>();
const arn = (value: string | null | undefined): string => (value === null || value === undefined ? "" : idOf(value));
const instant = (value: string | null): string => (value === null ? "" : value.slice(5, 16));

/** All of a record but its revision, which is as high as there were writes: states that differ in nothing else are one. */
export function recordKey(record: ClusterRecord | null): string {
  if (record === null) return "none";
  const known = texts.get(record);
  if (known !== undefined) return known;
  const holders = record.lock.holders.map(({ execution, number, since }) => `${arn(execution)}#${number}@${instant(since)}`);
  const rows = Object.entries(record.generations).map(([generation, row]) =>
    [
      generation,
      row.state,
      arn(row.builder?.execution),
      row.builder?.origin,
      arn(row.rebuilder),
      arn(row.destroyer),
      asksOf(row),
      instant(row.keptUntil),
      instant(row.destroyAfter),
      row.made.vpcId,
      row.wasProved,
      row.doomedVolumes,
      row.left?.tries,
      instant(row.left?.nextTry ?? null),
    ].join(","),
  );
  const text = `${record.lock.number}[${holders}]${record.nextGeneration} ${record.current} ${record.protected}|${rows.join("|")}`;
  texts.set(record, text);
  return text;
}

/**
 * An execution that has ended matters no more, unless somebody may redrive it, waits for it or may hear of it. The sweep's first names
 * stay, for the protocol in which it has no others.
 */
function executionKey(world: World, one: Execution): string {
  const { hold, renewal } = one;
  const isBad = one.isAborted ? "!" : "";
  if (one.status === "ended" && !(world.faults.redrive > 0 && one.isAborted)) {
    const parent = one.startedBy === null ? undefined : executionOf(world, one.startedBy);
    const isWaitedFor = parent?.child === one.id && parent.status !== "ended";
    const matters = isWaitedFor || world.watchesLeft > 0 || one.id.startsWith("sweep1-");
    return matters ? `${one.id}:${one.at}${isBad}` : "";
  }
  const renewed = renewal === null ? "" : `${renewal.generation}:${renewal.previous}`;
  return `${one.id}:${one.status}:${one.at}:${hold?.number}:${renewed}:${one.child}:${one.hasStarted}:${one.isWell}:${one.isUnnoticed}${isBad}`;
}

const callKey = (call: Call): string =>
  `${call.who}:${call.isAwaited}:${call.number}:${call.kind}:${call.generations}:${call.thing?.part}${call.thing?.by}:${call.intent?.at}`;

/** Two worlds with the same key go on in the same ways. */
export function keyOf(world: World): string {
  const { faults } = world;
  return [
    recordKey(world.record),
    world.executions
      .map((one) => executionKey(world, one))
      .sort()
      .join(";"),
    world.things
      .map(({ generation, part, by, asks }) => `${generation}${part}${by}${asks}`)
      .sort()
      .join(";"),
    world.calls.map(callKey).sort().join(";"),
    JSON.stringify(world.nodes),
    Object.values(faults).join(""),
    `${world.days} ${world.daysLeft} ${world.sweepsLeft} ${world.watchesLeft} ${world.asksLeft} ${world.served}`,
  ].join("/");
}
