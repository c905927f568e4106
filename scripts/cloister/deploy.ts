import { fileURLToPath } from "node:url";
import { ListExecutionsCommand } from "@aws-sdk/client-sfn";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { atLeast } from "../../functions/domain/versions.ts";
import { type Options, readOptions } from "../../infra/options.ts";
import { checkPartition } from "../../infra/region.ts";
import project from "../../package.json" with { type: "json" };
import { UsageError } from "../options.ts";
import { type AddCommands, type Context, tell } from "./command.ts";
import type { Clients, Host } from "./host.ts";
import { findStack, outputOf, workflowStack } from "./site.ts";

/** `cdk bootstrap` leaves its version here; the CDK's default synthesizer asks for 6 at least. */
const bootstrapParameter = "/cdk-bootstrap/hnb659fds/version";
const bootstrapMin = 6;

type Looking = Pick<Clients, "cloudFormation" | "sfn" | "ssm">;

async function parameter({ ssm }: Looking, name: string): Promise<string | null> {
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: name }));
    return Parameter?.Value ?? null;
  } catch (error) {
    if (error instanceof Error && error.name === "ParameterNotFound") return null;
    throw error;
  }
}

/** What the deployment itself refuses is wrong usage here. */
function usable<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

/** The options as `-c name=value` gives them, checked before anything is built. */
function checkOptions(pairs: readonly string[]): { readonly options: Options; readonly given: ReadonlySet<string> } {
  const context = new Map(
    pairs.map((pair): [string, string] => {
      const [name = "", ...rest] = pair.split("=");
      return [name, rest.join("=")];
    }),
  );
  return { options: usable(() => readOptions((option) => context.get(option))), given: new Set(context.keys()) };
}

async function checkRegion({ ssm }: Looking): Promise<string> {
  const region = await ssm.config.region();
  if (!/^[a-z]{2,4}(?:-[a-z]+)+-\d$/.test(region)) throw new UsageError(`${region} is no Region: one is called us-west-2, say`);
  usable(() => checkPartition(region));
  return region;
}

async function checkBootstrap(clients: Looking, region: string): Promise<void> {
  const version = await parameter(clients, bootstrapParameter);
  if (version === null)
    throw new UsageError(`${region} of this account is not bootstrapped for the CDK: run \`npx cdk bootstrap\` once`);
  if (Number(version) < bootstrapMin)
    throw new UsageError(`the CDK's bootstrap stack in ${region} is of version ${version}: run \`npx cdk bootstrap\` again`);
}

/** A default that the deployer names himself is to be there already; the one of the usual name may come later. */
async function checkDefaults(clients: Looking, { options, given }: ReturnType<typeof checkOptions>): Promise<void> {
  const wanted: readonly (readonly [option: "defaultImageParameter" | "defaultBundleParameter", what: string, form: RegExp])[] = [
    ["defaultImageParameter", "an image's id", /^ami-[0-9a-f]{8,17}$/],
    ["defaultBundleParameter", "a bundle's address", /^s3:\/\/.+\/bundle\.json$/],
  ];
  for (const [option, what, form] of wanted) {
    if (!given.has(option)) continue;
    const value = await parameter(clients, options[option]);
    if (value === null)
      throw new UsageError(`option ${option}: there is no parameter ${options[option]}; put ${what} there first`);
    if (!form.test(value))
      throw new UsageError(`option ${option}: ${options[option]} holds no ${what.split(" ").slice(1).join(" ")}`);
  }
}

/** What stands already: nothing, this version, or another one, over which nobody deploys by mistake. */
async function checkPresent(clients: Looking, region: string, isUpgrade: boolean): Promise<void> {
  const stack = await findStack(clients, workflowStack);
  if (stack === null) return;
  const status = String(stack.StackStatus);
  // A change set that nobody has executed yet, or a first deployment that failed, which the CDK deletes: there is no stack so far.
  if (status === "REVIEW_IN_PROGRESS" || status === "ROLLBACK_COMPLETE") return;
  const what = `${workflowStack} in ${region}`;
  if (status.endsWith("_IN_PROGRESS")) throw new UsageError(`${what} is being changed right now (${status}): wait for it`);
  if (status === "UPDATE_ROLLBACK_FAILED")
    throw new UsageError(`${what} is stuck (${status}): continue its roll-back in CloudFormation first`);
  if (status === "ROLLBACK_FAILED" || status === "DELETE_FAILED")
    throw new UsageError(
      `${what} is stuck (${status}): delete it in CloudFormation first; its events say what stands against that`,
    );
  const version = outputOf(stack, "Version") ?? "0.0.0";
  if (version === project.version) return;
  if (atLeast(version, project.version))
    throw new UsageError(`${what} is of the newer version ${version}, this is ${project.version}: check that version out`);
  if (!isUpgrade)
    throw new UsageError(
      `${what} is of the older version ${version}, this is ${project.version}: read docs/operating.md, "Upgrading", then deploy with --upgrade`,
    );
  for (const { OutputKey, OutputValue: stateMachineArn } of stack.Outputs ?? []) {
    if (OutputKey?.endsWith("machine") !== true || stateMachineArn === undefined) continue;
    const running = await clients.sfn.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: "RUNNING", maxResults: 1 }),
    );
    const [first] = running.executions ?? [];
    if (first !== undefined)
      throw new UsageError(`${first.name} is running: its scripts would change under it; wait for its end, then upgrade`);
  }
}

interface DeployOptions {
  readonly context: readonly string[];
  readonly upgrade?: boolean;
}

/** Every reason not to begin, before anything is built or changed. */
async function check({ clients }: Host, { context, upgrade = false }: DeployOptions): Promise<void> {
  const chosen = checkOptions(context);
  const region = await checkRegion(clients);
  await checkBootstrap(clients, region);
  await checkDefaults(clients, chosen);
  await checkPresent(clients, region, upgrade);
}

const cdk = fileURLToPath(new URL(`../../node_modules/.bin/cdk${process.platform === "win32" ? ".cmd" : ""}`, import.meta.url));

const builder = fileURLToPath(new URL("../build.ts", import.meta.url));

async function deploy(context: Context, more: readonly string[], options: DeployOptions): Promise<number> {
  await check(context.host, options);
  const { host, isJson } = context;
  if ((await host.run(process.execPath, [builder], "stderr")) !== 0) return 1;
  const args = ["deploy", "--all", ...options.context.flatMap((pair) => ["-c", pair]), ...more];
  const code = await host.run(cdk, args, isJson ? "stderr" : "inherit");
  if (isJson) tell(context, { status: code === 0 ? "deployed" : "failed", version: project.version }, []);
  return code === 0 ? 0 : 1;
}

const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value];

export const addDeploy: AddCommands = (program, ends) => {
  program
    .command("deploy")
    .description("put Cloister into the account and Region of the credentials; other options go to `cdk deploy`")
    .argument("[cdk...]")
    .option("-c, --context <name=value>", "an option of infra/options.ts, repeatable", collect, [])
    .option("--upgrade", "over a deployment of an older version")
    .allowUnknownOption()
    .action(ends(deploy));
};
