import * as z from "zod";
import type { Deployment } from "../aws/aws.ts";
import { type Ec2HoldingsPort, ec2Holdings } from "../aws/ec2-holdings.ts";
import { managedInstances } from "../aws/managed-instances.ts";
import type { AgentsPort } from "../aws/ports.ts";
import { type CommandsPort, ssmCommands } from "../aws/ssm-commands.ts";
import { SentCommand } from "../command-step.ts";
import { InstanceId } from "../domain/ids.ts";
import { ownersOf, TeardownLock } from "../domain/lock.ts";
import { commandComment } from "../domain/naming.ts";
import { defineStep } from "../step.ts";

interface Deps {
  readonly holdings: Ec2HoldingsPort;
  readonly agents: AgentsPort;
  readonly commands: CommandsPort;
  readonly deployment: Deployment;
}

/**
 * While a control plane still answers, its controllers take away what they made for Services and, where the data is to go, for claims.
 * A best effort: with no control plane in reach there is no command, and what stays is swept by tag.
 */
export const releaseResources = defineStep({
  name: "release-resources",
  mutates: true,
  input: z.strictObject({ lock: TeardownLock, state: z.string().max(80) }),
  output: z.strictObject({ command: SentCommand.nullable() }),
  deps: (aws): Deps => ({
    holdings: ec2Holdings(aws),
    agents: managedInstances(aws),
    commands: ssmCommands(aws),
    deployment: aws.deployment,
  }),
  async run({ lock, state }, deps: Deps, log) {
    const nodeNames = await reachable(lock, deps);
    if (nodeNames.length === 0) {
      log.info("no control plane in reach");
      return { command: null };
    }
    const comment = commandComment(lock, state);
    const earlier = await deps.commands.find(lock, "release-resources", comment);
    if (earlier !== null) return { command: { commandId: earlier, targets: nodeNames.length } };
    // One command for all generations: only where the data of all of them is to go may claims be deleted.
    const volumes = lock.generations.every((generation) => lock.doomedVolumes.includes(generation)) ? "delete" : "retain";
    const commandId = await deps.commands.send(lock, {
      document: "release-resources",
      parameters: { fence: String(lock.number), region: deps.deployment.region, volumes },
      target: { nodeNames },
      comment,
      turns: 1,
    });
    log.info("command sent", { commandId, document: "release-resources", targets: nodeNames.length });
    return { command: { commandId, targets: nodeNames.length } };
  },
});

/** The first control plane of each generation whose agent answers, by its name. */
async function reachable(lock: TeardownLock, { holdings, agents }: Deps): Promise<readonly string[]> {
  const online = await agents.find(lock);
  const planes = (await holdings.ofOwners(ownersOf(lock), ["instance"])).filter(
    ({ id, tags, state }) =>
      tags["cloister:role"] === "control-plane" && state === "running" && online.get(InstanceId.parse(id))?.isOnline === true,
  );
  return lock.generations.flatMap((generation) => {
    const names = planes.filter(({ tags }) => tags["cloister:generation"] === String(generation)).map(({ name }) => name);
    return names.sort().slice(0, 1);
  });
}

export const { handler } = releaseResources;
