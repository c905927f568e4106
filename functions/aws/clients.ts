import { EC2Client } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingClient } from "@aws-sdk/client-elastic-load-balancing";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { S3Client } from "@aws-sdk/client-s3";
import { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { SFNClient } from "@aws-sdk/client-sfn";
import { SSMClient } from "@aws-sdk/client-ssm";
import { type Aws, Deployment } from "./aws.ts";

// Three attempts: with the SDK's back-off that stays far below the function's 60 s; the state machine retries the step after that.
const options = { maxAttempts: 3 };

const deploymentFrom = (env: NodeJS.ProcessEnv): Deployment =>
  Deployment.parse({
    region: env["AWS_REGION"],
    account: env["CLOISTER_ACCOUNT"],
    bucket: env["CLOISTER_BUCKET"],
    controlPlaneProfile: env["CLOISTER_CONTROL_PLANE_PROFILE"],
    workerProfile: env["CLOISTER_WORKER_PROFILE"],
    trustedImageOwners: (env["CLOISTER_TRUSTED_IMAGE_OWNERS"] ?? "").split(",").filter((owner) => owner !== ""),
    defaultImageParameter: env["CLOISTER_DEFAULT_IMAGE_PARAMETER"],
    defaultBundleParameter: env["CLOISTER_DEFAULT_BUNDLE_PARAMETER"],
  });

/** The clients a Lambda container keeps for its life. */
export const lambdaAws = (): Aws => ({
  ec2: new EC2Client(options),
  elb: new ElasticLoadBalancingV2Client(options),
  elbClassic: new ElasticLoadBalancingClient(options),
  ssm: new SSMClient(options),
  s3: new S3Client(options),
  sfn: new SFNClient(options),
  quotas: new ServiceQuotasClient(options),
  events: new EventBridgeClient(options),
  deployment: deploymentFrom(process.env),
  now: () => new Date(),
});
