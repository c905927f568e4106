import { DescribeStacksCommand, type Stack } from "@aws-sdk/client-cloudformation";
import { MachineArn } from "../../functions/domain/ids.ts";
import { UsageError } from "../options.ts";
import type { Clients } from "./host.ts";

export const workflowStack = "CloisterWorkflow";
/** The function that changes a record for a person (infra/cloister-function.ts names it). */
export const changeFunction = "cloister-change-record";

export type MachineName = "build" | "rebuild" | "destroy";

/** A deployment, as its stack tells of itself (infra/workflow-stack.ts). */
export interface Site {
  readonly region: string;
  readonly account: string;
  readonly version: string;
  readonly bucket: string;
  readonly defaultImageParameter: string;
  readonly defaultBundleParameter: string;
  readonly trustedImageOwners: readonly string[];
  readonly machines: Readonly<Record<MachineName, MachineArn>>;
}

/** A stack, or null where there is none of that name. */
export async function findStack({ cloudFormation }: Pick<Clients, "cloudFormation">, name: string): Promise<Stack | null> {
  try {
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: name }));
    return Stacks[0] ?? null;
  } catch (error) {
    // CloudFormation has no code of its own for a stack that is not there.
    if (error instanceof Error && error.name === "ValidationError" && error.message.includes("does not exist")) return null;
    throw error;
  }
}

export const outputOf = ({ Outputs = [] }: Stack, key: string): string | undefined =>
  Outputs.find(({ OutputKey }) => OutputKey === key)?.OutputValue;

/** Finds the deployment in the Region and account that the credentials lead to. */
export async function readSite(clients: Clients): Promise<Site> {
  const stack = await findStack(clients, workflowStack);
  const region = await clients.cloudFormation.config.region();
  if (stack === null)
    throw new UsageError(`Cloister is not deployed in ${region} of this account: \`cloister deploy\`, or set another AWS_REGION`);
  const output = (key: string): string => {
    const value = outputOf(stack, key);
    if (value !== undefined) return value;
    throw new UsageError(`the stack ${workflowStack} in ${region} tells no ${key}: it is of another version; deploy this one`);
  };
  const machine = (name: MachineName) => MachineArn.parse(output(`${name}clustermachine`));
  const machines = { build: machine("build"), rebuild: machine("rebuild"), destroy: machine("destroy") };
  const [, , , , account = ""] = machines.build.split(":");
  return {
    region,
    account,
    version: output("Version"),
    bucket: output("RecordBucket"),
    defaultImageParameter: output("DefaultImageParameter"),
    defaultBundleParameter: output("DefaultBundleParameter"),
    trustedImageOwners: output("TrustedImageOwners")
      .split(",")
      .filter((owner) => owner !== "none"),
    machines,
  };
}
