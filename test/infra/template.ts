import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code } from "aws-cdk-lib/aws-lambda";
import type { Acknowledgement } from "../../infra/acknowledgements.ts";
import { cloister } from "../../infra/cloister.ts";

export interface Resource {
  readonly Type: string;
  // A property is whatever CloudFormation takes there.
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

export interface Synthesis {
  readonly region: string;
  readonly partition: string;
  readonly workflow: Template;
  readonly access: Template;
  /** Null where bundles lie in a bucket of the deployer's. */
  readonly images: Template | null;
  /** The rows of acknowledgements that a finding fell under. */
  readonly used: ReadonlySet<Acknowledgement>;
}

/** As cdk.json has them. */
const { context: flags } = JSON.parse(readFileSync(new URL("../../cdk.json", import.meta.url), "utf8")) as {
  context: Record<string, unknown>;
};

const account = "111122223333";

/** Both stacks as CloudFormation would get them, with a small file where the bundles would be. Throws on a finding that nobody acknowledged. */
export function synthesize(region: string, context: Readonly<Record<string, unknown>> = {}): Synthesis {
  const folder = mkdtempSync(join(tmpdir(), "cloister-"));
  try {
    const bundle = mkdtempSync(join(folder, "bundle-"));
    writeFileSync(join(bundle, "index.mjs"), "export const handler = () => {};\n");
    const used = new Set<Acknowledgement>();
    const { app } = cloister({
      app: { outdir: join(folder, "out"), context: { ...flags, ...context }, analyticsReporting: false, treeMetadata: false },
      env: { account, region },
      code: () => Code.fromAsset(bundle),
      onAcknowledged: (row) => used.add(row),
    });
    app.synth();
    const read = (stack: string) => JSON.parse(readFileSync(join(folder, "out", `${stack}.template.json`), "utf8")) as Template;
    const partition = region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
    const images = "bundleBucket" in context ? null : read("CloisterImages");
    return { region, partition, workflow: read("CloisterWorkflow"), access: read("CloisterAccess"), images, used };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const ofType = ({ Resources }: Template, type: string): readonly (readonly [string, Resource])[] =>
  Object.entries(Resources).filter(([, { Type }]) => Type === type);

/** The one resource of a type with this property. */
export function only(template: Template, type: string, property: string, value: unknown): readonly [string, Resource] {
  const [found, ...more] = ofType(template, type).filter(
    ([, { Properties }]) => JSON.stringify(Properties[property]) === JSON.stringify(value),
  );
  if (found === undefined || more.length > 0) throw new RangeError(`${more.length + 1} of ${type} with ${property} ${value}`);
  return found;
}

/** What CloudFormation puts in the place of an attribute of a resource, `Records.Arn`, or of its Ref, `Records`. */
export type Attributes = (reference: string) => string;

/** Resolves the functions that our templates use; an unknown one throws. */
export function resolve(value: unknown, { region, partition }: Synthesis, attributes: Attributes): unknown {
  const pseudo: Readonly<Record<string, string>> = {
    "AWS::Partition": partition,
    "AWS::Region": region,
    "AWS::AccountId": account,
    "AWS::URLSuffix": "amazonaws.com",
  };
  const inner = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(inner);
    if (typeof part !== "object" || part === null) return part;
    const entries = Object.entries(part);
    const [[key, argument] = ["", undefined]] = entries;
    if (entries.length === 1 && key === "Ref") return pseudo[String(argument)] ?? attributes(String(argument));
    if (entries.length === 1 && key === "Fn::GetAtt") return attributes((argument as string[]).join("."));
    if (entries.length === 1 && key === "Fn::Join") {
      const [glue, parts] = argument as [string, unknown[]];
      return (inner(parts) as string[]).join(glue);
    }
    if (key.startsWith("Fn::")) throw new RangeError(`${key} is not known`);
    return Object.fromEntries(entries.map(([name, one]) => [name, inner(one)]));
  };
  return inner(value);
}
