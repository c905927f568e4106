import type { Change } from "../../functions/domain/cluster-record.ts";
import { type Faults, type Order, order, type Part, type Thing } from "./world.ts";

/** A few actors in one account, what stood there before them, and what may go wrong. */
export interface ActorSet {
  readonly name: string;
  readonly parts: readonly Part[];
  /** Has happened, one after another and without a fault. */
  readonly before?: readonly Actor[];
  readonly actors: readonly Actor[];
  readonly faults: Partial<Faults>;
  /** How often the sweep looks, the watcher hears of an end, a day passes, the cluster itself asks for a load balancer. */
  readonly sweeps?: number;
  readonly watches?: number;
  readonly days?: number;
  readonly asks?: number;
  /** Things of ours that no record knows. */
  readonly strays?: readonly Thing[];
  /** Ends that somebody must come to in some story: a set in which they cannot be reached shows nothing. */
  readonly reaches: readonly string[];
}
export interface Actor {
  readonly id: string;
  readonly ordered: Order;
}

export const actor = (id: string, machine: Order["machine"], fields: Partial<Order> = {}): Actor => ({
  id,
  ordered: order(machine, fields),
});
export const person = (id: string, change: Change): Actor => actor(id, "change", { change });
export const destroyer = (id: string, fields: Partial<Order> = {}): Actor => actor(id, "destroy", { byPerson: true, ...fields });
export const ready = actor("first", "build");
export const kept = actor("first", "build", { asks: "keep", isFated: true });
export const renewed = actor("second", "rebuild");
export const nodes = ["nodes"] as const;
const [a, b] = [actor("a", "build"), actor("b", "build")];
export const extended = person("e", { kind: "extend", generation: 1, hours: 48 });

