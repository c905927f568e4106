import { clusterId, type Lock } from "./lock.ts";

export type Tags = Readonly<Record<string, string>>;
type Owner = Pick<Lock, "cluster" | "generation">;

/** What a thing is to its cluster, as `cloister:role`. Commands are addressed to the two roles that nodes have. */
export type OwnedRole =
  | "vpc"
  | "private-subnet"
  | "control-plane-addresses"
  | "public-subnet"
  | "private-routes"
  | "public-routes"
  | "internet-gateway"
  | "security-group"
  | "endpoint"
  | "api"
  | "control-plane"
  | "worker";

/** The tags by which everything is found again, whoever made it. */
export const identityTags = ({ cluster, generation }: Owner): Tags => ({
  "cloister:cluster": cluster,
  "cloister:generation": String(generation),
});

/** Tags at birth. The requester's own come first, so that they can never replace ours. */
export const ownerTags = (lock: Owner & Pick<Lock, "execution">, role: OwnedRole, name: string, requested: Tags): Tags => ({
  ...requested,
  Name: name,
  ...identityTags(lock),
  "cloister:role": role,
  "cloister:execution": lock.execution,
});

/** For the cloud provider: on instances, subnets and the one rule-less group, and nowhere else (facts 2.6). */
export const cloudProviderTag = (lock: Owner): Tags => ({ [`kubernetes.io/cluster/${clusterId(lock)}`]: "owned" });

/** Which subnets the cloud provider takes for which load balancers (facts 2.6). */
export const internalLoadBalancerTag: Tags = { "kubernetes.io/role/internal-elb": "1" };
export const publicLoadBalancerTag: Tags = { "kubernetes.io/role/elb": "1" };

/** Whether a thing is this generation's. */
export const isOwned = (tags: Tags, owner: Owner): boolean =>
  Object.entries(identityTags(owner)).every(([key, value]) => tags[key] === value);
