import { Command, CommanderError } from "commander";
import project from "../../package.json" with { type: "json" };
import { addAccess } from "./access.ts";
import { addChanges } from "./changes.ts";
import { addClusters } from "./clusters.ts";
import type { Act, Ends } from "./command.ts";
import { addDeploy } from "./deploy.ts";
import { addDoctor } from "./doctor.ts";
import { explain } from "./failures.ts";
import type { Host } from "./host.ts";
import { addRuns } from "./runs.ts";

const groups = [addDeploy, addDoctor, addRuns, addClusters, addAccess, addChanges];

const codes = `
Exit: 0 it is done; 1 it failed, and said why; 2 the request, the options or the configuration are wrong.
Credentials and Region are those that the AWS SDK finds: AWS_PROFILE, AWS_REGION, ...`;

/** Runs one command; gives its exit code. */
export async function cloister(args: readonly string[], host: Host): Promise<number> {
  let code = 0;
  const ends: Ends =
    <W extends readonly unknown[]>(act: Act<W>) =>
    async (...words: unknown[]) => {
      const command = words.at(-1) as Command;
      const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
      code = await act({ host, isJson: json }, ...(words.slice(0, -1) as unknown as W));
    };
  const program = new Command("cloister")
    .description("Isolated Kubernetes clusters on AWS, from a terminal.")
    .version(project.version)
    .option("--json", "one JSON object on standard output, and nothing else there")
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", codes)
    .exitOverride()
    // What is wrong is said below, in one line.
    .configureOutput({ writeOut: (text) => host.screen.write(text), writeErr: () => {} });
  for (const add of groups) add(program, ends);
  try {
    if (args.length === 0) {
      host.warn(program.helpInformation().trimEnd());
      return 2;
    }
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    // Help and version that were asked for.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const said = explain(error);
    if (said === null) throw error;
    host.warn(said.line);
    return said.code;
  }
}
