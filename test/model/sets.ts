import type { Change } from "../../functions/domain/cluster-record.ts";
import { type Faults, type Order, order, type Part, type Thing } from "./world.ts";

/** A few actors in one account, what stood there before them, and what may go wrong. */
export interface ActorSet {
  readonly name: string;
  readonly parts: readonly Part[];
  /** Has happened, in this order and without a fault; `isAborted`: it was stopped in that state. */
  readonly before?: readonly { readonly id: string; readonly ordered: Order; readonly isAborted?: string }[];
  readonly actors: readonly { readonly id: string; readonly ordered: Order }[];
  readonly faults: Partial<Faults>;
  readonly sweeps?: number;
  readonly watches?: number;
  readonly days?: number;
  /** How often a cluster may ask for a load balancer of its own. */
  readonly asks?: number;
  /** Things of ours that no record knows. */
  readonly strays?: readonly Thing[];
}

const actor = (id: string, machine: Order["machine"], fields: Partial<Order> = {}) => ({ id, ordered: order(machine, fields) });
const person = (id: string, change: Change) => actor(id, "change", { change });
const destroyer = (id: string, fields: Partial<Order> = {}) => actor(id, "destroy", { byPerson: true, ...fields });
const ready = actor("first", "build");
const kept = actor("first", "build", { asks: "keep", isFated: true });
const renewed = actor("second", "rebuild");
const nodes = ["nodes"] as const;

export const sets: readonly ActorSet[] = [
  {
    name: "two builds of one name",
    parts: nodes,
    actors: [actor("a", "build"), actor("b", "build")],
    faults: { lost: 1, abort: 1, fails: 1 },
    sweeps: 1,
  },
  {
    name: "a build that is redriven, and one that resumes",
    parts: nodes,
    actors: [actor("a", "build"), actor("b", "build")],
    faults: { abort: 1, redrive: 1 },
    sweeps: 1,
  },
  {
    name: "what is kept, resumed, extended or asked for otherwise",
    parts: nodes,
    before: [kept],
    actors: [
      actor("b", "build", { asks: "keep" }),
      actor("c", "build", { asks: "other" }),
      person("e", { kind: "extend", generation: 1, hours: 48 }),
    ],
    faults: { lost: 1, abort: 1 },
    sweeps: 1,
    days: 1,
  },
  {
    name: "builds of a ready cluster",
    parts: nodes,
    before: [ready],
    actors: [actor("a", "build", { isFated: true }), actor("b", "build", { asks: "other" }), actor("c", "build")],
    faults: { lost: 1, abort: 1, redrive: 1 },
    sweeps: 1,
  },
  {
    name: "a rebuild",
    parts: nodes,
    before: [ready],
    actors: [actor("r", "rebuild")],
    faults: { lost: 1, abort: 1, fails: 1 },
    sweeps: 1,
    watches: 1,
  },
  {
    name: "a rebuild that is redriven, its build started twice",
    parts: nodes,
    before: [ready],
    actors: [actor("r", "rebuild")],
    faults: { abort: 1, twice: 1, redrive: 1 },
    sweeps: 1,
  },
  {
    name: "a rebuild whose build fails, and a person's destroy",
    parts: nodes,
    before: [ready],
    actors: [actor("r", "rebuild", { isFated: true }), destroyer("d")],
    faults: { abort: 1, lost: 1 },
    sweeps: 1,
  },
  {
    name: "a rebuild that replaces, and a build",
    parts: nodes,
    before: [ready],
    actors: [actor("r", "rebuild", { asks: "replace" }), actor("b", "build")],
    faults: { abort: 1, fails: 1 },
    sweeps: 1,
  },
  {
    name: "rollback, promote and extend against the sweep",
    parts: nodes,
    before: [ready, renewed],
    actors: [
      person("b", { kind: "rollback" }),
      person("p", { kind: "promote" }),
      person("e", { kind: "extend", generation: 1, hours: 48 }),
    ],
    faults: { lost: 1, abort: 1 },
    sweeps: 2,
    days: 1,
  },
  {
    name: "a rebuild and a rollback",
    parts: nodes,
    before: [ready, renewed],
    actors: [actor("r", "rebuild"), person("b", { kind: "rollback" })],
    faults: { lost: 1, abort: 1 },
    sweeps: 1,
    days: 1,
  },
  {
    name: "protect and unprotect against destroy and replace",
    parts: nodes,
    before: [ready],
    actors: [
      person("p", { kind: "protect" }),
      person("u", { kind: "unprotect" }),
      destroyer("d"),
      actor("r", "rebuild", { asks: "replace" }),
    ],
    faults: { abort: 1 },
  },
  {
    name: "watcher and sweep on one death",
    parts: nodes,
    actors: [actor("a", "build"), actor("b", "build")],
    faults: { abort: 2 },
    sweeps: 1,
    watches: 2,
  },
  {
    name: "a VPC that is made twice",
    parts: ["vpc"],
    actors: [actor("a", "build"), actor("b", "build")],
    faults: { lost: 1, abort: 1, twice: 1 },
  },
  {
    name: "scripts on nodes",
    parts: ["nodes", "script"],
    actors: [actor("a", "build"), actor("b", "build")],
    faults: { abort: 1, redrive: 1, zombie: 1 },
  },
  {
    name: "scripts on nodes without a command that lies",
    parts: ["nodes", "script"],
    actors: [actor("a", "build"), actor("b", "build")],
    faults: { abort: 1, redrive: 1 },
  },
  {
    name: "a cluster that makes something as it is destroyed",
    parts: nodes,
    before: [ready],
    actors: [destroyer("d"), actor("b", "build")],
    faults: { lost: 1, abort: 1 },
    sweeps: 1,
    days: 1,
    asks: 1,
  },
  {
    name: "an execution that cannot be found yet",
    parts: nodes,
    actors: [actor("a", "build"), actor("b", "build"), destroyer("d")],
    faults: { young: 1, abort: 1 },
    sweeps: 1,
  },
  {
    name: "things that no record knows",
    parts: nodes,
    actors: [actor("a", "build"), destroyer("d", { generation: 7 })],
    faults: { abort: 1, lost: 1 },
    sweeps: 1,
    strays: [{ generation: 7, part: "nodes", by: "somebody", asks: "-" }],
  },
];

export function setNamed(name: string): ActorSet {
  const set = sets.find((one) => one.name === name);
  if (set === undefined) throw new RangeError(`there is no set "${name}"`);
  return set;
}
