import * as z from "zod";
import { type CommandOutput, type CommandsPort, ssmCommands } from "../aws/ssm-commands.ts";
import { SentCommand } from "../command-step.ts";
import { parseOutput } from "../domain/command-output.ts";
import { DocumentName } from "../domain/documents.ts";
import type { CommandId } from "../domain/ids.ts";
import { Hold } from "../domain/lock.ts";
import { CommandFailedError, NotReadyError } from "../errors.ts";
import { defineStep } from "../step.ts";

/** Looks once at a sent command. Still running is NotReadyError; a failed one names node, script and the script's last words. */
export const awaitCommand = defineStep({
  name: "await-command",
  mutates: false,
  input: z.strictObject({ lock: z.object(Hold.shape), document: DocumentName, command: SentCommand }),
  /** What the script printed where it ran on one node; null where it ran on several. */
  output: z.strictObject({ output: z.record(z.string(), z.json()).nullable() }),
  deps: (aws) => ({ commands: ssmCommands(aws) }),
  async run({ document, command: { commandId, targets } }, { commands }: { commands: CommandsPort }, log) {
    // Where one node was asked, its own word says everything in one call; where it gives none, the command's says why.
    const outputs = targets === 1 ? await commands.outputs(commandId) : [];
    const [only] = outputs;
    const progress =
      only !== undefined && outputs.length === 1 ? { ...only, targets, completed: 0 } : await commands.look(commandId);
    if (progress.status === "unknown" || progress.status === "running") {
      throw new NotReadyError(`${document} has ended on ${progress.completed} of ${targets} nodes`, { commandId });
    }
    if (progress.status === "failed")
      throw await failure(document, commandId, progress.detail, await commands.outputs(commandId), commands);
    if (progress.targets !== targets) {
      throw new CommandFailedError(`${document} reached ${progress.targets} of ${targets} nodes`, { commandId });
    }
    if (targets > 1) await demandEach({ commandId, targets }, document, commands);
    log.info("command ended", { commandId, document, targets });
    if (targets > 1) return { output: null };
    if (only === undefined) throw new NotReadyError(`what ${document} printed is not listed yet`, { commandId });
    return { output: parseOutput(document, only.output) };
  },
});

/** A command of several nodes ends well although one never heard of it: that is no error to Run Command (user guide, Understanding command statuses). */
async function demandEach({ commandId, targets }: SentCommand, document: DocumentName, commands: CommandsPort): Promise<void> {
  const outputs = await commands.outputs(commandId);
  if (outputs.some(({ status }) => status === "failed")) throw await failure(document, commandId, "", outputs, commands);
  const well = outputs.filter(({ status }) => status === "succeeded").length;
  if (well < targets) throw new NotReadyError(`${document} is listed as ended on ${well} of ${targets} nodes`, { commandId });
}

async function failure(
  document: DocumentName,
  commandId: CommandId,
  detail: string,
  outputs: readonly CommandOutput[],
  commands: CommandsPort,
): Promise<CommandFailedError> {
  const failed = outputs.filter((output) => output.detail !== "Success");
  const [first] = failed;
  if (first === undefined) return new CommandFailedError(`${document}: ${detail}`, { commandId });
  const reason = await commands.reason(commandId, first.instanceId);
  const lastLines = reason.split("\n").slice(-3).join("\n");
  return new CommandFailedError(
    `${document} on ${first.instanceId} (${failed.length} of ${outputs.length} nodes): ${lastLines || first.detail}`,
    {
      commandId,
      instanceId: first.instanceId,
      detail: first.detail,
    },
  );
}

export const { handler } = awaitCommand;
