import { readdirSync, readFileSync } from "node:fs";
import { Aws, CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Code } from "aws-cdk-lib/aws-lambda";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { catalogue } from "../functions/catalogue.ts";
import { Alarms } from "./alarms.ts";
import { CommandDocuments } from "./command-documents.ts";
import { Machine } from "./machine.ts";
import { NodeRole } from "./node-role.ts";
import type { Options } from "./options.ts";
import type { Place } from "./permissions/grants.ts";
import { stepStatements } from "./permissions/statements.ts";
import { privateBucket } from "./private-bucket.ts";
import { StepLambda } from "./step-lambda.ts";
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

    const steps = this.#steps(props, [controlPlane, worker]);
    const files = definitions();
    this.machines = new Map(
      [...files].map(([machine, definition]) => [
        machine,
        new Machine(this, machine, { machine, definition, steps, machines: [...files.keys()], options }),
      ]),
    );
    const { deadLetters } = new Triggers(this, "Triggers", this.machines, options);
    new Alarms(this, "Alarms", this.machines, deadLetters, options);

    new CfnOutput(this, "RecordBucket", { value: this.records.bucketName, description: "Records and evidence" });
    for (const [machine, { stateMachine }] of this.machines)
      new CfnOutput(this, `${machine}-machine`, { value: stateMachine.stateMachineArn });
  }

  #steps({ options, bundleBucket, code }: WorkflowProps, [controlPlane, worker]: readonly [NodeRole, NodeRole]) {
    const place: Place = {
      partition: Aws.PARTITION,
      region: Aws.REGION,
      account: Aws.ACCOUNT_ID,
      bucketArn: this.records.bucketArn,
      bundleBucketArn: `arn:${Aws.PARTITION}:s3:::${bundleBucket}`,
      nodeRoleArns: [controlPlane.role.roleArn, worker.role.roleArn],
      imageOwners: [Aws.ACCOUNT_ID, ...options.trustedImageOwners],
      parameters: [options.defaultImageParameter, options.defaultBundleParameter],
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
    return new Map(
      catalogue.map(({ name, arn }) => [
        arn,
        new StepLambda(this, name, {
          step: name,
          code: code(name),
          environment,
          statements: stepStatements(name, place),
          options,
        }),
      ]),
    );
  }
}
