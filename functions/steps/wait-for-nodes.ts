import * as z from "zod";
import type { Deployment } from "../aws/aws.ts";
import { ec2Machines } from "../aws/ec2-machines.ts";
import { managedInstances } from "../aws/managed-instances.ts";
import type { AgentsPort, Machine, MachinesPort } from "../aws/ports.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
import { Lock } from "../domain/lock.ts";
import { Network } from "../domain/network.ts";
import { nodeHealth, replacementsMax, type WatchedMachine } from "../domain/node-health.ts";
import { Plan } from "../domain/plan.ts";
import {
  AccessError,
  CapacityError,
  DefectError,
  InvalidRequestError,
  NotReadyError,
  QuotaError,
  type StepError,
} from "../errors.ts";
import { launchMissing } from "../node-launch.ts";
import { together } from "../side-by-side.ts";
import { defineStep } from "../step.ts";

interface Deps {
  readonly machines: MachinesPort;
  readonly agents: AgentsPort;
  readonly deployment: Deployment;
  now(): Date;
}

/**
 * Looks once whether every node runs and its agent answers. What is too many is ended, newest first; a machine that died or never
 * answered is replaced, within a budget that an accident explains.
 */
export const waitForNodes = defineStep({
  name: "wait-for-nodes",
  mutates: true,
  input: z.strictObject({ lock: Lock, request: ClusterRequest, plan: Plan, network: Network }),
  output: z.strictObject({}),
  deps: (aws): Deps => ({ machines: ec2Machines(aws), agents: managedInstances(aws), deployment: aws.deployment, now: aws.now }),
  async run({ lock, request, plan, network }, { machines, agents, deployment, now }: Deps, log) {
    const [present, answering] = await together([machines.find(lock), agents.find(lock)]);
    const health = nodeHealth(request, present, answering, now());

    const [outdated] = health.outdatedAgents;
    if (outdated !== undefined)
      throw new InvalidRequestError(`the image's SSM agent is ${outdated.version}; 3.3.2746.0 is the least`, { ...outdated });
    const fatal = health.lost.map(incurable).find((error) => error !== null);
    if (fatal !== undefined) throw fatal;
    refuseTooManyLosses([...health.lost, ...health.silent], replacementsMax(request));

    const ended = [...health.surplus, ...health.silent].map(({ instanceId }) => instanceId);
    if (ended.length > 0) {
      log.warn("nodes ended", { surplus: health.surplus.length, silent: health.silent.length, ended });
      await machines.end(ended);
    }
    const remaining: Machine[] = present.map((machine) =>
      ended.includes(machine.instanceId) ? { ...machine, state: "shutting-down" } : machine,
    );
    const site = { lock, request, plan, network, deployment, machines, log };
    const replaced = await launchMissing(site, remaining);
    if (replaced > 0 || health.online < health.wanted) {
      const counts = `${health.running} of ${health.wanted} nodes run, ${health.online} of ${health.wanted} agents answer`;
      throw new NotReadyError(replaced > 0 ? `${counts}; ${replaced} replaced` : counts, {
        running: health.running,
        online: health.online,
        wanted: health.wanted,
        replaced,
      });
    }
    log.info("every node answers", { nodes: health.wanted });
    return {};
  },
});

/** Ends of which a replacement would die as well (facts 8.5): a person has to act. */
function incurable({ instanceId, endCode, endMessage }: WatchedMachine): StepError | null {
  const message = `${instanceId} ended: ${endCode} ${endMessage}`;
  if (endCode === "Client.VolumeLimitExceeded") return new QuotaError(message, { instanceId });
  if (endCode === "Client.InternalError")
    return new AccessError(`${message}; often a KMS key that may not be used`, { instanceId });
  if (endCode === "Client.InvalidSnapshot.NotFound") return new InvalidRequestError(message, { instanceId });
  return null;
}

function refuseTooManyLosses(lost: readonly WatchedMachine[], most: number): void {
  if (lost.length <= most) return;
  const reasons = [...new Set(lost.map(({ endCode }) => endCode || "its agent never answered"))];
  const Kind = reasons.includes("Server.InsufficientInstanceCapacity") ? CapacityError : DefectError;
  throw new Kind(`${lost.length} nodes were lost, and ${most} is the most that is replaced: ${reasons.join("; ")}`, {
    lost: lost.map(({ instanceId }) => instanceId).slice(0, 20),
  });
}

export const { handler } = waitForNodes;
