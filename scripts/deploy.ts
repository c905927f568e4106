import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { readOptions } from "../infra/options.ts";
import { buildHandlers } from "./build.ts";

/** `cdk bootstrap` leaves its version here; the CDK's default synthesizer asks for 6 at least. */
const bootstrapParameter = "/cdk-bootstrap/hnb659fds/version";
const bootstrapMin = 6;

/** A reason not to begin. Nothing has changed when it is thrown. */
class Refusal extends Error {}

/** The options as `-c name=value` gives them, checked before anything is built. */
function checkOptions(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    strict: false,
    options: { context: { type: "string", short: "c", multiple: true } },
  });
  const given = ((values["context"] ?? []) as string[]).map((pair): [string, string] => {
    const [name = "", ...rest] = pair.split("=");
    return [name, rest.join("=")];
  });
  const context = new Map(given);
  try {
    readOptions((option) => context.get(option));
  } catch (error) {
    throw error instanceof RangeError ? new Refusal(error.message) : error;
  }
}

/** One look that needs all of it: a Region, credentials that are taken there, and the CDK's own bootstrap stack. */
async function checkAccount(): Promise<void> {
  // The SDK gives up at once where nothing is configured; where something is, a second try is enough.
  const ssm = new SSMClient({ maxAttempts: 2 });
  try {
    await ssm.config.region();
  } catch {
    throw new Refusal("no Region is set: AWS_REGION, or a profile that has one");
  }
  const region = await ssm.config.region();
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: bootstrapParameter }));
    if (Number(Parameter?.Value) >= bootstrapMin) return;
    throw new Refusal(
      `the CDK's bootstrap stack in ${region} is of version ${Parameter?.Value}: run \`npx cdk bootstrap\` again`,
    );
  } catch (error) {
    if (error instanceof Refusal || !(error instanceof Error)) throw error;
    if (error.name === "ParameterNotFound")
      throw new Refusal(`${region} of this account is not bootstrapped for the CDK: run \`npx cdk bootstrap\` once`);
    if (error.name === "CredentialsProviderError")
      throw new Refusal("there are no AWS credentials: AWS_PROFILE, `aws sso login`, or the two keys in the environment");
    throw new Refusal(`AWS in ${region} refused the first look: ${error.name}: ${error.message.split("\n")[0]}`);
  }
}

try {
  const args = process.argv.slice(2);
  checkOptions(args);
  await checkAccount();
  await buildHandlers();
  const cdk = process.platform === "win32" ? "cdk.cmd" : "cdk";
  const { status } = spawnSync(cdk, ["deploy", "--all", ...args], { stdio: "inherit", shell: process.platform === "win32" });
  process.exitCode = status ?? 1;
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
