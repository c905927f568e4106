import { EC2Client } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingClient } from "@aws-sdk/client-elastic-load-balancing";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { S3Client } from "@aws-sdk/client-s3";
import { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { SFNClient } from "@aws-sdk/client-sfn";
import { SSMClient } from "@aws-sdk/client-ssm";
import type { Aws, Deployment } from "../../../functions/aws/aws.ts";

/** moto's own account. */
export const account = "123456789012";
export const region = "us-west-2";

export const deployment: Deployment = {
  region,
  account,
  bucket: `cloister-${account}`,
  controlPlaneProfile: "cloister-control-plane",
  workerProfile: "cloister-worker",
  trustedImageOwners: [],
  defaultImageParameter: "/cloister/_ami/default",
  defaultBundleParameter: "/cloister/_bundle/default",
};

/** The clients that a function has, with one difference: where they call. */
export function awsAt(port: number, accessKeyId: string): Aws {
  const config = {
    region,
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId, secretAccessKey: "lab" },
    maxAttempts: 3,
  };
  return {
    ec2: new EC2Client(config),
    elb: new ElasticLoadBalancingV2Client(config),
    elbClassic: new ElasticLoadBalancingClient(config),
    ssm: new SSMClient(config),
    s3: new S3Client({ ...config, forcePathStyle: true }),
    sfn: new SFNClient(config),
    quotas: new ServiceQuotasClient(config),
    events: new EventBridgeClient(config),
    deployment,
    now: () => new Date(),
  };
}
