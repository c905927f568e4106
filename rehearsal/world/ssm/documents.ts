import { fault } from "../fault.ts";
import { SimulationGap } from "../service.ts";

/** An SSM document of schema 2.2 as it is registered: what Run Command checks and what an agent runs. */
export interface Document {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, RegExp>;
  readonly timeoutSeconds: number;
  readonly script: string;
}

interface Content {
  readonly schemaVersion: string;
  readonly parameters: Readonly<
    Record<string, { readonly type: string; readonly allowedPattern: string; readonly interpolationType: string }>
  >;
  readonly mainSteps: readonly {
    readonly action: string;
    readonly inputs: { readonly timeoutSeconds: string; readonly runCommand: readonly string[] };
  }[];
}

export function readDocument(name: string, content: unknown): Document {
  const { schemaVersion, parameters, mainSteps } = content as Content;
  const [step, ...more] = mainSteps;
  if (schemaVersion !== "2.2" || step?.action !== "aws:runShellScript" || more.length > 0) {
    throw new SimulationGap(`the document ${name} is not one aws:runShellScript step of schema 2.2`);
  }
  for (const [parameter, { interpolationType }] of Object.entries(parameters)) {
    if (interpolationType !== "ENV_VAR")
      throw new SimulationGap(`${name}.${parameter} is not handed over as an environment variable`);
  }
  return {
    name,
    parameters: new Map(
      Object.entries(parameters).map(([parameter, { allowedPattern }]) => [parameter, new RegExp(allowedPattern)]),
    ),
    timeoutSeconds: Number(step.inputs.timeoutSeconds),
    script: step.inputs.runCommand.join("\n"),
  };
}

/** SendCommand refuses parameters that the document does not have, lacks, or forbids. */
export function checkParameters(document: Document, given: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, pattern] of document.parameters) {
    const [value, ...more] = given[name] ?? [];
    if (value === undefined || more.length > 0)
      throw fault("ssm", "InvalidParameters", `${document.name}: ${name} wants one value`);
    if (!pattern.test(value))
      throw fault("ssm", "InvalidParameters", `${document.name}: ${name} does not match ${pattern.source}`);
    values[name] = value;
  }
  const unknown = Object.keys(given).filter((name) => !document.parameters.has(name));
  if (unknown.length > 0) throw fault("ssm", "InvalidParameters", `${document.name} has no parameter ${unknown.join(", ")}`);
  return values;
}
