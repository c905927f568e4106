import { App, type AppProps, Aws, type Environment, type Stack, Validations } from "aws-cdk-lib";
import { ManagedPolicy, PermissionsBoundary } from "aws-cdk-lib/aws-iam";
import type { Code } from "aws-cdk-lib/aws-lambda";
import { AwsSolutionsChecks } from "cdk-nag";
import { AccessStack } from "./access-stack.ts";
import { type Acknowledgement, acknowledge } from "./acknowledgements.ts";
import { ImagesStack } from "./images-stack.ts";
import { readOptions } from "./options.ts";
import { checkPartition } from "./region.ts";
import { WorkflowStack } from "./workflow-stack.ts";

export interface CloisterProps {
  readonly app?: AppProps;
  /** Without it the stacks fit any account and Region. */
  readonly env?: Environment;
  code(step: string): Code;
  /** Told of each finding that an acknowledgement answers. */
  readonly onAcknowledged?: (row: Acknowledgement) => void;
}

/** The whole deployment; a finding of cdk-nag that nobody acknowledged makes its synthesis fail. */
export function cloister({ app: props, env, code, onAcknowledged = () => {} }: CloisterProps): {
  readonly app: App;
} {
  if (env?.region !== undefined) checkPartition(env.region);
  const app = new App(props);
  const options = readOptions((option) => app.node.tryGetContext(option));
  const bundleBucket = options.bundleBucket ?? `cloister-bundles-${Aws.ACCOUNT_ID}-${Aws.REGION}`;
  const stackProps = { ...(env !== undefined && { env }), bundleBucket };
  const workflow = new WorkflowStack(app, "CloisterWorkflow", { ...stackProps, options, code });
  const access = new AccessStack(app, "CloisterAccess", options, env === undefined ? {} : { env });
  access.addStackDependency(workflow);
  const stacks: Stack[] = [workflow, access];
  if (options.bundleBucket === null) stacks.push(new ImagesStack(app, "CloisterImages", stackProps));
  if (options.permissionsBoundary !== null) {
    for (const stack of stacks)
      PermissionsBoundary.of(stack).apply(ManagedPolicy.fromManagedPolicyName(stack, "Boundary", options.permissionsBoundary));
  }
  acknowledge(app, onAcknowledged);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { app };
}
