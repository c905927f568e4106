import type { Stage } from "../stage.ts";
import type { Execution } from "../world/asl/execution.ts";
import type { Json } from "../world/asl/paths.ts";
import { Chance } from "../world/chance.ts";
import { codesOf } from "../world/codes.ts";
import type { ServiceName } from "../world/fault.ts";
import { type CallSite, type FaultRule, ruleAt } from "../world/fault-rule.ts";
import { killCodes, orphanCodes } from "../world/life.ts";
import { type Course, courses, name, smallest } from "./courses.ts";
import { type Planting, plantings } from "./plantings.ts";
import { type Tale, tell, type Verdict } from "./run.ts";

/** Shares of a function's calls that go wrong while the storm lasts; far more than AWS's, so that faults meet each other. */
const shares = { error: 0.01, kill: 0.002, orphan: 0.002 } as const;
/** And of those that ask for another execution, those that do not see it: to whoever asks late it is dead (lifecycle 3.1). */
const unseenShare = 0.1;
/** Between what people and rules start: from at once to so many seconds. */
const pauseSeconds = 1500;

const plain = { ...smallest, storage: { driver: "none" } };
/** Requests that differ in what matters to failure; the last one is wrong. */
const requests: readonly object[] = [
  plain,
  { ...plain, onFailure: "keep", keepHours: 1 },
  { ...plain, protected: true },
  { ...plain, rebuild: { graceHours: 1 } },
  { ...plain, rebuild: { strategy: "replace" } },
  { ...plain, controlPlane: { count: 2 } },
];

const changes = [
  { kind: "promote" },
  { kind: "rollback" },
  { kind: "protect" },
  { kind: "unprotect" },
  { kind: "extend", generation: 1, hours: 2 },
] as const;

/** What happens to one name: builds, destroys, rebuilds and changes, some at the same time, some aborted. */
class Storm {
  readonly #stage: Stage;
  readonly #chance: Chance;
  readonly #started: Execution[] = [];
  #draws = 0;

  constructor(stage: Stage, seed: number) {
    this.#stage = stage;
    this.#chance = new Chance(seed);
  }

  #uniform(): number {
    return this.#chance.uniform(`storm/${++this.#draws}`);
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#uniform() * items.length)] as T;
  }

  #start(machine: string, input: unknown): void {
    const { stepFunctions } = this.#stage.account.world;
    this.#started.push(stepFunctions.start(machine, `storm-${this.#started.length + 1}`, input as Json));
  }

  #act(): void | Promise<void> {
    const dice = this.#uniform();
    if (dice < 0.4) return this.#start("build-cluster", this.#pick(requests));
    if (dice < 0.55) return this.#start("destroy-cluster", { name, ...(this.#uniform() < 0.2 && { volumes: "retain" }) });
    if (dice < 0.75)
      return this.#start("rebuild-cluster", { name, ...(this.#uniform() < 0.2 && { request: this.#pick(requests) }) });
    if (dice < 0.9) return this.#pick(this.#started)?.stop("Abort", "by a person");
    return this.#change();
  }

  async #change(): Promise<void> {
    try {
      await this.#stage.change(name, this.#pick(changes));
    } catch (error) {
      // Refused, or met by a fault: what the record says is what counts.
      if (!(error instanceof Error) || !/Error$/.test(error.name)) throw error;
    }
  }

  async run(): Promise<void> {
    this.#start("build-cluster", this.#pick(requests.slice(0, 4)));
    const acts = 2 + Math.floor(this.#uniform() * 5);
    for (let act = 0; act < acts; act++) {
      await this.#stage.pass(this.#uniform() < 0.3 ? 0 : this.#uniform() * pauseSeconds);
      await this.#act();
    }
    await this.#stage.pass(this.#uniform() * pauseSeconds);
  }
}

/** Every other life begins with a course that leads to something planted, if the weather lets it. */
const courseOf = (seed: number): Course | null =>
  seed % 2 === 0 ? courses[plantings[(seed / 2) % plantings.length] as Planting] : null;

/** How much of the storm there is: a tenth while a course runs, which would seldom come to its end otherwise. */
interface Sky {
  force: number;
}
const onCourse = 0.1;

/** Draws what goes wrong with a call of a function. The same seed draws the same for the same call. */
function weather(seed: number, sky: Sky): (service: ServiceName, site: CallSite) => FaultRule | undefined {
  const chance = new Chance(seed);
  const planted = courseOf(seed)?.planted ?? [];
  return (service, site) => {
    const { operation, state, nthInState, isInBranch } = site;
    if (state === null) return undefined;
    const rule = ruleAt(planted, site);
    if (rule !== undefined) return rule;
    const place = { operation, state, nth: nthInState };
    const uniform = (what: string) => chance.uniform(`${what}/${state}/${operation}/${nthInState}`);
    const pick = <T>(items: readonly T[]) => items[Math.floor(uniform("which") * items.length)] as T;
    const after = uniform("after") < 0.5;
    if (operation === "DescribeExecution" && uniform("unseen") < unseenShare)
      return { ...place, after: false, code: "ExecutionDoesNotExist" };
    const dice = uniform("fault") / sky.force;
    if (dice < shares.error) return { ...place, after, code: pick(codesOf(service, operation) ?? ["InternalError"]) };
    // Nothing stands around a function that no state called.
    const isLone = state === "WatchExecutions" || state === "SweepClusters" || state === "ChangeRecord";
    if (isLone) return undefined;
    if (dice < shares.error + shares.kill) return { ...place, after, code: pick(killCodes), kind: "kill" };
    const orphans = orphanCodes.filter((code) => code !== "Branch.Stopped" || isInBranch);
    if (dice < shares.error + shares.kill + shares.orphan) return { ...place, after, code: pick(orphans), kind: "orphan" };
    return undefined;
  };
}

/** One storm over one name, or its replay with some of its faults. When the story is over the faults stop. */
export function storm(seed: number, faults?: readonly FaultRule[], trace?: Tale["trace"]): Promise<Verdict> {
  const course = courseOf(seed);
  const sky = { force: course === null ? 1 : onCourse };
  return tell({
    seed,
    request: plain,
    faults: faults ?? weather(seed, sky),
    async story(stage, onMet) {
      await course?.run(stage, onMet);
      sky.force = 1;
      await new Storm(stage, seed).run();
    },
    ...(trace && { trace }),
  });
}
