import * as z from "zod";
import { type CommandsPort, ssmCommands } from "../aws/ssm-commands.ts";
import { Lock, ownersOf } from "../domain/lock.ts";
import { NotReadyError } from "../errors.ts";
import { defineStep } from "../step.ts";

/** Looks once whether every command that an earlier execution sent has ended: none may act on a node beside the resumed build. */
export const awaitCancelled = defineStep({
  name: "await-cancelled",
  mutates: false,
  input: z.strictObject({ lock: Lock }),
  output: z.strictObject({}),
  deps: (aws) => ({ commands: ssmCommands(aws) }),
  async run({ lock }, { commands }: { commands: CommandsPort }) {
    const underWay = await commands.underWay(ownersOf(lock));
    if (underWay.length > 0) throw new NotReadyError(`${underWay.length} earlier commands still run`, { underWay });
    return {};
  },
});

export const { handler } = awaitCancelled;
