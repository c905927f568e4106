import type { Row } from "../../functions/domain/cluster-record.ts";
import { orphanMoves, workMoves } from "./calls.ts";
import { lockOf, nextPart, type State, teardownOf } from "./machines.ts";
import { abort, goes, type Move, move, nameOf, redrive, type Stage, started, stateOf, withCall } from "./moves.ts";
import { swapMoves } from "./swaps.ts";
import { begun, type Call, type Execution, executionOf, idOf, nowOf, order, put, spent, type World } from "./world.ts";

/** Waits until nothing of an earlier holder can take effect any more: function timeout + 60 s, and each command terminal. */
function pauseMoves(stage: Stage, world: World, one: Execution, { before }: Extract<State, { kind: "pause" }>): Move[] {
  const { protocol, parts } = stage;
  const number = one.hold?.number ?? 0;
  const isOlder = (call: Call) => call.number < number || (call.number === number && call.who !== one.id);
  const older = world.calls.filter((call) => call.kind !== "swap" && call.kind !== "ask" && isOlder(call));
  const isScript = ({ kind }: { kind: string }) => kind === "send" || kind === "write";
  if (protocol.pausesBefore[before] && older.some((call) => !isScript(call))) return [];
  const next = before === "destroy" ? "DeleteNetwork" : nextPart(parts, null);
  const label = `${nameOf(one)}: ${one.at}`;
  const over = move(`${label} is over`, goes(stage, world, one, next));
  // A destroy ends the nodes, and every script with them.
  const running = before === "resume" && protocol.awaitsCancelled ? older.filter(isScript) : [];
  if (running.length === 0) return [over];
  if (world.faults.zombie === 0) return [];
  const told = `${label} is over: the earlier command is reported as terminal, and its script goes on`;
  return [move(told, goes(stage, spent(world, "zombie"), one, next), null, "zombie")];
}

function auditMoves(stage: Stage, world: World, one: Execution, state: Extract<State, { kind: "audit" }>): Move[] {
  // 30 seconds lie before the second look: what the cluster itself asked for on its nodes' last breath shows by then.
  if (state.nth === 2 && stage.protocol.audits === 2 && world.calls.some(({ kind }) => kind === "ask")) return [];
  const { generations } = teardownOf(one);
  const found = world.things.some(({ generation }) => generations.includes(generation));
  const next = state.nth >= stage.protocol.audits ? "AuditResidueAgain (verdict)" : state.next;
  const label = `${nameOf(one)}: ${one.at} finds ${found ? "something left" : "nothing"}`;
  return [move(label, goes(stage, world, { ...one, isWell: !found }, next))];
}

/** A roll-back that is told as done has left nothing. */
function untrue(world: World, one: Execution, isWell: boolean): string | null {
  if (one.at !== "RollBack" || !isWell) return null;
  const { generation } = lockOf(one);
  const state = world.record?.generations[String(generation)]?.state;
  return state === "gone" ? null : `${one.id} says that generation ${generation} is rolled back, and it is ${state}`;
}

function childMoves(stage: Stage, world: World, one: Execution, state: Extract<State, { kind: "child" }>): Move[] {
  const label = `${nameOf(one)}: ${one.at}`;
  const ended = (isWell: boolean, why: string): Move[] => {
    const after = { ...one, child: null, hasStarted: false, isWell };
    return [move(`${label} ends, since ${why}`, goes(stage, world, after, state.next(after)), untrue(world, one, isWell))];
  };
  // Its name holds its parent's number, so that a second start finds the first one.
  const id = `${one.id}.${state.suffix}-${one.hold?.number}`;
  const child = executionOf(world, id);
  if (one.child === null && child?.status === "running") {
    return [move(`${label} finds that ${id} runs`, put(world, { ...one, child: id, hasStarted: true }))];
  }
  if (one.child === null && one.hasStarted) return ended(false, `the name ${id} is used`);
  if (child === undefined) {
    const after = started(world, one, id, state.ordered(one));
    return [move(`${label} starts ${id}`, put(after, { ...one, child: id, hasStarted: true }))];
  }
  if (child.status === "ended") {
    const end = stateOf(stage, child);
    const isWell = end.kind === "end" && end.isWell && !child.isAborted;
    return ended(isWell, `${id} ended ${isWell ? "well" : "badly"}`);
  }
  const copy = `${id}-copy`;
  if (world.faults.twice === 0 || executionOf(world, copy) !== undefined) return [];
  const copied = started(spent(world, "twice"), one, copy, state.ordered(one));
  return [move(`somebody starts ${copy} with the input of ${id}`, copied, null, "twice")];
}

/** What an execution may do next, and what may be done to it. */
function movesOf(stage: Stage, world: World, one: Execution): Move[] {
  const { faults } = world;
  if (one.status === "ended") return one.isAborted && faults.redrive > 0 ? [redrive(world, one)] : [];
  const state = stateOf(stage, one);
  const stopped = faults.abort > 0 && one.status === "running" && one.order.machine !== "change" ? abort(world, one) : [];
  switch (state.kind) {
    case "swap":
      return [...swapMoves(stage, world, one, state), ...stopped];
    case "make":
    case "erase":
      return [...workMoves(stage, world, one, state), ...stopped];
    case "audit":
      return [...auditMoves(stage, world, one, state), ...stopped];
    case "pause":
      return [...pauseMoves(stage, world, one, state), ...stopped];
    case "child":
      return [...childMoves(stage, world, one, state), ...stopped];
    default:
      return [];
  }
}

