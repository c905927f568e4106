import type { Aws, Deployment } from "../../../functions/aws/aws.ts";
import { awsClients } from "../../../functions/aws/clients.ts";

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
    ...awsClients(config, { forcePathStyle: true }),
    deployment,
    now: () => new Date(),
  };
}
