import { Aws, CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { Options } from "./options.ts";
import { privateBucket } from "./private-bucket.ts";

/** Where the bundles lie: the images and manifests that nodes load, because they reach no registry. */
export class ImagesStack extends Stack {
  /** A name that both stacks know beforehand, so that neither holds the other's exports. */
  readonly bundleBucket: string;

  constructor(scope: Construct, id: string, options: Options, props: StackProps) {
    super(scope, id, { ...props, description: "Cloister: the bucket of bundles" });
    this.bundleBucket = options.bundleBucket ?? `cloister-bundles-${Aws.ACCOUNT_ID}-${Aws.REGION}`;
    if (options.bundleBucket === null) privateBucket(this, "Bundles", this.bundleBucket);
    new CfnOutput(this, "BundleBucket", { value: this.bundleBucket, description: "Put bundles here" });
  }
}
