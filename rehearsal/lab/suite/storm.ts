import { Chance } from "../../world/chance.ts";
import type { ScriptResult } from "../../world/ssm/command.ts";
import { found, type LabCheck } from "../checks.ts";
import type { Order, RunOrder } from "../hooks.ts";
import type { Lab } from "../lab.ts";

/** A script that is killed at so many points before it is left to run. */
const killsPerScript = 10;
/** Before this many seconds a script is killed: what it changes, it changes by then. As soon as it has ended once, its own time is the limit. */
const longest: Readonly<Record<string, number>> = {
  "preload-images": 15,
  "kubeadm-init": 12,
  "install-manifests": 12,
  join: 8,
  "verify-cluster": 6,
  "probe-isolation": 4,
};
const otherwise = 3;

interface Struck {
  readonly order: Order;
  readonly run: RunOrder;
  readonly killedAt: number[];
  endedFirst: number;
  again: ScriptResult | null;
}

/**
 * Every script that the product sends to a host is killed at ten seeded points, with all its processes, before it may run to its end,
 * and is then run once more. A host is struck by one script at a time, in the order in which they were sent.
 */
export class Storm {
  readonly #chance: Chance;
  readonly #lab: Lab;
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly struck: Struck[] = [];

  constructor(lab: Lab, seed: number) {
    this.#lab = lab;
    this.#chance = new Chance(seed);
    // The agent's limit is for one run of a script, and here it is run a dozen times.
    for (const [name, document] of lab.stage.commands.documents)
      lab.stage.commands.documents.set(name, { ...document, timeoutSeconds: document.timeoutSeconds * 5 });
    lab.hooks.aroundOrder = (order, run, kill) => {
      const queue = (this.#queues.get(order.instance.instanceId) ?? Promise.resolve()).then(() => this.#strike(order, run, kill));
      this.#queues.set(order.instance.instanceId, queue);
      return queue;
    };
  }

  nameOf({ script }: Order): string {
    const documents = [...this.#lab.stage.commands.documents.values()];
    return documents.find((document) => document.script === script)?.name.replace(/^cloister-/, "") ?? "";
  }

  async #strike(order: Order, run: RunOrder, kill?: AbortSignal): Promise<ScriptResult> {
    const name = this.nameOf(order);
    const struck: Struck = { order, run, killedAt: [], endedFirst: 0, again: null };
    this.struck.push(struck);
    let limit = longest[name] ?? otherwise;
    for (let nth = 1; nth <= killsPerScript; nth++) {
      const seconds = limit * this.#chance.uniform(`${name}/${order.instance.tags.get("Name")}/${nth}`);
      const killer = new AbortController();
      const timer = setTimeout(() => killer.abort(), seconds * 1000);
      const began = performance.now();
      await run(order, killer.signal);
      clearTimeout(timer);
      if (killer.signal.aborted) struck.killedAt.push(seconds);
      else {
        struck.endedFirst++;
        limit = Math.min(limit, (performance.now() - began) / 1000);
      }
    }
    const result = await run(order, kill);
    if (result.exitCode === 0) struck.again = await run(order);
    return result;
  }

  /** From here on every script runs in peace. */
  end(): void {
    this.#lab.hooks.aroundOrder = null;
  }

  /** The last order for a script on a host of a role, and the way to give it again. */
  sent(name: string, role: string): Pick<Struck, "order" | "run"> {
    const isIt = ({ order }: Struck) => this.nameOf(order) === name && order.instance.tags.get("cloister:role") === role;
    const last = this.struck.findLast(isIt);
    if (last === undefined) throw new RangeError(`${name} was never sent to a ${role}`);
    return last;
  }

  /** What was killed where, by script, and whether each ended well, twice. */
  checks(): LabCheck[] {
    const names = [...new Set(this.struck.map(({ order }) => this.nameOf(order)))];
    return names.map((name) => {
      const runs = this.struck.filter(({ order }) => this.nameOf(order) === name);
      const points = runs.flatMap(({ killedAt }) => killedAt).map((seconds) => seconds.toFixed(1));
      const early = runs.reduce((sum, { endedFirst }) => sum + endedFirst, 0);
      const bad = runs.find(({ again }) => again?.exitCode !== 0)?.again;
      const said = `killed after ${points.slice(0, 10).join(", ")} s${points.length > 10 ? " ..." : ""} on ${runs.length} hosts, ${early} ended first`;
      return {
        name: `${name} killed again and again, then run twice, ends well`,
        ...found(bad === undefined && points.length > 0, bad?.stderr ?? said),
      };
    });
  }
}
