/** Where our ARNs lie. At synthesis the values are CloudFormation's, in a test they are an account's. */
export interface Place {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  /** The bucket of records and evidence, and the one of bundles. */
  readonly bucketArn: string;
  readonly bundleBucketArn: string;
  readonly nodeRoleArns: readonly string[];
  /** Accounts whose images may be launched: our own first. */
  readonly imageOwners: readonly string[];
  /** Holds the secrets of callers; "*" where nobody is to sign with one, and no function has the row. */
  readonly callersSecretArn: string;
}

export type Condition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/**
 * One action that a call needs. `direct` is the call's own; `dependent` is one that AWS checks beside it; `on behalf` is one that a
 * service makes with the caller's permissions. No simulator shows the last two, so they are never taken out because they were not seen.
 */
export interface Grant {
  readonly action: string;
  readonly why: "direct" | "dependent" | "on behalf";
  readonly resources: readonly string[];
  readonly condition?: Condition;
  /** Why a write has neither resource nor condition that would keep it from what is not ours. */
  readonly unlimited?: string;
  /** Where AWS says so. */
  readonly source: string;
}

/** A call as the rehearsal records it, `ec2:CreateVpc`; where one operation reaches several kinds of things, with the kind: `s3:GetObject record`. */
export type CallTable = Readonly<Record<string, (place: Place) => readonly Grant[]>>;

/** "Actions, resources, and condition keys" of a service, in AWS's Service Authorization Reference. */
export const reference = (service: string): string =>
  `https://docs.aws.amazon.com/service-authorization/latest/reference/list_${service}.html`;

/** What we make carries our tag from birth; a request without it is refused. */
export const madeAsOurs: Condition = { Null: { "aws:RequestTag/cloister:cluster": "false" } };
/** What we change or delete carries our tag. */
export const alreadyOurs: Condition = { Null: { "aws:ResourceTag/cloister:cluster": "false" } };

/** What the EBS CSI driver made, of whichever cluster: its other tags have the cluster in their key, which a condition cannot know. */
export const madeByDriver: Condition = { StringEquals: { "aws:ResourceTag/ebs.csi.aws.com/cluster": "true" } };
/** What the cloud provider made for a Service, of whichever cluster. */
export const madeForService: Condition = { Null: { "aws:ResourceTag/kubernetes.io/service-name": "false" } };

/** Several conditions that must all hold. */
export const allOf = (...conditions: readonly Condition[]): Condition => {
  const merged: Record<string, Record<string, string | readonly string[]>> = {};
  for (const condition of conditions) {
    for (const [operator, keys] of Object.entries(condition)) merged[operator] = { ...merged[operator], ...keys };
  }
  return merged;
};
