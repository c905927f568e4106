import type { ClusterRequest } from "./cluster-request.ts";
import type { InstanceId, Role } from "./ids.ts";
import { isLiving, type SeenMachine, wantedCount } from "./node-orders.ts";

export interface WatchedMachine extends SeenMachine {
  readonly instanceId: InstanceId;
  readonly launchedAt: Date;
  /** EC2's StateReason of an ended machine; empty while it lives. */
  readonly endCode: string;
  readonly endMessage: string;
}

export interface WatchedAgent {
  readonly isOnline: boolean;
  readonly version: string;
  readonly lastPing: Date | null;
}

/** ENV_VAR parameters: an older agent leaves every variable of our scripts unset (facts 8.6). */
const agentVersionMin = [3, 3, 2746, 0];

/** Endpoints have answered others for this long, and the machine is older than twice that: its agent has missed its window. */
const windowSeconds = 180;

/** How many machines of a build may be lost and replaced: one, and at most one in a hundred. More than that is no accident. */
export const replacementsMax = (request: ClusterRequest): number =>
  Math.max(1, Math.floor((request.controlPlane.count + request.workers.count) / 100));

export function isAgentNewEnough(version: string): boolean {
  const parts = version.split(".").map(Number);
  for (const [index, least] of agentVersionMin.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

export interface NodeHealth {
  /** More than planned of a role, the newest first: to be ended. */
  readonly surplus: readonly WatchedMachine[];
  /** Ended or stopped, and not by a call of ours. */
  readonly lost: readonly WatchedMachine[];
  /** Running, while others' agents answer and its own does not: to be ended and replaced. */
  readonly silent: readonly WatchedMachine[];
  readonly running: number;
  readonly online: number;
  readonly wanted: number;
  readonly outdatedAgents: readonly { readonly instanceId: InstanceId; readonly version: string }[];
}

const newestFirst = (a: WatchedMachine, b: WatchedMachine): number =>
  b.launchedAt.getTime() - a.launchedAt.getTime() || (a.instanceId < b.instanceId ? 1 : -1);

const secondsSince = (now: Date, then: Date): number => (now.getTime() - then.getTime()) / 1000;

/** We end what is too many or silent; AWS and accidents give other reasons (facts 8.5). */
const wasEndedByCall = ({ endCode }: WatchedMachine): boolean => endCode === "Client.UserInitiatedShutdown";

/** The earliest call of any agent that is still on record: since then at the latest the endpoints answer. */
function answeringSeconds(agents: ReadonlyMap<InstanceId, WatchedAgent>, now: Date): number {
  const pings = [...agents.values()].flatMap(({ isOnline, lastPing }) => (isOnline && lastPing !== null ? [lastPing] : []));
  return Math.max(0, ...pings.map((ping) => secondsSince(now, ping)));
}

/** One look at all machines and their agents. */
export function nodeHealth(
  request: ClusterRequest,
  machines: readonly WatchedMachine[],
  agents: ReadonlyMap<InstanceId, WatchedAgent>,
  now: Date,
): NodeHealth {
  const living = machines.filter(isLiving);
  const ofRole = (role: Role) => living.filter((machine) => machine.role === role).sort(newestFirst);
  const surplus = (["control-plane", "worker"] as const).flatMap((role) => {
    const present = ofRole(role);
    return present.slice(0, Math.max(0, present.length - wantedCount(request, role)));
  });
  const kept = living.filter((machine) => !surplus.includes(machine));
  const isOnline = ({ instanceId }: WatchedMachine) => agents.get(instanceId)?.isOnline === true;
  const running = kept.filter(({ state }) => state === "running");
  const othersAnswer = answeringSeconds(agents, now) > windowSeconds;
  return {
    surplus,
    lost: machines.filter((machine) => !isLiving(machine) && !wasEndedByCall(machine)),
    silent: running.filter(
      (machine) =>
        othersAnswer &&
        !isOnline(machine) &&
        secondsSince(now, machine.launchedAt) > 2 * windowSeconds &&
        // Once: where one was ended before, its successor is waited for until the state gives up.
        !machines.some((other) => other.role === machine.role && !isLiving(other) && wasEndedByCall(other)),
    ),
    running: running.length,
    online: running.filter(isOnline).length,
    wanted: request.controlPlane.count + request.workers.count,
    outdatedAgents: running.flatMap(({ instanceId }) => {
      const agent = agents.get(instanceId);
      return agent?.isOnline === true && !isAgentNewEnough(agent.version) ? [{ instanceId, version: agent.version }] : [];
    }),
  };
}
