import { createHash } from "node:crypto";
import type { InstanceState } from "./state.ts";

/** What one instance is told of itself. */
export interface Identity {
  readonly instance: InstanceState;
  readonly userData: string;
  readonly vpcId: string;
  readonly region: string;
  readonly account: string;
}

/** By its access key the lab knows which instance calls, as AWS knows its role's session. */
export const accessKeyOf = (instanceId: string): string =>
  `ASIA${createHash("sha256").update(instanceId).digest("hex").slice(0, 16).toUpperCase()}`;

export interface MetadataAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const plain = (body: string, status = 200): MetadataAnswer => ({ status, body, headers: { "content-type": "text/plain" } });
const token = (instanceId: string): string => createHash("sha256").update(`token/${instanceId}`).digest("base64url");
const hours = 3_600_000;

/** Instance metadata, version 2 alone: without a token everything is 401 (EC2 guide, "Use IMDSv2"). */
export function metadata(identity: Identity, method: string, path: string, given: string | undefined, now: Date): MetadataAnswer {
  const { instance, userData } = identity;
  if (method === "PUT" && path === "/latest/api/token") {
    const answer = plain(token(instance.instanceId));
    return { ...answer, headers: { ...answer.headers, "x-aws-ec2-metadata-token-ttl-seconds": "21600" } };
  }
  if (method !== "GET") return plain("", 405);
  if (given !== token(instance.instanceId)) return plain("", 401);
  if (path === "/latest/user-data") return userData === "" ? plain("", 404) : plain(userData);
  if (path === "/latest/dynamic/instance-identity/document") return plain(document(identity));
  const key = /^\/latest\/meta-data\/(.*)$/.exec(path)?.[1]?.replace(/\/$/, "");
  const value = key === undefined ? undefined : values(identity, now)[key];
  return value === undefined ? plain("", 404) : plain(value);
}

function document({ instance, region, account }: Identity): string {
  return JSON.stringify({
    accountId: account,
    architecture: "x86_64",
    availabilityZone: instance.zone,
    imageId: instance.imageId,
    instanceId: instance.instanceId,
    instanceType: instance.type,
    privateIp: instance.address,
    region,
  });
}

function values({ instance, vpcId, region }: Identity, now: Date): Readonly<Record<string, string>> {
  const { instanceId, name, address, mac, zone, type, imageId, subnetId, profile } = instance;
  const card = `network/interfaces/macs/${mac}`;
  const credentials = {
    Code: "Success",
    Type: "AWS-HMAC",
    AccessKeyId: accessKeyOf(instanceId),
    SecretAccessKey: "lab",
    Token: "lab",
    LastUpdated: new Date(now.getTime() - hours).toISOString(),
    Expiration: new Date(now.getTime() + 6 * hours).toISOString(),
  };
  return {
    "instance-id": instanceId,
    "instance-type": type,
    "ami-id": imageId,
    hostname: name,
    "local-hostname": name,
    "local-ipv4": address,
    mac,
    "placement/availability-zone": zone,
    "placement/region": region,
    "services/domain": "amazonaws.com",
    "network/interfaces/macs": `${mac}/`,
    [`${card}/vpc-id`]: vpcId,
    [`${card}/subnet-id`]: subnetId,
    [`${card}/local-ipv4s`]: address,
    "iam/security-credentials": profile,
    [`iam/security-credentials/${profile}`]: JSON.stringify(credentials),
  };
}
