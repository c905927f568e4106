import * as z from "zod";
import type { Deployment } from "../aws/aws.ts";
import { ec2Machines } from "../aws/ec2-machines.ts";
import type { MachinesPort } from "../aws/ports.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
import { Lock } from "../domain/lock.ts";
import { Network } from "../domain/network.ts";
import { Plan } from "../domain/plan.ts";
import { launchMissing } from "../node-launch.ts";
import { defineStep } from "../step.ts";

interface Deps {
  readonly machines: MachinesPort;
  readonly deployment: Deployment;
}

/** Every node that the plan lacks: a control plane with its planned address each, workers of a zone together. */
export const launchNodes = defineStep({
  name: "launch-nodes",
  mutates: true,
  input: z.strictObject({ lock: Lock, request: ClusterRequest, plan: Plan, network: Network }),
  output: z.strictObject({ controlPlanes: z.int().min(1).max(5), workers: z.int().min(1).max(1000) }),
  deps: (aws): Deps => ({ machines: ec2Machines(aws), deployment: aws.deployment }),
  async run({ lock, request, plan, network }, { machines, deployment }: Deps, log) {
    const site = { lock, request, plan, network, deployment, machines, log };
    await launchMissing(site, await machines.find(lock));
    return { controlPlanes: request.controlPlane.count, workers: request.workers.count };
  },
});

export const { handler } = launchNodes;