const isPast = (instant: string | null | undefined, now: Date): boolean =>
  typeof instant === "string" && Date.parse(instant) <= now.getTime();

/** Why the watcher or the sweep may start a destroy of the generation, or null. */
function reason(world: World, generation: number): "abandoned" | "expired" | "pastGrace" | null {
  const { record } = world;
  const row: Row | undefined = record?.generations[String(generation)];
  const now = nowOf(world);
  const areDead = !record?.lock.holders.some(({ execution }) => executionOf(world, idOf(execution))?.status === "running");
  switch (row?.state) {
    case "kept":
      return isPast(row.keptUntil, now) ? "expired" : null;
    case "retired":
      return isPast(row.destroyAfter, now) ? "pastGrace" : null;
    case "proved":
      return areDead && record?.current !== generation ? "abandoned" : null;
    case "left":
      return areDead && isPast(row.left?.nextTry, now) ? "abandoned" : null;
    case "gone":
    case undefined:
      return areDead && world.things.some((thing) => thing.generation === generation) ? "abandoned" : null;
    default:
      return areDead ? "abandoned" : null;
  }
}

const known = (world: World): number[] =>
  [
    ...new Set([
      ...Object.keys(world.record?.generations ?? {}).map(Number),
      ...world.things.map(({ generation }) => generation),
    ]),
  ].sort((a, b) => a - b);

function starts(world: World, id: string, generation: number, because: "abandoned" | "expired" | "pastGrace"): World {
  if (executionOf(world, id) !== undefined) return world;
  const started = begun(id, order("destroy", { generation, because }), null, "running");
  return { ...world, executions: [...world.executions, started] };
}

/** One look of the sweep: a destroy for everything that is due. Null: nothing is, or its name is blocked. */
export function sweep({ protocol }: Stage, world: World): World | null {
  const count = protocol.sweepNamesAnew ? world.sweeps + 1 : 1;
  let next = world;
  for (const generation of known(world)) {
    const why = reason(world, generation) ?? (protocol.looksFirst ? null : "abandoned");
    if (why === null || !protocol.sweepTakes(world.record?.generations[String(generation)])) continue;
    next = starts(next, `sweep${count}-g${generation}`, generation, why);
  }
  return next === world ? null : { ...next, sweeps: world.sweeps + 1 };
}

export const toldSweep = (from: World, to: World): string =>
  `the sweep starts ${to.executions
    .slice(from.executions.length)
    .map(({ id, order: { generation, because } }) => `${id} (generation ${generation}, ${because})`)
    .join(" and ")}`;

/** The watcher hears of a bad end: late, twice or never. */
function watchMoves({ protocol }: Stage, world: World): Move[] {
  if (world.watchesLeft === 0) return [];
  return world.executions
    .filter((one) => one.status === "ended" && (one.isAborted || /Failed|Lost/.test(one.at)))
    .flatMap((dead) =>
      known(world).flatMap((generation) => {
        const row = world.record?.generations[String(generation)];
        const names = [row?.builder?.execution, row?.rebuilder, row?.destroyer].map((arn) => (arn ? idOf(arn) : null));
        const isDue = names.includes(dead.id) && reason(world, generation) === "abandoned";
        const after = starts(world, `watch-${dead.id}-g${generation}`, generation, "abandoned");
        if ((protocol.looksFirst && !isDue) || after === world) return [];
        const told = `the watcher hears of ${dead.id}'s end and starts a destroy of generation ${generation}`;
        return [move(told, { ...after, watchesLeft: world.watchesLeft - 1 })];
      }),
    );
}

/** A day later no function and no execution of before runs any more. */
export function nextDay(world: World): World | null {
  const isQuiet = world.calls.length === 0 && world.executions.every(({ status }) => status !== "running");
  return isQuiet ? { ...world, days: world.days + 1 } : null;
}

function bystanders(stage: Stage, world: World): Move[] {
  const moves = watchMoves(stage, world);
  const swept = world.sweepsLeft > 0 ? sweep(stage, world) : null;
  if (swept !== null) moves.push(move(toldSweep(world, swept), { ...swept, sweepsLeft: world.sweepsLeft - 1 }));
  const later = world.daysLeft > 0 ? nextDay(world) : null;
  if (later !== null) moves.push(move("a day passes", { ...later, daysLeft: world.daysLeft - 1 }));
  if (world.asksLeft > 0) {
    const nodes = world.things.find(({ part }) => part === "nodes");
    if (nodes !== undefined) {
      const thing = { ...nodes, part: "balancer" as const, by: "cluster" };
      const asked = { who: "cluster", isAwaited: false, number: 0, kind: "ask" as const, generations: [], thing, intent: null };
      const told = `the cluster of generation ${nodes.generation} asks for a load balancer`;
      moves.push(move(told, { ...withCall(world, asked), asksLeft: world.asksLeft - 1 }));
    }
  }
  return moves;
}

/** Everything that may happen next. */
export const movesIn = (stage: Stage, world: World): Move[] => [
  ...orphanMoves(stage, world),
  ...world.executions.flatMap((one) => movesOf(stage, world, one)),
  ...bystanders(stage, world),
];
