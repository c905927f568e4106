import type { Stage } from "../stage.ts";
import type { Json } from "../world/asl/paths.ts";
import type { FaultRule } from "../world/fault-rule.ts";
import { type Between, betweens, type Planting, plantBetween } from "./plantings.ts";

export const name = "orchid";
/** The smallest cluster that has every part. */
export const smallest = { name, workers: { count: 1 }, verify: { volume: false } };

/** What leads to something that must be met, whatever else goes wrong. */
export interface Course {
  /** What goes wrong in any case. */
  readonly planted: readonly FaultRule[];
  run(stage: Stage, onMet: (met: Planting) => void): Promise<void>;
}

const fails = (state: string, operation: string, code: string, nth: number): FaultRule => ({
  ...{ state, operation, code, nth },
  after: false,
});
const tooManyCpus = (nth: number) => fails("LaunchNodes", "RunInstances", "VcpuLimitExceeded", nth);
const start = ({ account }: Stage, machine: string, input: object, title: string) =>
  account.world.stepFunctions.start(machine, title, input as Json);

/** A second execution sees the first one's lock, and not the first one, once that is old enough to count as dead for it (lifecycle 3.1). */
export const oldEnoughSeconds = 330;
/** A build that is still at work by then. */
const long = { ...smallest, network: { zones: 3 }, controlPlane: { count: 3 } };
/** Amid the making of nodes. */
const halfBuiltSeconds = 200;
/** An hour that was given, and two rounds of the sweep. */
const hourAndSweepsSeconds = 3600 + 2 * 900;

/** Before each destroy's lock that a kind of change needs, with something that a watcher or the sweep starts a destroy for. */
function between(kind: Between): Course {
  const meet = (stage: Stage, request: object, onMet: (met: Planting) => void) =>
    plantBetween(stage, { name, request }, kind, onMet);
  if (kind === "resume")
    return {
      planted: [],
      async run(stage, onMet) {
        meet(stage, smallest, onMet);
        const build = start(stage, "build-cluster", smallest, "aborted");
        await stage.pass(halfBuiltSeconds);
        build.stop("Abort", "by a person");
        await stage.pass(2 * 900);
      },
    };
  if (kind === "extend")
    return {
      planted: [tooManyCpus(1)],
      async run(stage, onMet) {
        const request = { ...smallest, onFailure: "keep", keepHours: 1 };
        meet(stage, request, onMet);
        await stage.run("build-cluster", request, "kept");
        await stage.pass(hourAndSweepsSeconds);
      },
    };
  return {
    planted: [],
    async run(stage, onMet) {
      const request = { ...smallest, rebuild: { graceHours: 1 } };
      meet(stage, request, onMet);
      await stage.run("build-cluster", request, "first");
      await stage.run("rebuild-cluster", { name }, "rebuilt");
      await stage.pass(hourAndSweepsSeconds);
    },
  };
}

/** By what they lead to. Executions bear the names that the exhaustive mode asks for. */
export const courses: Readonly<Record<Planting, Course>> = {
  "bad request": {
    planted: [],
    async run(stage) {
      await stage.run("build-cluster", { ...smallest, images: { ami: "ami-00000000000000000" } }, "refused");
    },
  },
  "lost lock": {
    planted: [fails("AcquireLock", "DescribeExecution", "ExecutionDoesNotExist", 1)],
    async run(stage) {
      const first = start(stage, "build-cluster", long, "overtaken");
      await stage.pass(oldEnoughSeconds);
      await stage.run("build-cluster", long, "overtaker");
      await stage.account.world.universe.clock.run(first.done);
    },
  },
  "failed re-run of a ready cluster": {
    planted: [fails("VerifyCluster", "SendCommand", "AccessDeniedException", 2)],
    async run(stage) {
      await stage.run("build-cluster", smallest, "first");
      await stage.run("build-cluster", smallest, "rerun");
    },
  },
  "rebuild whose build fails": {
    // The first build launches its nodes with two calls.
    planted: [tooManyCpus(3)],
    async run(stage) {
      await stage.run("build-cluster", smallest, "first");
      await stage.run("rebuild-cluster", { name }, "failing");
    },
  },
  ...(Object.fromEntries(betweens.map((kind) => [`${kind} before a destroy's lock`, between(kind)])) as Record<
    `${Between} before a destroy's lock`,
    Course
  >),
};
