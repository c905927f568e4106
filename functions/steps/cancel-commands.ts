import * as z from "zod";
import { type CommandsPort, ssmCommands } from "../aws/ssm-commands.ts";
import { AnyLock, ownersOf } from "../domain/lock.ts";
import { defineStep } from "../step.ts";

/** Asks Run Command to stop what an earlier execution sent to these nodes. It promises nothing; who needs to know waits (lifecycle 4). */
export const cancelCommands = defineStep({
  name: "cancel-commands",
  mutates: true,
  input: z.strictObject({ lock: AnyLock }),
  output: z.strictObject({}),
  deps: (aws) => ({ commands: ssmCommands(aws) }),
  async run({ lock }, { commands }: { commands: CommandsPort }, log) {
    for (const commandId of await commands.underWay(ownersOf(lock))) {
      await commands.cancel(commandId);
      log.warn("earlier command cancelled", { commandId, cluster: lock.cluster });
    }
    return {};
  },
});

export const { handler } = cancelCommands;
