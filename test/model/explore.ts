import { brokenIn } from "./forbidden.ts";
import { keyOf } from "./key.ts";
import { machinesFor } from "./machines.ts";
import type { Stage } from "./moves.ts";
import type { ActorSet } from "./sets.ts";
import { movesIn, nextDay, sweep, toldSweep } from "./steps.ts";
import { begun, type Faults, noFaults, nowOf, type Protocol, type World } from "./world.ts";

export interface Found {
  readonly states: number;
  readonly moves: number;
  /** What is forbidden and happened, and how it came to it. */
  readonly violation: { readonly says: string; readonly story: readonly string[] } | null;
  /** Every end that some execution came to. */
  readonly ends: ReadonlySet<string>;
}

const nothing = (faults: Faults): World => ({
  record: null,
  executions: [],
  things: [],
  calls: [],
  nodes: {},
  faults,
  days: 0,
  daysLeft: 0,
  sweeps: 0,
  sweepsLeft: 0,
  watchesLeft: 0,
  asksLeft: 0,
  served: [],
});

/** What happens next when nothing goes wrong any more and nobody starts anything. */
const undisturbed = (stage: Stage, world: World) =>
  movesIn(stage, { ...world, executions: world.executions.filter(({ status }) => status !== "due") }).find(
    ({ fault }) => fault === null,
  );

/** Runs what stands before the set's own story, one after another, without a fault. */
function beforehand(stage: Stage, set: ActorSet): World {
  let world: World = { ...nothing(noFaults), things: set.strays ?? [] };
  for (const { id, ordered } of set.before ?? []) {
    world = { ...world, executions: [begun(id, ordered, null, "running")] };
    for (let next = undisturbed(stage, world); next !== undefined; next = undisturbed(stage, world)) {
      if (next.breaks !== null) throw new Error(`${set.name}: ${next.says}: ${next.breaks}`);
      world = next.world;
    }
  }
  return world;
}

function opening(stage: Stage, set: ActorSet): World {
  const world = beforehand(stage, set);
  return {
    ...world,
    executions: set.actors.map(({ id, ordered }) => begun(id, ordered, null, "due")),
    faults: stage.faults,
    daysLeft: set.days ?? 0,
    sweepsLeft: set.sweeps ?? 0,
    watchesLeft: set.watches ?? 0,
    asksLeft: set.asks ?? 0,
  };
}

/** What is not right about a world in which nothing happens any more. */
function unsettled(world: World): string | null {
  const rows = Object.entries(world.record?.generations ?? {});
  const open = rows.find(([, { state }]) => !/proved|retired|kept|gone|left/.test(state));
  if (open !== undefined) return `generation ${open[0]} stays ${open[1].state} for ever`;
  const forgotten = rows.find(([generation, { state }]) => state === "proved" && Number(generation) !== world.record?.current);
  if (forgotten !== undefined) return `generation ${forgotten[0]} is proved, not current, and stays for ever`;
  const now = nowOf(world).toISOString();
  const due = rows.find(([, { state, keptUntil, destroyAfter, left }]) => {
    const until = { kept: keptUntil, retired: destroyAfter, left: left?.nextTry }[state as string];
    return typeof until === "string" && until <= now;
  });
  if (due !== undefined) return `generation ${due[0]} is ${due[1].state} past its time, for ever`;
  const stray = world.things.find(
    ({ generation }) => !/proved|retired|kept|left/.test(world.record?.generations[generation]?.state ?? ""),
  );
  return stray === undefined ? null : `${stray.part} of generation ${stray.generation} stays, and no row explains it`;
}

/** More than any undisturbed end takes; who needs them all goes round in circles. */
const stepsMax = 2000;
const daysMax = 3;

/**
 * From here on no fault happens and nobody starts anything: what runs runs to its end, and the sweep looks again and again.
 * Null when every row comes to rest; `known` are the worlds from which that is known.
 */
