import { App, type AppProps, type Environment, Validations } from "aws-cdk-lib";
import { ManagedPolicy, PermissionsBoundary } from "aws-cdk-lib/aws-iam";
import type { Code } from "aws-cdk-lib/aws-lambda";
import { AwsSolutionsChecks } from "cdk-nag";
import { acknowledge } from "./acknowledgements.ts";
import { ImagesStack } from "./images-stack.ts";
import { type Options, readOptions } from "./options.ts";
import { WorkflowStack } from "./workflow-stack.ts";

export interface CloisterProps {
  readonly app?: AppProps;
  /** Without it the stacks fit any account and Region. */
  readonly env?: Environment;
  code(step: string): Code;
}

/** The whole deployment; a finding of cdk-nag that nobody acknowledged makes its synthesis fail. */
export function cloister({ app: props, env, code }: CloisterProps): {
  readonly app: App;
  readonly options: Options;
  readonly images: ImagesStack;
  readonly workflow: WorkflowStack;
} {
  const app = new App(props);
  const options = readOptions((option) => app.node.tryGetContext(option));
  const stackProps = env === undefined ? {} : { env };
  const images = new ImagesStack(app, "CloisterImages", options, stackProps);
  const workflow = new WorkflowStack(app, "CloisterWorkflow", {
    ...stackProps,
    options,
    bundleBucket: images.bundleBucket,
    code,
  });
  if (options.permissionsBoundary !== null) {
    for (const stack of [images, workflow])
      PermissionsBoundary.of(stack).apply(ManagedPolicy.fromManagedPolicyName(stack, "Boundary", options.permissionsBoundary));
  }
  acknowledge(app);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { app, options, images, workflow };
}
