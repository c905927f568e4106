import { VpcId } from "../../functions/domain/ids.ts";
import { lockOf, nextPart, type State, teardownOf } from "./machines.ts";
import { awaited, called, goes, looks, type Move, move, nameOf, orphaned, type Stage, withCall, without } from "./moves.ts";
import { swap } from "./swaps.ts";
import { type Call, type Execution, executionOf, spent, type Thing, type World } from "./world.ts";

const vpcIdOf = (by: string) => VpcId.parse(`vpc-${by.padStart(8, "0")}`);
const same = (a: Thing, b: Thing) => a.generation === b.generation && a.part === b.part && a.by === b.by;

interface Landed {
  readonly world: World;
  /** The step's own end: it goes on to its next stage, is done, or finds its lock lost. */
  readonly outcome: "again" | "done" | "lost";
  readonly says: string;
  readonly breaks: string | null;
}

const createdAfterClean = (world: World, { generation }: Thing): string | null =>
  world.record?.generations[String(generation)]?.state === "gone"
    ? `something of generation ${generation} is created after an audit said clean`
    : null;

function create(stage: Stage, world: World, call: Call, thing: Thing): Landed {
  const rest = without(world, call);
  const isThere = world.things.some((other) => same(other, thing));
  const created = isThere ? rest : { ...rest, things: [...rest.things, thing] };
  const breaks = createdAfterClean(world, thing);
  const says = `${thing.part} of generation ${thing.generation} is created`;
  if (thing.part !== "vpc" || !stage.protocol.claims) return { world: created, outcome: "done", says, breaks };
  return {
    world: withCall(created, { ...call, kind: "claim" }),
    outcome: "again",
    says: `${says} (${vpcIdOf(thing.by)})`,
    breaks,
  };
}

function claim(stage: Stage, world: World, call: Call, thing: Thing): Landed {
  const one = executionOf(world, call.who) as Execution;
  const lock = { ...lockOf(one), number: call.number };
  const vpcId = vpcIdOf(thing.by);
  const look = looks(world, one.id)[0] as ReturnType<typeof looks>[number];
  const swapped = swap(stage, world, one, { kind: "claim", lock, made: { vpcId } }, look);
  if ("refusal" in swapped)
    return { world: without(world, call), outcome: "lost", says: `${vpcId} cannot be entered`, breaks: null };
  const rest = without(swapped.world, call);
  const isFirst = swapped.answer !== null && "vpcId" in swapped.answer && swapped.answer.vpcId === vpcId;
  if (isFirst) return { world: rest, outcome: "done", says: `${vpcId} is entered in the row`, breaks: swapped.breaks };
  return {
    world: withCall(rest, { ...call, kind: "drop" }),
    outcome: "again",
    says: `${vpcId} comes second`,
    breaks: swapped.breaks,
  };
}

/** A node's fence file, and its one flock: a script waits while another one writes. */
function script(stage: Stage, world: World, call: Call, thing: Thing): Landed | null {
  const rest = without(world, call);
  const { generation } = thing;
  const highest = world.nodes[generation] ?? 0;
  const isOld = call.number < highest;
  const { numbersOnNodes, locksNodes, looksBeforeWriting } = stage.protocol;
  if (isOld && numbersOnNodes && (call.kind === "send" || looksBeforeWriting)) {
    return { world: rest, outcome: "lost", says: `a node refuses the script of number ${call.number}`, breaks: null };
  }
  if (call.kind === "send") {
    const isLocked = world.calls.some((other) => other.kind === "write" && other.thing?.generation === generation);
    if (isLocked && locksNodes) return null;
    const nodes = { ...world.nodes, [generation]: Math.max(highest, call.number) };
    const running = withCall({ ...rest, nodes }, { ...call, kind: "write" });
    return { world: running, outcome: "again", says: `the script of number ${call.number} begins on the node`, breaks: null };
  }
  const things = [...rest.things.filter((other) => !(other.generation === generation && other.part === "join")), thing];
  const breaks = isOld ? `a script of number ${call.number} writes over what number ${highest} wrote` : null;
  return { world: { ...rest, things }, outcome: "done", says: `the script of number ${call.number} writes`, breaks };
}

function erase(world: World, call: Call): Landed {
  const isGone = (generation: number) => call.generations.includes(generation);
  const things = world.things.filter(({ generation }) => !isGone(generation));
  // Scripts go with their nodes.
  const calls = world.calls.filter((other) => !(/send|write/.test(other.kind) && other.thing && isGone(other.thing.generation)));
  const nodes = Object.fromEntries(Object.entries(world.nodes).filter(([generation]) => !isGone(Number(generation))));
  const erased = without({ ...world, things, calls, nodes }, call);
  return { world: erased, outcome: "done", says: `all of generation ${call.generations} is deleted`, breaks: null };
}

