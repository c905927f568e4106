import { EC2Client } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingClient } from "@aws-sdk/client-elastic-load-balancing";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
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

/** What every service's client takes alike. */
type ClientOptions = Pick<S3ClientConfig, "maxAttempts" | "region" | "credentials" | "endpoint">;

/** One client a service, all with these options; S3 alone may want its own. */
export const awsClients = (
  config: ClientOptions,
  s3: Pick<S3ClientConfig, "forcePathStyle"> = {},
): Omit<Aws, "deployment" | "now"> => ({
  ec2: new EC2Client(config),
  elb: new ElasticLoadBalancingV2Client(config),
  elbClassic: new ElasticLoadBalancingClient(config),
  ssm: new SSMClient(config),
  s3: new S3Client({ ...config, ...s3 }),
  sfn: new SFNClient(config),
  quotas: new ServiceQuotasClient(config),
  events: new EventBridgeClient(config),
});

/** The clients a Lambda container keeps for its life. */
export const lambdaAws = (): Aws => ({
  ...awsClients(options),
  deployment: deploymentFrom(process.env),
  now: () => new Date(),
});
