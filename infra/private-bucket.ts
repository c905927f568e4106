import { Duration, RemovalPolicy, Validations } from "aws-cdk-lib";
import { BlockPublicAccess, Bucket, BucketEncryption } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";

/** A bucket that nobody outside reads, and that outlives its stack. */
export function privateBucket(scope: Construct, id: string, name?: string): Bucket {
  const bucket = new Bucket(scope, id, {
    ...(name !== undefined && { bucketName: name }),
    versioned: true,
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    removalPolicy: RemovalPolicy.RETAIN,
    lifecycleRules: [{ noncurrentVersionExpiration: Duration.days(365), abortIncompleteMultipartUploadAfter: Duration.days(7) }],
  });
  Validations.of(bucket).acknowledge({
    id: "AwsSolutions-S1",
    reason: "Object versions and CloudTrail tell who changed what; a second bucket of access logs would have to be kept as well.",
  });
  return bucket;
}
