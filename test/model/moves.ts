import type { HolderState } from "../../functions/domain/cluster-record.ts";
import type { ExecutionArn } from "../../functions/domain/ids.ts";
import type { Machines, State } from "./machines.ts";
import {
  begun,
  type Call,
  type Execution,
  executionOf,
  type Faults,
  idOf,
  type Protocol,
  put,
  spent,
  type World,
} from "./world.ts";

/** One thing that may happen next. `fault`: it is one of the faults, or outside of the steps that all executions take by themselves. */
export interface Move {
  readonly says: string;
  readonly world: World;
  readonly fault: keyof Faults | null;
  /** What part 7 forbids and this does. */
  readonly breaks: string | null;
}

export interface Stage {
  readonly protocol: Protocol;
  readonly machines: Machines;
  readonly parts: readonly ("vpc" | "nodes" | "script")[];
  /** As many as may happen: while nothing went wrong, a world holds this very object. */
  readonly faults: Faults;
}

export const move = (says: string, world: World, breaks: string | null = null, fault: Move["fault"] = null): Move => ({
  says,
  world,
  fault,
  breaks,
});

export const stateOf = ({ machines }: Stage, one: Execution): State => {
  const machine = machines[one.order.machine];
  const state = machine[one.at];
  if (state === undefined) throw new RangeError(`${one.order.machine} has no state ${one.at}`);
  return state;
};

/** Takes Choices at once, and ends what stands in an end. */
export function arrive(stage: Stage, one: Execution): Execution {
  const state = stateOf(stage, one);
  if (state.kind === "choice") return arrive(stage, { ...one, at: state.next(one) });
  if (state.kind === "end") return { ...one, status: "ended" };
  return one.status === "running" ? one : { ...one, status: "running" };
}
export const goes = (stage: Stage, world: World, one: Execution, at = one.at): World => put(world, arrive(stage, { ...one, at }));

export const nameOf = (one: Execution): string => `${one.order.machine} ${one.id}`;

/** What DescribeExecution may say of the record's other holders, by now; each with the fault that it takes, if any. */
export function looks(
  world: World,
  who: string,
): { holders: Map<ExecutionArn, HolderState>; fault: "young" | null; says: string }[] {
  const others = (world.record?.lock.holders ?? []).map(({ execution }) => execution).filter((arn) => idOf(arn) !== who);
  const stateOfHolder = (arn: ExecutionArn): HolderState =>
    executionOf(world, idOf(arn))?.status === "running" ? "running" : "ended";
  const truth = new Map(others.map((arn) => [arn, stateOfHolder(arn)]));
  const all: ReturnType<typeof looks> = [{ holders: truth, fault: null, says: "" }];
  for (const arn of others) {
    const one = executionOf(world, idOf(arn));
    if (one?.status !== "running") continue;
    if (one.isUnnoticed) {
      all.push({ holders: new Map(truth).set(arn, "ended"), fault: null, says: `, having looked before ${one.id} was redriven` });
    }
    if (world.faults.young > 0) {
      all.push({
        holders: new Map(truth).set(arn, "unknown"),
        fault: "young",
        says: `, and is told that ${one.id} does not exist`,
      });
    }
  }
  return all;
}

/** What the execution's present state waits for. */
export const awaited = (world: World, one: Execution): Call | undefined =>
  world.calls.find((call) => call.who === one.id && call.isAwaited);
export const without = (world: World, call: Call): World => ({ ...world, calls: world.calls.filter((one) => one !== call) });
export const withCall = (world: World, call: Call): World => ({ ...world, calls: [...world.calls, call] });
/** No state waits for it any more; it goes on. */
export const orphaned = (world: World, call: Call): World => withCall(without(world, call), { ...call, isAwaited: false });

export const called = (one: Execution, fields: Pick<Call, "kind"> & Partial<Call>): Call => ({
  who: one.id,
  isAwaited: true,
  number: one.hold?.number ?? 0,
  generations: [],
  thing: null,
  intent: null,
  ...fields,
});

/** Starts a machine as the execution's child, or as the copy of one. */
export const started = (world: World, one: Execution, id: string, ordered: Execution["order"]): World => ({
  ...world,
  executions: [...world.executions, begun(id, ordered, one.id, "running")],
});

/** The execution is stopped where it is. What it has under way goes on, and so may its child. */
export function abort(world: World, one: Execution): Move[] {
  const call = awaited(world, one);
  const stopped = (of: World, victim: Execution): World => {
    const rest = awaited(of, victim);
    const free = rest === undefined ? of : orphaned(of, rest);
    return put(free, { ...victim, status: "ended", isAborted: true });
  };
  const under = call === undefined ? "" : " with a call under way";
  const base = spent(world, "abort");
  const all = [move(`${nameOf(one)} is aborted in ${one.at}${under}`, stopped(base, one), null, "abort")];
  const child = one.child === null ? undefined : executionOf(world, one.child);
  if (child?.status === "running") {
    all.push(
      move(`${nameOf(one)} is aborted in ${one.at}, and ${child.id} with it`, stopped(stopped(base, one), child), null, "abort"),
    );
  }
  return all;
}

/** An operator redrives what was aborted: it goes on in the state in which it was stopped. */
export const redrive = (world: World, one: Execution): Move =>
  move(
    `${nameOf(one)} is redriven, in ${one.at}`,
    put(spent(world, "redrive"), { ...one, status: "running", isAborted: false, isUnnoticed: true, child: null }),
    null,
    "redrive",
  );
