import type { Stage } from "../stage.ts";
import type { Execution } from "../world/asl/execution.ts";
import type { Json } from "../world/asl/paths.ts";

/** What a person does between the moment in which a watcher or the sweep reads the record and the lock of the destroy that it starts. */
export const betweens = ["resume", "extend", "promote", "rollback", "protect"] as const;
export type Between = (typeof betweens)[number];

const ends = ["bad request", "lost lock", "failed re-run of a ready cluster", "rebuild whose build fails"] as const;
/** What a simulation must have met at least once, by name. */
export type Planting = (typeof ends)[number] | `${Between} before a destroy's lock`;
export const plantings: readonly Planting[] = [...ends, ...betweens.map((kind) => `${kind} before a destroy's lock` as const)];

const lastState = ({ history }: Execution): unknown =>
  history.events.findLast(({ type }) => type.endsWith("StateEntered"))?.details["name"];

function endOf(execution: Execution, all: readonly Execution[]): (typeof ends)[number] | null {
  const { arn, machine, outcome } = execution;
  const last = lastState(execution);
  if (outcome?.error === "InvalidRequestError" && last === "RequestRefused") return "bad request";
  // It may also learn it only when it has failed already: then its end is that failure.
  const { events } = execution.history;
  if (events.some(({ type, details }) => type === "LambdaFunctionFailed" && details["error"] === "LockLostError"))
    return "lost lock";
  if (last === "ClusterUnhealthy") return "failed re-run of a ready cluster";
  const hasFailedBuild = all.some(
    (child) => child.machine === "build-cluster" && child.outcome?.status === "FAILED" && parentOf(child) === arn,
  );
  return machine === "rebuild-cluster" && last === "RebuildFailed" && hasFailedBuild ? "rebuild whose build fails" : null;
}

const parentOf = ({ input }: Execution): unknown => (input as { parent?: { execution?: string } } | null)?.parent?.execution;

/** Which of them an account's executions show by how they ended. */
export const endingsOf = (all: readonly Execution[]): readonly Planting[] => all.flatMap((one) => endOf(one, all) ?? []);

/** A new lock is awaited so long, virtual seconds: the destroy's own function would die after 60. */
const patienceSeconds = 40;

interface Cluster {
  readonly name: string;
  readonly request: object;
}

/** From now on the first destroy that nobody asked for meets, right before it takes its lock, what a person does then. */
export function plantBetween(stage: Stage, cluster: Cluster, kind: Between, onMet: (met: Planting) => void): void {
  const { beforeStep } = stage.account;
  beforeStep.set("acquire-teardown-lock", async (event) => {
    const { because = null, parent = null } = (event as { input: { because?: string; parent?: object } }).input;
    if (because === null || parent !== null) return;
    beforeStep.delete("acquire-teardown-lock");
    if (await happens(stage, cluster, kind)) onMet(`${kind} before a destroy's lock`);
  });
}

/** Gives whether the record took it. */
async function happens(stage: Stage, { name, request }: Cluster, kind: Between): Promise<boolean> {
  if (kind === "resume") return resumes(stage, name, request);
  try {
    await stage.changing(name, kind === "extend" ? { kind, generation: 1, hours: 2 } : { kind });
    return true;
  } catch (error) {
    // Refused, or met by a fault: what the record says is what counts.
    if (!(error instanceof Error) || !/Error$/.test(error.name)) throw error;
    return false;
  }
}

async function resumes(stage: Stage, name: string, request: object): Promise<boolean> {
  const { world, deployment } = stage.account;
  const { clock } = world.universe;
  const { arn } = world.stepFunctions.start("build-cluster", "resumed-in-between", request as Json);
  const holds = () => {
    const body = world.s3.object(deployment.bucket, `clusters/${name}/record.json`)?.body ?? "{}";
    const { lock } = JSON.parse(body) as { lock?: { holders: { execution: string }[] } };
    return lock?.holders.at(-1)?.execution === arn;
  };
  for (let waited = 0; waited < patienceSeconds && !holds(); waited++) await clock.sleep(1);
  return holds();
}
