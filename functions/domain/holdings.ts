import { clusterId, type Owners } from "./lock.ts";
import type { Tags } from "./tags.ts";

/** Kinds of things that a cluster is made of, or that it makes, as EC2 shows them. */
export const ec2Kinds = [
  "instance",
  "volume",
  "snapshot",
  "endpoint",
  "network-interface",
  "nat-gateway",
  "internet-gateway",
  "route-table",
  "security-group",
  "subnet",
  "vpc",
] as const;
export type Ec2Kind = (typeof ec2Kinds)[number];
export type HoldingKind = Ec2Kind | "load-balancer" | "classic-load-balancer" | "target-group" | "parameter";

/** One thing in the account, whoever made it. */
export interface Holding {
  readonly kind: HoldingKind;
  /** What AWS deletes it by: an id, an ARN, a classic load balancer's or a parameter's name. */
  readonly id: string;
  /** The name that AWS enforces (a group's, a load balancer's) or, where it has none, the Name tag. */
  readonly name: string;
  readonly tags: Tags;
  readonly vpcId: string | null;
  /** AWS's own word for what it is doing; empty where it has none. */
  readonly state: string;
  /** GiB of a volume or snapshot; otherwise 0. */
  readonly sizeGiB: number;
}

/** Whether somebody of these generations made it: our steps, by the owner tags, or the cluster's controllers, by the cloud provider's. */
export function isTheirs({ tags }: Pick<Holding, "tags">, owners: Owners): boolean {
  if (tags["cloister:cluster"] !== undefined) {
    return tags["cloister:cluster"] === owners.cluster && owners.generations.includes(Number(tags["cloister:generation"]));
  }
  return madeByCluster(tags, owners) !== null;
}

/** The generation whose controllers made it (facts 7.1), or null. */
export const madeByCluster = (tags: Tags, { cluster, generations }: Owners): number | null =>
  generations.find((generation) => tags[`kubernetes.io/cluster/${clusterId({ cluster, generation })}`] === "owned") ?? null;

/** Data of pods: made by the EBS CSI driver, not by a step of ours (facts 7.1). Only these can be kept. */
export const isData = ({ kind, tags }: Holding): boolean =>
  (kind === "volume" || kind === "snapshot") && tags["cloister:cluster"] === undefined;

/** `security-group sg-1 (k8s-elb-a1)`, for a person who has to look. */
export const describeHolding = ({ kind, id, name }: Holding): string =>
  name === "" || name === id ? `${kind} ${id}` : `${kind} ${id} (${name})`;

const namedMax = 10;

/** The first few by name, and how many more there are. */
export function describeHoldings(holdings: readonly Holding[]): string {
  const named = holdings.slice(0, namedMax).map(describeHolding).join(", ");
  return holdings.length > namedMax ? `${named} and ${holdings.length - namedMax} more` : named;
}

export const parameterHolding = (name: string): Holding => ({
  kind: "parameter",
  id: name,
  name,
  tags: {},
  vpcId: null,
  state: "",
  sizeGiB: 0,
});
