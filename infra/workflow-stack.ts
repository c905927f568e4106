import { readdirSync, readFileSync } from "node:fs";
import { Aws, CfnOutput, Duration, RemovalPolicy, SecretValue, Stack, type StackProps } from "aws-cdk-lib";
import type { Code } from "aws-cdk-lib/aws-lambda";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { catalogue, loneFunctions } from "../functions/catalogue.ts";
import project from "../package.json" with { type: "json" };
import { Alarms } from "./alarms.ts";
import { CloisterFunction, type CloisterFunctionProps } from "./cloister-function.ts";
import { CommandDocuments } from "./command-documents.ts";
import { Machine, machineArn } from "./machine.ts";
import { NodeRole } from "./node-role.ts";
import type { Options } from "./options.ts";
import type { Place } from "./permissions/grants.ts";
import { stepStatements } from "./permissions/statements.ts";
import { privateBucket } from "./private-bucket.ts";
import { Triggers } from "./triggers.ts";

const folder = new URL("../statemachine/", import.meta.url);

/** Every machine's file by its name. */
const definitions = (): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder)
      .filter((file) => file.endsWith(".asl.json"))
      .sort()
      .map((file) => [file.replace(/\.asl\.json$/, ""), readFileSync(new URL(file, folder), "utf8")]),
  );

export interface WorkflowProps extends StackProps {
  readonly options: Options;
  readonly bundleBucket: string;
  /** A step's bundle. Tests give a small one, so that nothing is bundled for them. */
  code(step: string): Code;
}

/** What the functions that no machine calls may start. */
const startable: Readonly<Record<string, string>> = Object.fromEntries(
  ["build", "rebuild", "destroy"].map((action) => [`CLOISTER_${action.toUpperCase()}_MACHINE`, machineArn(`${action}-cluster`)]),
);

type Own = Pick<CloisterFunctionProps, "timeoutSeconds" | "deadLetters"> & {
  readonly environment?: Readonly<Record<string, string>>;
};

/** What runs a cluster's life: machines, steps, documents, node roles, and the bucket of records and evidence. */
export class WorkflowStack extends Stack {
  readonly machines: ReadonlyMap<string, Machine>;
  readonly records: Bucket;

  constructor(scope: Construct, id: string, props: WorkflowProps) {
    super(scope, id, { ...props, description: "Cloister: state machines, steps, documents and node roles" });
    const { options, bundleBucket } = props;
    this.records = privateBucket(this, "Records");
    const bundleArn = `arn:${Aws.PARTITION}:s3:::${bundleBucket}/*`;
    const controlPlane = new NodeRole(this, "ControlPlane", { kind: "control-plane", bundleArn });
    const worker = new NodeRole(this, "Worker", { kind: "worker", bundleArn });
    new CommandDocuments(this, "Documents");

    const deadLetters = new Queue(this, "DeadLetters", {
      queueName: "cloister-dead-letters",
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    const callers = options.hmacCallers ? this.#callersSecret() : null;
    const make = this.#maker(props, [controlPlane, worker], callers);
    const steps = new Map(catalogue.map(({ name, arn }) => [arn, make(name)]));
    const files = definitions();
    this.machines = new Map(
      [...files].map(([machine, definition]) => [
        machine,
        new Machine(this, machine, { machine, definition, steps, machines: [...files.keys()], options }),
      ]),
    );
    const lone = new Map(
      loneFunctions
        .filter(({ name }) => name !== "authorize-caller" || callers !== null)
        .map(({ name, folder }) => [
          name,
          make(name, {
            environment: name === "authorize-caller" ? { CLOISTER_CALLERS_SECRET: callers?.secretArn ?? "" } : startable,
            // The sweep asks about every cluster, one after another; API Gateway waits for 29 s.
            ...(folder === "watch" ? { timeoutSeconds: 300, deadLetters } : { timeoutSeconds: 29 }),
          }),
        ]),
    );
    new Triggers(this, "Triggers", { machines: this.machines, functions: lone, deadLetters, options });
    new Alarms(this, "Alarms", this.machines, deadLetters, options);

    this.#tellOperators(options, bundleBucket);
  }

  /** What the `cloister` command has to know of a deployment: scripts/cloister/site.ts reads it. */
  #tellOperators(options: Options, bundleBucket: string): void {
    const { trustedImageOwners: owners } = options;
    const values: Readonly<Record<string, string>> = {
      Version: project.version,
      RecordBucket: this.records.bucketName,
      BundleBucket: bundleBucket,
      DefaultImageParameter: options.defaultImageParameter,
      DefaultBundleParameter: options.defaultBundleParameter,
      // An output is never empty.
      TrustedImageOwners: owners.length === 0 ? "none" : owners.join(","),
    };
    for (const [name, value] of Object.entries(values)) new CfnOutput(this, name, { value });
    for (const [machine, { stateMachine }] of this.machines)
      new CfnOutput(this, `${machine}-machine`, { value: stateMachine.stateMachineArn });
  }

  /** Empty until a person puts callers into it, and never touched by a deploy again: its text here does not change. */
  #callersSecret(): Secret {
    const secret = new Secret(this, "CallersSecret", {
      description: "Cloister: callers of the API who sign with a secret, { name: [secret, the next one] }",
      secretStringValue: SecretValue.unsafePlainText("{}"),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new CfnOutput(this, "CallersSecretArn", { value: secret.secretArn, description: "Put callers here: docs/operating.md" });
    return secret;
  }

  /** Makes a function by its name, with the deployment's facts and its own calls' permissions. */
  #maker(
    { options, bundleBucket, code }: WorkflowProps,
    [controlPlane, worker]: readonly [NodeRole, NodeRole],
    callers: Secret | null,
  ) {
    const place: Place = {
      partition: Aws.PARTITION,
      region: Aws.REGION,
      account: Aws.ACCOUNT_ID,
      bucketArn: this.records.bucketArn,
      bundleBucketArn: `arn:${Aws.PARTITION}:s3:::${bundleBucket}`,
      nodeRoleArns: [controlPlane.role.roleArn, worker.role.roleArn],
      imageOwners: [Aws.ACCOUNT_ID, ...options.trustedImageOwners],
      callersSecretArn: callers?.secretArn ?? "*",
    };
    const environment = {
      CLOISTER_ACCOUNT: Aws.ACCOUNT_ID,
      CLOISTER_BUCKET: this.records.bucketName,
      CLOISTER_CONTROL_PLANE_PROFILE: controlPlane.profileName,
      CLOISTER_WORKER_PROFILE: worker.profileName,
      CLOISTER_TRUSTED_IMAGE_OWNERS: options.trustedImageOwners.join(","),
      CLOISTER_DEFAULT_IMAGE_PARAMETER: options.defaultImageParameter,
      CLOISTER_DEFAULT_BUNDLE_PARAMETER: options.defaultBundleParameter,
    };
    return (name: string, { environment: more, ...own }: Own = {}) =>
      new CloisterFunction(this, name, {
        name,
        code: code(name),
        environment: { ...environment, ...more },
        statements: stepStatements(name, place),
        options,
        ...own,
      });
  }
}
