import type { Intent } from "../../functions/domain/cluster-record.ts";
import type { StepError } from "../../functions/errors.ts";
import { brokenBy, deviation } from "./forbidden.ts";
import { type Answer, lockOf, type State } from "./machines.ts";
import { arrive, called, goes, looks, type Move, move, nameOf, type Stage, withCall } from "./moves.ts";
import { arnOf, type Execution, firstStates, idOf, nowOf, put, spent, type World } from "./world.ts";

type Look = ReturnType<typeof looks>[number];
type Swapped =
  | { readonly refusal: StepError }
  | { readonly answer: Answer; readonly world: World; readonly hasWritten: boolean; readonly breaks: string | null };

/** Whoever takes the lock or works without it looks at the holders first (functions/aws/s3-records.ts). */
const asksForHolders: ReadonlySet<Intent["kind"]> = new Set(["acquire", "retake", "rebuild", "destroy", "change"]);

/** One read, one decision, one compare-and-swap: whoever comes between makes it start anew, so it is one step. */
export function swap({ protocol }: Stage, world: World, one: Execution, intent: Intent, look: Look): Swapped {
  const at = { who: arnOf(one.id), now: nowOf(world), holders: look.holders };
  const decision = protocol.decide(world.record, intent as never, at);
  if ("refusal" in decision) return decision;
  const { record, answer } = decision;
  if (record === null) return { answer, world, hasWritten: false, breaks: null };
  const { current } = record;
  const next: World = {
    ...world,
    record,
    served: current === null || world.served.includes(current) ? world.served : [...world.served, current].sort(),
    executions: world.executions.map((other) => (other.isUnnoticed ? { ...other, isUnnoticed: false } : other)),
  };
  return { answer, world: next, hasWritten: true, breaks: brokenBy(world, record, one, intent) };
}

const lookAgain = (world: World, one: Execution): Execution => world.executions.find(({ id }) => id === one.id) ?? one;

const toldOf = (world: World, answer: Answer): string => {
  const holders = world.record?.lock.holders.map(({ execution }) => idOf(execution)).join(" > ") || "free";
  const rows = Object.entries(world.record?.generations ?? {}).map(([generation, { state }]) => `${generation} ${state}`);
  const said =
    answer !== null && "origin" in answer ? ` (${answer.origin})` : answer !== null && "why" in answer ? ` (${answer.why})` : "";
  return `${said}: lock ${world.record?.lock.number ?? 0} ${holders}, current ${world.record?.current ?? "none"}, ${rows.join(", ") || "no rows"}`;
};

/** Nobody died, nothing was lost, and still the lock is: then a rule costs those who keep it. */
function needless(world: World, stage: Stage, one: Execution, isLost: boolean): string | null {
  if (world.faults !== stage.faults || one.hold === null) return null;
  if (isLost) return `${one.id} has lost its lock, though nothing went wrong`;
  return one.at === "SwitchCurrent"
    ? `${one.id} has built a generation and cannot switch to it, though nothing went wrong`
    : null;
}

/** What may become of a state that swaps the record. */
export function swapMoves(stage: Stage, world: World, one: Execution, state: Extract<State, { kind: "swap" }>): Move[] {
  const { faults } = world;
  const label = `${nameOf(one)}: ${one.at}`;
  if (one.at === "CommitGeneration") {
    // Minutes of waiting lie before it, so what an earlier attempt of its own had under way is over.
    if (world.calls.some((call) => call.who === one.id)) return [];
    const differs = stage.protocol.counts ? deviation(world, lockOf(one).generation, stage.parts) : null;
    if (differs !== null) return [move(`${label} counts: ${differs}`, goes(stage, world, one, state.caught))];
  }
  if (!stage.protocol.retakes && state.intent(one, world).kind === "retake") {
    const next = { ...state.next(one, {} as Answer), hold: one.hold };
    return [move(`${label} is left out`, put(world, arrive(stage, next)))];
  }
  const moves: Move[] = [];
  const intent = state.intent(one, world);
  const seen = asksForHolders.has(intent.kind) ? looks(world, one.id) : looks(world, one.id).slice(0, 1);
  for (const look of seen) {
    const base = look.fault === null ? world : spent(world, look.fault);
    const swapped = swap(stage, base, one, intent, look);
    if ("refusal" in swapped) {
      const isLost = swapped.refusal.name === "LockLostError";
      const to = isLost ? state.lost : state.refused;
      const isHolder = idOf(world.record?.lock.holders.at(-1)?.execution ?? "") === one.id;
      const ownLock =
        one.at === firstStates[one.order.machine] && isHolder ? `${one.id} holds the lock, and is refused it` : null;
      const breaks = ownLock ?? needless(world, stage, one, isLost);
      moves.push(move(`${label} is refused: ${swapped.refusal.message}`, goes(stage, base, one, to), breaks, look.fault));
      continue;
    }
    const { answer, hasWritten, breaks } = swapped;
    const told = `${label}${look.says}${toldOf(swapped.world, answer)}`;
    const now = lookAgain(swapped.world, one);
    moves.push(move(told, put(swapped.world, arrive(stage, state.next(now, answer))), breaks, look.fault));
    if (hasWritten && faults.lost > 0) {
      const after = spent(swapped.world, "lost");
      moves.push(move(`${told}; the answer is lost, it tries again`, put(after, { ...now, status: "running" }), breaks, "lost"));
      moves.push(move(`${told}; the answer is lost, it gives up`, goes(stage, after, now, state.caught), breaks, "lost"));
    }
  }
  return [...moves, ...underWay(stage, world, one, state, intent)];
}

/** The state ends, or another attempt begins, while the swap is still under way. */
function underWay(stage: Stage, world: World, one: Execution, state: Extract<State, { kind: "swap" }>, ordered: Intent): Move[] {
  const { faults } = world;
  const call = called(one, { kind: "swap", isAwaited: false, intent: { at: one.at, ordered } });
  const label = `${nameOf(one)}: ${one.at}`;
  const moves: Move[] = [];
  if (faults.abort > 0 && one.status === "running") {
    const stopped = put(withCall(spent(world, "abort"), call), { ...one, status: "ended", isAborted: true });
    moves.push(move(`${nameOf(one)} is aborted in ${one.at} with its swap under way`, stopped, null, "abort"));
  }
  if (faults.abort > 0 && one.status === "due") {
    const stopped = put(withCall(spent(world, "abort"), call), { ...one, status: "ended", isAborted: true });
    moves.push(move(`${nameOf(one)} starts, and is aborted in ${one.at} with its swap under way`, stopped, null, "abort"));
  }
  if (faults.twice > 0 && one.order.machine !== "change") {
    const again = put(withCall(spent(world, "twice"), call), { ...one, status: "running" });
    moves.push(move(`${label} is tried again while the first attempt is under way`, again, null, "twice"));
  }
  if (faults.fails > 0 && one.status === "running") {
    moves.push(move(`${label} gives up`, goes(stage, spent(world, "fails"), one, state.caught), null, "fails"));
  }
  return moves;
}
