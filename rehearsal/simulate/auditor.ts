import { secretLeaks, type Written } from "../audit.ts";
import type { Execution } from "../world/asl/execution.ts";
import type { HistoryEvent } from "../world/asl/history.ts";
import type { InventoryItem } from "../world/service.ts";
import type { World } from "../world/world.ts";

/** Shares no code with functions/: it reads the world, the executions and the record's bodies, and judges by the design's ten invariants. */

export interface Violation {
  /** The number in design 6. */
  readonly invariant: number;
  readonly detail: string;
  /** ISO 8601, virtual. */
  readonly at: string;
}

interface Row {
  readonly state: string;
  /** As asked, with the defaults; null for what only tags know, which no build ends. */
  readonly request: {
    readonly network: { readonly zones: number; readonly publicSubnets: boolean };
    readonly controlPlane: { readonly count: number };
    readonly workers: { readonly count: number };
  };
  readonly builder: { readonly execution: string } | null;
  readonly destroyer: string | null;
}
interface Recorded {
  readonly lock: { readonly number: number; readonly holders: readonly { readonly execution: string }[] };
  readonly current: number | null;
  readonly generations: Readonly<Record<string, Row>>;
}

/** A Lambda that passed the fence acts for its 60 s at most, and a call that was sent at the end shows late (lifecycle 4). */
const graceSeconds = 120;
/** Calls that make a thing which can carry tags; a route is none. */
const births = /^(?:Create(?!Route$)|RunInstances$)/;
/** Design 4. */
const ownerTags = ["cloister:cluster", "cloister:generation", "cloister:role", "cloister:execution"];
const bornWithInstances = ["instance", "volume", "network-interface"];
/** Whether nobody has to do anything about a row any more. A proved one that does not serve is what a dead rebuild left. */
const isSettled = (generation: string, { state }: Row, { current }: Recorded): boolean =>
  state === "proved" ? generation === String(current) : /^(?:retired|kept|gone)$/.test(state);

export class Auditor {
  readonly violations: Violation[] = [];
  readonly #world: World;
  readonly #bucket: string;
  readonly #before: ReadonlySet<string>;
  readonly #records = new Map<string, Recorded>();
  /** When an execution stopped being a record's last holder. */
  readonly #lostAt = new Map<string, number>();
  readonly #held = new Set<string>();

  constructor(world: World, bucket: string) {
    this.#world = world;
    this.#bucket = bucket;
    this.#before = new Set(world.inventory().map(keyOf));
    world.door.onChange = ({ operation, caller, input }) => {
      if (operation === "PutObject") this.#readRecord(String(input["Key"]));
      else if (caller.kind === "function") {
        this.#checkChange(operation, caller.execution, input);
        this.#checkBirth(operation, input);
      }
    };
  }

