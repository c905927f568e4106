import { readdirSync, readFileSync } from "node:fs";
import type { Aws, Deployment } from "../functions/aws/aws.ts";
import { catalogue } from "../functions/catalogue.ts";
import type { Log } from "../functions/step.ts";

/** A step as every file in functions/steps exports one, under its name in camel case. */
interface Step {
  readonly name: string;
  readonly mutates: boolean;
  execute(event: unknown, aws: Aws, log: Log): Promise<unknown>;
}

const machineFolder = new URL("../statemachine/", import.meta.url);
const pascal = (name: string): string => camel(`-${name}`);
const camel = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Every step of the catalogue, loaded once. */
export async function loadSteps(): Promise<ReadonlyMap<string, Step>> {
  const loaded = await Promise.all(
    catalogue.map(async ({ name }) => {
      const module: Record<string, unknown> = await import(`../functions/steps/${name}.ts`);
      const step = module[camel(name)] as Step | undefined;
      if (step?.name !== name) throw new Error(`functions/steps/${name}.ts does not export the step ${camel(name)}`);
      return [name, step] as const;
    }),
  );
  return new Map(loaded);
}

type Place = Pick<Deployment, "region" | "account">;

/** The alias under which the stack deploys a function. */
export const functionArn = (name: string, { region, account }: Place): string =>
  `arn:aws:lambda:${region}:${account}:function:cloister-${name}:live`;
export const machineArn = (name: string, { region, account }: Place): string =>
  `arn:aws:states:${region}:${account}:stateMachine:${name}`;

/** Every state machine of the folder: `build-cluster`, which other machines know as `${BuildClusterArn}`. */
export const machineNames: readonly string[] = readdirSync(machineFolder)
  .filter((file) => file.endsWith(".asl.json"))
  .map((file) => file.replace(".asl.json", ""));

export const machineText = (name: string): string => readFileSync(new URL(`${name}.asl.json`, machineFolder), "utf8");

/** A machine's text with each place filled in (functions' aliases, other machines), as CloudFormation does. */
export function substitute(definition: string, place: Place): string {
  const arns = new Map([
    ...catalogue.map(({ name, arn }): [string, string] => [arn, functionArn(name, place)]),
    ...machineNames.map((name): [string, string] => [`${pascal(name)}Arn`, machineArn(name, place)]),
  ]);
  return definition.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => {
    const arn = arns.get(name);
    if (arn === undefined) throw new Error(`nothing to put in the place of ${whole}`);
    return arn;
  });
}
