import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { privateBucket } from "./private-bucket.ts";

export interface ImagesProps extends StackProps {
  /** A name that the other stacks know beforehand, so that none holds another's exports. */
  readonly bundleBucket: string;
}

/** Where the bundles lie: the images and manifests that nodes load, because they reach no registry. */
export class ImagesStack extends Stack {
  constructor(scope: Construct, id: string, { bundleBucket, ...props }: ImagesProps) {
    super(scope, id, { ...props, description: "Cloister: the bucket of bundles" });
    privateBucket(this, "Bundles", bundleBucket);
    new CfnOutput(this, "BundleBucket", { value: bundleBucket, description: "Put bundles here" });
  }
}
