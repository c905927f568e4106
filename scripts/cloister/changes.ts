import { InvokeCommand } from "@aws-sdk/client-lambda";
import * as z from "zod";
import type { ClusterName } from "../../functions/domain/ids.ts";
import { UsageError } from "../options.ts";
import { type AddCommands, type Context, clusterName, knownCluster, tell, whole } from "./command.ts";
import { RemoteError } from "./failures.ts";
import { changeFunction } from "./site.ts";

/** As Lambda tells of a function's failure. */
const Failure = z.looseObject({ errorType: z.string(), errorMessage: z.string() });

type Change = { readonly kind: string; readonly generation?: number; readonly hours?: number };

/** One change of the record, by the function that alone may make it. */
async function change(context: Context, name: ClusterName, wanted: Change, said: string): Promise<number> {
  const payload = JSON.stringify({ name, change: wanted });
  const { FunctionError, Payload } = await context.host.clients.lambda.send(
    new InvokeCommand({ FunctionName: changeFunction, Payload: payload }),
  );
  if (FunctionError !== undefined) {
    const { errorType, errorMessage } = Failure.parse(JSON.parse(Payload?.transformToString() ?? "null"));
    throw new RemoteError(errorType, errorMessage);
  }
  tell(context, { name, change: wanted }, [said]);
  return 0;
}

const simple: Readonly<Record<string, readonly [description: string, said: (name: ClusterName) => string]>> = {
  promote: [
    "end the grace of the retired generation: the next sweep destroys it",
    (name) => `${name}: the retired generation is destroyed by the next sweep, within 15 minutes`,
  ],
  rollback: [
    "make the retired generation the serving one again",
    (name) => `${name}: the generation before serves again, the newer one is retired`,
  ],
  protect: ["refuse every destroy of the serving generation", (name) => `${name} is protected`],
  unprotect: ["allow a destroy again", (name) => `${name} is no longer protected`],
};

interface ExtendOptions {
  readonly hours: number;
  readonly generation?: number;
}

/** A kept or retired generation stays longer; where there is only one, nobody has to name it. */
async function extend(context: Context, name: ClusterName, { hours, generation }: ExtendOptions): Promise<number> {
  const { record } = await knownCluster(context.host, name);
  const waiting = Object.entries(record.generations).filter(([, { state }]) => state === "kept" || state === "retired");
  const only = waiting.length === 1 ? Number(waiting[0]?.[0]) : undefined;
  const chosen = generation ?? only;
  if (chosen === undefined) {
    const found = waiting.length === 0 ? "none" : waiting.map(([number]) => number).join(" and ");
    throw new UsageError(`${name} has no single generation that is kept or retired (${found}): name one with --generation`);
  }
  return change(
    context,
    name,
    { kind: "extend", generation: chosen, hours },
    `${name}: generation ${chosen} stays for ${hours} hours more`,
  );
}

export const addChanges: AddCommands = (program, ends) => {
  for (const [kind, [description, said]] of Object.entries(simple))
    program
      .command(kind)
      .description(description)
      .argument("<name>", "the cluster", clusterName)
      .action(ends((context, name: ClusterName) => change(context, name, { kind }, said(name))));
  program
    .command("extend")
    .description("keep a kept or a retired generation longer")
    .argument("<name>", "the cluster", clusterName)
    .requiredOption("--hours <number>", "from now on", whole(1, 720))
    .option("--generation <number>", "which one, where there are several", whole(1, 9999))
    .action(ends(extend));
};