/** Small enough for every run of the tests. */
export const sets: readonly ActorSet[] = [
  {
    name: "two builds of one name",
    parts: nodes,
    actors: [a, b],
    faults: { lost: 1, abort: 1, fails: 1 },
    sweeps: 1,
    reaches: ["a ClusterReady", "b ClusterReady", "a BuildFailed", "a ResourcesLeftBehind", "a.rolls-back-1 ClusterDestroyed"],
  },
  {
    name: "two builds and one death",
    parts: nodes,
    actors: [a, b],
    faults: { abort: 1 },
    sweeps: 1,
    reaches: ["a ClusterReady", "b RequestRefused", "sweep1-g1 ClusterDestroyed"],
  },
  {
    name: "a build that is redriven, and one that resumes",
    parts: nodes,
    actors: [a, b],
    faults: { abort: 1, redrive: 1 },
    sweeps: 1,
    reaches: ["a LockLost", "b ClusterReady", "sweep1-g1 NothingToDestroy"],
  },
  {
    name: "what is kept, resumed, extended or asked for otherwise",
    parts: nodes,
    before: [kept],
    actors: [actor("b", "build", { asks: "keep" }), actor("c", "build", { asks: "other" }), extended],
    faults: { lost: 1, abort: 1 },
    sweeps: 1,
    days: 1,
    reaches: [
      "b ClusterReady",
      "c RequestRefused",
      "c ClusterReady",
      "e Changed",
      "e ChangeRefused",
      "sweep1-g1 NothingToDestroy",
    ],
  },
  {
    name: "builds of a ready cluster",
    parts: nodes,
    before: [ready],
    actors: [actor("a", "build", { isFated: true }), actor("b", "build", { asks: "other" }), actor("c", "build")],
    faults: { lost: 1, abort: 1, redrive: 1 },
    sweeps: 1,
    reaches: ["a ClusterUnhealthy", "b RequestRefused", "c ClusterReady"],
  },
  {
    name: "a rebuild",
    parts: nodes,
    before: [ready],
    actors: [actor("r", "rebuild")],
    faults: { lost: 1, abort: 1, fails: 1 },
    sweeps: 1,
    reaches: ["r ClusterRebuilt", "r RebuildFailed", "r.build-2.rolls-back-3 ClusterDestroyed", "sweep1-g2 ClusterDestroyed"],
  },
  {
    name: "a rebuild that is redriven, and a copy of its build",
    parts: nodes,
    before: [ready],
    actors: [actor("r", "rebuild")],
    faults: { abort: 1, twice: 1, redrive: 1 },
    sweeps: 1,
    reaches: ["r ClusterRebuilt", "r LockLost", "r.build-2-copy ClusterReady", "r.build-2-copy RequestRefused"],
  },
  {
    name: "a rebuild whose build fails, and a person's destroy",
    parts: nodes,
    before: [ready],
    actors: [actor("r", "rebuild", { isFated: true }), destroyer("d")],
    faults: { lost: 1, abort: 1 },
    sweeps: 1,
    reaches: ["r RebuildFailed", "d ClusterDestroyed", "d RequestRefused", "r RequestRefused"],
  },
  {
    name: "a rebuild that replaces",
    parts: nodes,
    before: [ready],
    actors: [actor("r", "rebuild", { asks: "replace" })],
    faults: { abort: 1, fails: 1 },
    sweeps: 1,
    reaches: ["r ClusterRebuilt", "r RebuildFailed", "r.replaced-2 ClusterDestroyed"],
  },
  {
    name: "rollback, promote and extend against the sweep",
    parts: nodes,
    before: [ready, renewed],
    actors: [person("b", { kind: "rollback" }), person("p", { kind: "promote" }), extended],
    faults: { lost: 1, abort: 1 },
    sweeps: 1,
    days: 1,
    reaches: [
      "b Changed",
      "b ChangeRefused",
      "p Changed",
      "e Changed",
      "sweep1-g1 NothingToDestroy",
      "sweep1-g1 ClusterDestroyed",
    ],
  },
  {
    name: "a rebuild and a rollback",
    parts: nodes,
    before: [ready, renewed],
    actors: [actor("r", "rebuild"), person("b", { kind: "rollback" })],
    faults: { abort: 1 },
    sweeps: 1,
    days: 1,
    reaches: ["r ClusterRebuilt", "b Changed", "b ChangeRefused", "sweep1-g1 ClusterDestroyed"],
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
    reaches: ["p Changed", "u Changed", "d RequestRefused", "d ClusterDestroyed", "r RequestRefused", "r ClusterRebuilt"],
  },
  {
    name: "watcher and sweep on one death",
    parts: nodes,
    actors: [a, b],
    faults: { abort: 1 },
    sweeps: 1,
    watches: 1,
    reaches: ["watch-a-g1 ClusterDestroyed", "watch-a-g1 NothingToDestroy", "b ClusterReady"],
  },
  {
    name: "a ready cluster, the watcher and the sweep",
    parts: nodes,
    before: [ready],
    actors: [a],
    faults: {},
    sweeps: 1,
    watches: 1,
    reaches: ["a ClusterReady"],
  },
  {
    name: "a VPC that is made twice, and a death",
    parts: ["vpc"],
    actors: [a, b],
    faults: { lost: 1, abort: 1, twice: 1 },
    reaches: ["a ClusterReady", "a BuildFailed", "b ClusterReady"],
  },
  {
    name: "a VPC that is made twice",
    parts: ["vpc"],
    actors: [a],
    faults: { lost: 1, twice: 1 },
    reaches: ["a ClusterReady"],
  },
  {
    name: "scripts on nodes, and a command that lies about its end",
    parts: ["nodes", "script"],
    actors: [a, b],
    faults: { abort: 1, redrive: 1, zombie: 1 },
    reaches: ["a ClusterReady", "a LockLost", "b ClusterReady"],
  },
  {
    name: "scripts on nodes",
    parts: ["nodes", "script"],
    actors: [a, b],
    faults: { abort: 1, redrive: 1 },
    reaches: ["a ClusterReady", "b ClusterReady"],
  },
  {
    name: "a cluster that makes something as it is destroyed",
    parts: nodes,
    before: [ready],
    actors: [destroyer("d")],
    faults: { lost: 1, abort: 1, redrive: 1 },
    sweeps: 1,
    days: 1,
    asks: 1,
    reaches: ["d ClusterDestroyed", "d ResourcesLeftBehind", "sweep1-g1 ClusterDestroyed"],
  },
  {
    name: "an execution that cannot be found yet",
    parts: nodes,
    actors: [a, b, destroyer("d")],
    faults: { young: 1 },
    sweeps: 1,
    reaches: ["a ClusterReady", "b RequestRefused", "d ClusterDestroyed"],
  },
  {
    name: "things that no record knows",
    parts: nodes,
    actors: [a, destroyer("d", { generation: 7 })],
    faults: { abort: 1 },
    sweeps: 1,
    strays: [{ generation: 7, part: "nodes", by: "somebody", asks: "-" }],
    reaches: ["a ClusterReady", "d ClusterDestroyed", "sweep1-g7 ClusterDestroyed"],
  },
];

export function setNamed(name: string): ActorSet {
  const set = sets.find((one) => one.name === name);
  if (set === undefined) throw new RangeError(`there is no set "${name}"`);
  return set;
}
