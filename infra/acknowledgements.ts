import { type App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";

/** Findings of cdk-nag that are meant to be, and why. `finding` is matched against its id, `on` against the construct's path. */
export interface Acknowledgement {
  readonly finding: RegExp;
  readonly on: RegExp;
  readonly reason: string;
}

const step = /^CloisterWorkflow\/[a-z-]+\/Role\/Resource$/;
const node = /^CloisterWorkflow\/(?:ControlPlane|Worker)\/Role\/Resource$/;
const machine = /^CloisterWorkflow\/[a-z-]+\/Machine\//;
const wildcard = (resource: string): RegExp => new RegExp(`^AwsSolutions-IAM5\\[Resource::${resource}\\]$`);

export const acknowledgements: readonly Acknowledgement[] = [
  {
    finding: wildcard("\\*"),
    on: step,
    reason:
      "These reads (Describe, List, quotas) and CancelCommand know no single resources; nothing else that writes is allowed on *.",
  },
  {
    finding: wildcard("arn:[^ ]+:(?:ec2|elasticloadbalancing):[^ ]+/\\*"),
    on: step,
    reason:
      "Ids come to be at run time; the statement demands our tag, on an image its trusted owner, or a row says why it cannot.",
  },
  {
    finding: wildcard("arn:[^ ]+:route53:::hostedzone/\\*"),
    on: step,
    reason: "A private endpoint joins a hosted zone of AWS's own, whose id nobody knows before.",
  },
  {
    finding: wildcard("[^ ]+/(?:clusters/\\*/record.json|evidence/\\*)"),
    on: step,
    reason: "A cluster's name comes with the request; records and evidence of all clusters lie under these two prefixes.",
  },
  {
    finding: wildcard("arn:[^ ]+:ssm:[^ ]+:parameter/cloister/\\*(?:/g\\*(?:/\\*|/join|/kubeconfig)?)?"),
    on: /Role\/Resource$/,
    reason:
      "A cluster's name comes with the request; which cluster's parameters a node reaches is its ssm endpoint's policy to say.",
  },
  {
    finding: wildcard("arn:[^ ]+:ssm:[^ ]+:parameter/cloister/_(?:ami|bundle)/\\*"),
    on: step,
    reason: "A request names the line that it draws from; those of images and of bundles lie under these two prefixes.",
  },
  {
    finding: wildcard("arn:[^ ]+:states:[^ ]+:execution:cloister-\\*:\\*"),
    on: step,
    reason: "Whether a lock's holder still runs is asked of executions of all our machines.",
  },
  {
    finding: wildcard("arn:<AWS::Partition>:s3:::[^ ]+/\\*"),
    on: /Role\/Resource$/,
    reason: "The bucket holds bundles alone, and a request names which one.",
  },
  {
    finding: wildcard("\\*"),
    on: node,
    reason:
      "The SSM agent's actions and the reads of the cloud provider know no single resources; of the writes CreateVolume alone, by the tag that it must give.",
  },
  {
    finding: wildcard("arn:[^ ]+:(?:ec2|elasticloadbalancing):[^ ]+/\\*"),
    on: node,
    reason:
      "Kubernetes makes these and their ids; each statement demands the tags of what Kubernetes or we made, or the node's own VPC.",
  },
  {
    finding: wildcard("<[^ ]+Function[^ ]+Arn>:\\*"),
    on: machine,
    reason:
      "Every version of the step: an execution that began before a deploy goes on with the versions that its definition names.",
  },
  {
    finding: wildcard("\\*"),
    on: machine,
    reason: "Step Functions' delivery of logs, and X-Ray where it is switched on, know no single resources.",
  },
  {
    finding: wildcard("arn:[^ ]+:states:[^ ]+:execution:cloister-[a-z-]+:\\*"),
    on: machine,
    reason: "A nested execution gets its name when it is started.",
  },
  {
    finding: wildcard("\\*"),
    on: /^CloisterWorkflow\/[a-z-]+\/Role\/DefaultPolicy\/Resource$/,
    reason: "X-Ray, where the option switches it on, knows no single resources.",
  },
  {
    finding: /^AwsSolutions-SMG4$/,
    on: /^CloisterWorkflow\/Triggers\/WebhookSecret\/Resource$/,
    reason: "The other end has to learn a new secret first; whoever runs both rotates it by hand.",
  },
  {
    finding: /^AwsSolutions-SMG4$/,
    on: /^CloisterWorkflow\/CallersSecret\/Resource$/,
    reason: "Callers have to learn a new secret first; two are valid for each while whoever runs both sides changes over.",
  },
  {
    finding:
      /^AwsSolutions-IAM4\[Policy::arn:<AWS::Partition>:iam::aws:policy\/service-role\/AmazonAPIGatewayPushToCloudWatchLogs\]$/,
    on: /^CloisterAccess\/Api\/Rest\/CloudWatchRole\/Resource$/,
    reason:
      "API Gateway's own role for writing logs, one for the account; AWS keeps its policy in step with what the service writes.",
  },
  {
    finding: /^AwsSolutions-APIG2$/,
    on: /^CloisterAccess\/(?:Hmac)?Api\/Rest\/Resource$/,
    reason:
      "The handler names every faulty field at once, as RFC 9457 problem details; API Gateway would stop at its own first words.",
  },
  {
    finding: /^AwsSolutions-COG4$/,
    on: /^CloisterAccess\/(?:Hmac)?Api\/Rest\/Default\//,
    reason:
      "Callers are systems, not people of a user pool: every method wants a signature, by IAM (SigV4) or by a secret (HMAC).",
  },
  {
    finding: /^AwsSolutions-APIG3$/,
    on: /^CloisterAccess\/(?:Hmac)?Api\/Rest\/DeploymentStage/,
    reason: "Nothing is reached without a valid signature; a web ACL costs money each month and is the deployer's to add.",
  },
  {
    finding: /^AwsSolutions-SF2$/,
    on: machine,
    reason: "X-Ray costs money for each state and shows less than the execution's own history; the option xray switches it on.",
  },
];

/** Acknowledges what stands in the table, each finding on its construct with its reason. What does not stand there fails the synthesis. */
export function acknowledge(app: App, used: (row: Acknowledgement) => void): void {
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  for (const { ruleName, violatingResources } of violations) {
    for (const { constructPath } of violatingResources) {
      const row = acknowledgements.find(({ finding, on }) => finding.test(ruleName) && on.test(constructPath ?? ""));
      const construct = row && app.node.findAll().find(({ node: { path } }) => path === constructPath);
      if (row === undefined || construct === undefined) continue;
      Validations.of(construct).acknowledge({ id: ruleName, reason: row.reason });
      used(row);
    }
  }
}