function land(stage: Stage, world: World, call: Call): Landed | null {
  const thing = call.thing;
  if (call.kind === "erase") return erase(world, call);
  if (call.kind === "swap") {
    const one = executionOf(world, call.who) as Execution;
    const look = looks(world, one.id)[0] as ReturnType<typeof looks>[number];
    const swapped = swap(stage, world, one, call.intent?.ordered as never, look);
    const at = `the swap of ${call.intent?.at}`;
    if ("refusal" in swapped) return { world: without(world, call), outcome: "lost", says: `${at} is refused`, breaks: null };
    return { world: without(swapped.world, call), outcome: "done", says: `${at} is written`, breaks: swapped.breaks };
  }
  if (thing === null) throw new RangeError(`a call to ${call.kind} nothing`);
  if (call.kind === "claim") return claim(stage, world, call, thing);
  if (call.kind === "send" || call.kind === "write") return script(stage, world, call, thing);
  if (call.kind === "drop") {
    const things = world.things.filter((other) => !same(other, thing));
    return {
      world: without({ ...world, things }, call),
      outcome: "done",
      says: `${vpcIdOf(thing.by)} is deleted again`,
      breaks: null,
    };
  }
  return create(stage, world, call, thing);
}

/** What nobody waits for any more takes effect, or dies between two of its stages. */
export function orphanMoves(stage: Stage, world: World): Move[] {
  return world.calls
    .filter(({ isAwaited }) => !isAwaited)
    .flatMap((call) => {
      const landed = land(stage, world, call);
      if (landed === null) return [];
      const by = call.kind === "ask" ? "what the cluster itself asked for shows" : `an orphan of ${call.who} lands`;
      const moves = [move(`${by}: ${landed.says}`, landed.world, landed.breaks)];
      const isBetween = call.kind === "claim" || call.kind === "drop";
      if (isBetween && world.faults.abort > 0) {
        const killed = without(spent(world, "abort"), call);
        moves.push(move(`an orphan of ${call.who} is killed before its ${call.kind}`, killed, null, "abort"));
      }
      return moves;
    });
}

/** The first call of a step that makes something: it finds, and only then creates. */
function firstCall(world: World, one: Execution, part: "vpc" | "nodes" | "script"): Call | null {
  const { generation } = lockOf(one);
  const { asks } = one.order;
  if (part === "script") return called(one, { kind: "send", thing: { generation, part: "join", by: one.id, asks } });
  const present = world.things.filter((thing) => thing.generation === generation && thing.part === part);
  if (part === "nodes")
    return present.length > 0 ? null : called(one, { kind: "create", thing: { generation, part, by: one.id, asks } });
  const made = world.record?.generations[String(generation)]?.made.vpcId ?? null;
  if (present.some(({ by }) => vpcIdOf(by) === made)) return null;
  const [found] = present;
  if (found !== undefined) return called(one, { kind: "claim", thing: found });
  const taken = [...world.things, ...world.calls.flatMap(({ thing }) => thing ?? [])].filter((thing) => thing.part === part);
  const by = String(Math.max(0, ...taken.map((thing) => Number(thing.by)), Number(made?.slice(4) ?? 0)) + 1);
  return called(one, { kind: "create", thing: { generation, part, by, asks } });
}

type Working = Extract<State, { kind: "make" | "erase" }>;

/** What may become of a state whose step passes the fence and then calls AWS. */
export function workMoves(stage: Stage, world: World, one: Execution, state: Working): Move[] {
  const { faults } = world;
  const label = `${nameOf(one)}: ${one.at}`;
  const next = state.kind === "erase" ? state.next : nextPart(stage.parts, state.part);
  const call = awaited(world, one);
  const moves: Move[] = [];
  if (call === undefined) {
    if (!stage.protocol.fence(world.record, lockOf(one))) {
      const breaks = faults === stage.faults ? `${one.id} has lost its lock, though nothing went wrong` : null;
      return [move(`${label} is stopped by the fence`, goes(stage, world, one, "LockLost"), breaks)];
    }
    const first =
      state.kind === "erase"
        ? called(one, { kind: "erase", generations: teardownOf(one).generations })
        : firstCall(world, one, state.part);
    if (first === null) moves.push(move(`${label} finds its work done`, goes(stage, world, one, next)));
    // Without the row's `made` a VPC that is found is as good as one that is claimed.
    else if (first.kind === "claim" && !stage.protocol.claims)
      moves.push(move(`${label} finds its work done`, goes(stage, world, one, next)));
    else moves.push(move(`${label} passes the fence`, withCall(world, first)));
    if (faults.fails > 0)
      moves.push(move(`${label} fails`, goes(stage, spent(world, "fails"), one, state.caught), null, "fails"));
    return moves;
  }
  const landed = land(stage, world, call);
  if (landed !== null) {
    const to = { again: one.at, done: next, lost: "LockLost" }[landed.outcome];
    const now = executionOf(landed.world, one.id) as Execution;
    const told = `${label}: ${landed.says}`;
    moves.push(move(told, goes(stage, landed.world, now, to), landed.breaks));
    if (faults.lost > 0 && landed.outcome === "done") {
      moves.push(move(`${told}; the answer is lost, it tries again`, spent(landed.world, "lost"), landed.breaks, "lost"));
    }
  }
  if (faults.twice > 0) {
    const again = orphaned(spent(world, "twice"), call);
    moves.push(move(`${label} is tried again while the first attempt is under way`, again, null, "twice"));
  }
  if (faults.fails > 0) {
    const failed = goes(stage, orphaned(spent(world, "fails"), call), one, state.caught);
    moves.push(move(`${label} fails with its call under way`, failed, null, "fails"));
  }
  return moves;
}