function whyStuck(stage: Stage, from: World, known: Set<string>, tolerates: RegExp): { says: string; story: string[] } | null {
  const story: string[] = [];
  const passed: string[] = [];
  const daysFirst = from.days;
  const careful = { ...stage, protocol: { ...stage.protocol, looksFirst: true } };
  let world: World = { ...from, faults: noFaults, daysLeft: 0, sweepsLeft: 0, watchesLeft: 0, asksLeft: 0 };
  for (let steps = 0; steps < stepsMax; steps++) {
    const key = keyOf(world);
    if (known.has(key)) break;
    passed.push(key);
    const broken = brokenIn(world, stage.parts);
    if (broken !== null) return { says: broken, story };
    const next = undisturbed(stage, world);
    if (next !== undefined) {
      story.push(next.says);
      if (next.breaks !== null && !tolerates.test(next.breaks)) return { says: next.breaks, story };
      const due = world.executions.filter(({ status }) => status === "due");
      world = { ...next.world, executions: [...due, ...next.world.executions.filter(({ status }) => status !== "due")] };
      continue;
    }
    const running = world.executions.find(({ status }) => status === "running");
    if (running !== undefined) return { says: `${running.id} waits in ${running.at} for ever`, story };
    const swept = sweep(careful, world);
    if (swept !== null) {
      story.push(toldSweep(world, swept));
      world = swept;
      continue;
    }
    const later = world.days < daysFirst + daysMax ? nextDay(world) : null;
    if (later === null) {
      const says = unsettled(world);
      if (says !== null) return { says, story };
      break;
    }
    story.push("a day passes");
    world = later;
  }
  if (passed.length === stepsMax) return { says: "it goes round in circles", story };
  for (const key of passed) known.add(key);
  return null;
}

/** Every state that the set's actors can come to, the nearest first, so that a story is as short as it can be. */
export function explore(set: ActorSet, protocol: Protocol, tolerates = /^$/, statesMax = 2_000_000): Found {
  const { stackTraceLimit } = Error;
  // Refusals are errors, thousands of them, and nobody reads where they were made.
  Error.stackTraceLimit = 0;
  try {
    return search(set, protocol, tolerates, statesMax);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function search(set: ActorSet, protocol: Protocol, tolerates: RegExp, statesMax: number): Found {
  const faults: Faults = { ...noFaults, ...set.faults };
  const stage: Stage = { protocol, machines: machinesFor(set.parts, protocol.asksWhetherDue), parts: set.parts, faults };
  const first = opening(stage, set);
  const seen = new Map<string, number>([[keyOf(first), 0]]);
  const cameFrom: number[] = [-1];
  const says: string[] = [""];
  const settled = new Set<string>();
  const ends = new Set<string>();
  let moves = 0;
  const told = (index: number): string[] => {
    const story: string[] = [];
    for (let at = index; at > 0; at = cameFrom[at] ?? 0) story.unshift(says[at] ?? "");
    return story;
  };
  const found = (violation: Found["violation"]): Found => ({ states: seen.size, moves, violation, ends });
  const isForbidden = (why: string | null): why is string => why !== null && !tolerates.test(why);
  let layer: (readonly [number, World])[] = [[0, first]];
  while (layer.length > 0) {
    const next: (readonly [number, World])[] = [];
    for (const [index, world] of layer) {
      const broken = brokenIn(world, set.parts);
      if (broken !== null) return found({ says: broken, story: told(index) });
      const stuck = whyStuck(stage, world, settled, tolerates);
      if (stuck !== null) {
        const story = [...told(index), "from here on nothing goes wrong any more", ...stuck.story];
        return found({ says: stuck.says, story });
      }
      for (const one of movesIn(stage, world)) {
        moves++;
        for (const { id, at, status } of one.world.executions) if (status === "ended") ends.add(`${id} ${at}`);
        if (isForbidden(one.breaks)) return found({ says: one.breaks, story: [...told(index), one.says] });
        const key = keyOf(one.world);
        if (seen.has(key)) continue;
        if (seen.size >= statesMax) throw new RangeError(`${set.name} has more than ${statesMax} states`);
        seen.set(key, cameFrom.length);
        next.push([cameFrom.length, one.world]);
        cameFrom.push(index);
        says.push(one.says);
      }
    }
    layer = next;
  }
  return found(null);
}
