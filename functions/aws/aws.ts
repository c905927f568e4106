import type { EC2Client } from "@aws-sdk/client-ec2";
import type { ElasticLoadBalancingClient } from "@aws-sdk/client-elastic-load-balancing";
import type { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import type { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { S3Client } from "@aws-sdk/client-s3";
import type { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import type { SFNClient } from "@aws-sdk/client-sfn";
import type { SSMClient } from "@aws-sdk/client-ssm";
import * as z from "zod";
import { BundleLine, ImageLine } from "../domain/lines.ts";

/** What the stack tells its functions, as environment variables (`CLOISTER_BUCKET`, ...). */
export const Deployment = z.strictObject({
  region: z.string().min(1),
  account: z.string().regex(/^\d{12}$/),
  /** Holds `clusters/` (records) and `evidence/` (certificates). */
  bucket: z.string().min(3).max(63),
  controlPlaneProfile: z.string().min(1).max(128),
  workerProfile: z.string().min(1).max(128),
  /** Accounts whose images are trusted beside our own. */
  trustedImageOwners: z.array(z.string().regex(/^\d{12}$/)).max(20),
  /** The lines of a request that names none. */
  defaultImageParameter: ImageLine,
  defaultBundleParameter: BundleLine,
});
export type Deployment = z.infer<typeof Deployment>;

/** Everything a step may reach: one client a service, made once a container, the deployment's own facts, and the time. */
export interface Aws {
  readonly ec2: EC2Client;
  readonly elb: ElasticLoadBalancingV2Client;
  /** Classic load balancers: what a Service without our annotation gets from the cloud provider (facts 2.10). */
  readonly elbClassic: ElasticLoadBalancingClient;
  readonly ssm: SSMClient;
  readonly s3: S3Client;
  readonly sfn: SFNClient;
  readonly quotas: ServiceQuotasClient;
  readonly events: EventBridgeClient;
  readonly deployment: Deployment;
  now(): Date;
}