  #note(invariant: number, detail: string): void {
    const { clock } = this.#world.universe;
    if (!this.violations.some((other) => other.detail === detail)) this.violations.push({ invariant, detail, at: clock.iso() });
  }

  /** Every version of every record, as it is written. */
  #readRecord(key: string): void {
    const name = /^clusters\/([^/]+)\/record\.json$/.exec(key)?.[1];
    const body = this.#world.s3.object(this.#bucket, key)?.body;
    if (name === undefined || body === undefined) return;
    const before = this.#records.get(name);
    const record = JSON.parse(body) as Recorded;
    this.#records.set(name, record);
    const holder = record.lock.holders.at(-1)?.execution;
    const earlier = before?.lock.holders.at(-1)?.execution;
    const now = this.#world.universe.clock.now();
    if (earlier !== undefined && earlier !== holder) this.#lostAt.set(earlier, now);
    if (holder !== undefined) {
      this.#held.add(holder);
      this.#lostAt.delete(holder);
    }
    this.#checkChain(name, record);
    this.#checkCurrent(name, before, record);
  }

  #execution(arn: string): Execution | undefined {
    return this.#world.stepFunctions.executions.get(arn);
  }

  /** 8: the holders that run are one chain, each started by the one before it. */
  #checkChain(name: string, { lock }: Recorded): void {
    const running = lock.holders
      .flatMap(({ execution }) => this.#execution(execution) ?? [])
      .filter(({ outcome }) => outcome === null);
    for (const [index, child] of running.entries()) {
      const parent = running[index - 1];
      if (parent !== undefined && parentOf(child) !== parent.arn)
        this.#note(8, `${parent.name} and ${child.name} both work on ${name}`);
    }
  }

  /** 9: what serves is proved, and nothing but a person's destroy, or a rebuild that replaces, takes it away. */
  #checkCurrent(name: string, before: Recorded | undefined, { current, generations, lock }: Recorded): void {
    if (current !== null) {
      const state = generations[String(current)]?.state;
      if (state !== "proved") this.#note(9, `the current generation ${current} of ${name} is ${state}`);
    } else if (before !== undefined && before.current !== null) {
      const taker = this.#execution(lock.holders.at(-1)?.execution ?? "");
      const { because } = (taker?.input ?? {}) as { because?: string };
      if (taker?.machine !== "destroy-cluster" || because !== undefined)
        this.#note(9, `generation ${before.current} of ${name} was taken away by ${taker?.name ?? "nobody"}`);
    }
  }

  /** 8: only the holder changes anything, but for what was under way when it lost the lock. 2: nothing is made for what is gone. */
  #checkChange(operation: string, execution: string, input: Readonly<Record<string, unknown>>): void {
    const { clock } = this.#world.universe;
    const lostAt = this.#lostAt.get(execution);
    if (lostAt !== undefined && clock.now() - lostAt > graceSeconds * 1000 && operation !== "StartExecution")
      this.#note(8, `${operation} by ${execution}, which lost the lock ${Math.round((clock.now() - lostAt) / 1000)} s ago`);
    const tags = tagsIn(input);
    const name = tags.get("cloister:cluster");
    const generation = tags.get("cloister:generation");
    if (name === undefined || generation === undefined) return;
    if (this.#records.get(name)?.generations[generation]?.state === "gone")
      this.#note(2, `${operation} made something for generation ${generation} of ${name}, which is gone`);
  }

  /** 2: what is made says whose it is in the call that makes it: whoever dies right after leaves nothing that nobody can find. */
  #checkBirth(operation: string, input: Readonly<Record<string, unknown>>): void {
    if (!births.test(operation)) return;
    const lists = tagListsIn(input);
    const made = new Set(((input["TagSpecifications"] ?? []) as TagSpecifications).map(({ ResourceType }) => ResourceType));
    for (const tag of ownerTags)
      if (lists.length === 0 || lists.some((list) => !list.some(({ Key }) => Key === tag)))
        this.#note(2, `${operation} made something without the tag ${tag}`);
    for (const type of operation === "RunInstances" ? bornWithInstances : [])
      if (!made.has(type)) this.#note(2, `RunInstances made a ${type} without tags`);
  }

  /** 1: whatever an execution says at its end is true. */
  onEvent({ type, execution: arn }: HistoryEvent): void {
    if (type !== "ExecutionSucceeded" && type !== "ExecutionFailed") return;
    const execution = this.#execution(arn);
    if (execution === undefined) return;
    const last = execution.history.events.findLast((event) => event.type.endsWith("StateEntered"))?.details["name"];
    if (execution.machine === "build-cluster") this.#checkBuild(execution, String(last));
    if (execution.machine === "destroy-cluster" && last === "ClusterDestroyed")
      this.#checkGone(execution, ({ destroyer }) => destroyer === arn);
  }

  #checkBuild({ arn, name }: Execution, last: string): void {
    const rows = [...this.#records].flatMap(([cluster, { generations }]) =>
      Object.entries(generations).map(([generation, row]) => ({ cluster, generation, row })),
    );
    const own = rows.find(({ row }) => row.builder?.execution === arn);
    if (last === "ClusterReady" && own !== undefined && !/^(?:proved|retired)$/.test(own.row.state))
      this.#note(1, `${name} says ready, and generation ${own.generation} of ${own.cluster} is ${own.row.state}`);
    if (last === "ClusterReady" && own !== undefined) this.#checkWhole(name, own);
    if (last === "ClusterReady" && own === undefined) this.#checkUnchanged(arn, name);
    if (last === "BuildFailed" && own !== undefined && own.row.state === "proved")
      this.#note(1, `${name} says failed, and generation ${own.generation} of ${own.cluster} is proved`);
    if (last === "BuildKept" && own !== undefined && own.row.state !== "kept")
      this.#note(1, `${name} says kept, and generation ${own.generation} of ${own.cluster} is ${own.row.state}`);
  }

  /** 3: exactly what was asked for, each once, and a certificate that says so. */
  #checkWhole(
    name: string,
    { cluster, generation, row }: { readonly cluster: string; readonly generation: string; readonly row: Row },
  ): void {
    const { controlPlane, workers, network } = row.request;
    const wanted = {
      vpc: 1,
      subnet: network.zones * (network.publicSubnets ? 2 : 1),
      "internet-gateway": network.publicSubnets ? 1 : 0,
      "route-table": network.publicSubnets ? 2 : 1,
      "vpc-endpoint": 5,
      "security-group": controlPlane.count > 1 ? 5 : 4,
      instance: controlPlane.count + workers.count,
      volume: controlPlane.count + workers.count,
      "load-balancer": controlPlane.count > 1 ? 1 : 0,
    };
    const things = this.#thingsOf(cluster, generation);
    for (const [type, count] of Object.entries(wanted)) {
      const found = things.filter((item) => item.type === type).length;
      if (found !== count) this.#note(3, `${name} says ready with ${found} of ${count} ${type}`);
    }
    const certificate = this.#world.s3.object(this.#bucket, `evidence/${cluster}/g${generation}/certificate.json`)?.body;
    const { isolated } = JSON.parse(certificate ?? "{}") as { isolated?: boolean };
    if (isolated !== true) this.#note(3, `${name} says ready without a true certificate`);
  }

  /** 4: the same request for what is ready changes nothing in EC2 or load balancing. */
  #checkUnchanged(arn: string, name: string): void {
    const changes = this.#world.door.calls.filter(
      ({ service, mutates, caller, code }) =>
        mutates && code === null && /^(?:ec2|elb)/.test(service) && caller.kind === "function" && caller.execution === arn,
    );
    for (const { operation } of changes) this.#note(4, `${operation} by ${name}, which found its cluster ready`);
  }

  #checkGone({ name }: Execution, isIts: (row: Row) => boolean): void {
    for (const [cluster, { generations }] of this.#records)
      for (const [generation, row] of Object.entries(generations)) {
        if (!isIts(row)) continue;
        const left = this.#thingsOf(cluster, generation);
        if (left.length > 0) this.#note(1, `${name} says destroyed, and ${left.map(keyOf).join(", ")} is there`);
      }
  }

  /** What carries a generation's tags, ended instances aside. */
  #thingsOf(cluster: string, generation: string): InventoryItem[] {
    return this.#world
      .inventory()
      .filter(
        ({ tags, facts }) =>
          facts["state"] !== "terminated" && tags["cloister:cluster"] === cluster && tags["cloister:generation"] === generation,
      );
  }

  /** Whether everything has come to rest: no execution runs, no row waits for anybody, and nothing stands that no row explains. */
  get isQuiet(): boolean {
    return this.#unrest().length === 0 && this.#unexplained().length === 0;
  }

  #unexplained(): InventoryItem[] {
    const isExplained = this.#explained();
    return this.#world.inventory().filter((item) => !isExplained(item));
  }

  #rows(): {
    readonly id: string;
    readonly cluster: string;
    readonly generation: string;
    readonly row: Row;
    readonly isSettled: boolean;
  }[] {
    return [...this.#records].flatMap(([cluster, record]) =>
      Object.entries(record.generations).map(([generation, row]) => ({
        id: `${cluster}-g${generation}`,
        cluster,
        generation,
        row,
        isSettled: isSettled(generation, row, record),
      })),
    );
  }

  /** What stands, by generation: what serves, what is retired, what is kept. */
  standing(): ReadonlyMap<string, readonly InventoryItem[]> {
    const alive = this.#rows().filter(({ row, isSettled }) => isSettled && row.state !== "gone");
    return new Map(alive.map(({ id, cluster, generation }) => [id, this.#thingsOf(cluster, generation)]));
  }

  /** The last look, when time has done what it can. */
  finish(written: readonly Written[]): void {
    if (this.#unrest().length > 0) this.#note(10, `not at rest: ${this.#unrest().join(", ")}`);
    for (const item of this.#unexplained()) this.#note(2, `${keyOf(item)} was left behind`);
    for (const key of this.#before)
      if (!this.#world.inventory().some((item) => keyOf(item) === key)) this.#note(5, `${key} of somebody else is gone`);
    for (const touched of this.#world.ec2.foreignTouched()) this.#note(5, touched);
    for (const breach of this.#world.ec2.breaches()) this.#note(6, breach);
    for (const leak of secretLeaks(this.#world.nodes.secrets(), written)) this.#note(7, leak);
  }

  /** Whether a thing was there before, is a record or evidence, has ended, or belongs to a generation that stands. */
  #explained(): (item: InventoryItem) => boolean {
    const standing = this.standing();
    const keys = new Set([...standing.values()].flat().map(keyOf));
    const vpcs = new Set([...standing.values()].flat().flatMap(({ type, id }) => (type === "vpc" ? [id] : [])));
    const isOfOne = ({ type, id, tags, facts }: InventoryItem) =>
      vpcs.has(String(facts["vpcId"])) ||
      [...standing.keys()].some(
        (one) =>
          tags[`kubernetes.io/cluster/${one}`] === "owned" ||
          (type === "parameter" && id.includes(one.replace(/-g(\d+)$/, "/g$1/"))),
      );
    return (item) =>
      this.#before.has(keyOf(item)) ||
      keys.has(keyOf(item)) ||
      (item.type === "object" && /\/(?:clusters|evidence)\//.test(item.id)) ||
      item.facts["state"] === "terminated" ||
      isOfOne(item);
  }

  #unrest(): string[] {
    const running = [...this.#world.stepFunctions.executions.values()].filter(({ outcome }) => outcome === null);
    const rows = this.#rows().filter(({ isSettled }) => !isSettled);
    return [...running.map(({ name }) => `${name} runs`), ...rows.map(({ id, row }) => `${id} is ${row.state}`)];
  }
}

const keyOf = ({ type, id }: InventoryItem): string => `${type} ${id}`;

const parentOf = ({ input }: Execution): string | undefined =>
  (input as { parent?: { execution?: string } } | null)?.parent?.execution;

interface Tag {
  readonly Key: string;
  readonly Value: string;
}
type TagSpecifications = readonly { readonly ResourceType: string; readonly Tags?: readonly Tag[] }[];

/** The tags of a create call, in whichever form the service takes them: for each kind of thing that it makes. */
const tagListsIn = (input: Readonly<Record<string, unknown>>): readonly (readonly Tag[])[] => [
  ...((input["TagSpecifications"] ?? []) as TagSpecifications).map(({ Tags = [] }) => Tags),
  ...(input["Tags"] === undefined ? [] : [input["Tags"] as readonly Tag[]]),
];

const tagsIn = (input: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> =>
  new Map(tagListsIn(input).flatMap((list) => list.map(({ Key, Value }) => [Key, Value])));
