import { Duration, SecretValue } from "aws-cdk-lib";
import {
  ApiDestination,
  Authorization,
  Connection,
  EventField,
  type EventPattern,
  HttpMethod,
  type IApiDestination,
  type IRuleTarget,
  Rule,
  RuleTargetInput,
} from "aws-cdk-lib/aws-events";
import { ApiDestination as ApiDestinationTarget, SfnStateMachine } from "aws-cdk-lib/aws-events-targets";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { type Machine, machineArn } from "./machine.ts";
import type { Options } from "./options.ts";

/** What EventBridge could not deliver in a day, 20 times tried, waits here for a person. */
const delivery = { retryAttempts: 20, maxEventAge: Duration.hours(24) };

/** What starts machines without a person, and what tells other systems how executions go. */
export class Triggers extends Construct {
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, machines: ReadonlyMap<string, Machine>, options: Options) {
    super(scope, id);
    this.deadLetters = new Queue(this, "DeadLetters", {
      queueName: "cloister-dead-letters",
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.#rebuildOnEvent(machines);
    if (options.webhookUrl !== null) this.#webhook(options.webhookUrl, [...machines.keys()]);
  }

  /** Anybody who may put events on the account's default bus may ask for a rebuild, of a cluster by its name. */
  #rebuildOnEvent(machines: ReadonlyMap<string, Machine>): void {
    const rebuild = machines.get("rebuild-cluster");
    if (rebuild === undefined) throw new RangeError("there is no machine that rebuilds");
    this.#rule("RebuildOnEvent", "A custom event asks for a cluster's rebuild", {
      // Ours are announcements; this one comes from others, and `detail.name` must be there.
      pattern: { source: ["cloister"], detailType: ["Rebuild Cluster"], detail: { name: [{ exists: true }] } },
      target: new SfnStateMachine(rebuild.stateMachine, {
        ...delivery,
        deadLetterQueue: this.deadLetters,
        input: RuleTargetInput.fromObject({ name: EventField.fromPath("$.detail.name"), trigger: "event" }),
      }),
    });
  }

  /** Every change of an execution's status as Step Functions tells it, posted without the execution's input and output. */
  #webhook(url: string, machines: readonly string[]): void {
    const secret = new Secret(this, "WebhookSecret", {
      description: "Cloister: sent to the webhook as X-Cloister-Secret",
      generateSecretString: { passwordLength: 48, excludePunctuation: true },
    });
    const connection = new Connection(this, "WebhookConnection", {
      description: "Cloister: the webhook's secret",
      authorization: Authorization.apiKey("X-Cloister-Secret", SecretValue.secretsManager(secret.secretArn)),
    });
    const destination = new ApiDestination(this, "Webhook", {
      connection,
      endpoint: url,
      httpMethod: HttpMethod.POST,
      rateLimitPerSecond: 10,
    });
    // The cast: CDK's class declares a property as `string | undefined` that its interface has as an optional string.
    const fields = ["executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate", "error", "cause"];
    this.#rule("StatusChanges", "Status changes of our executions, to the webhook", {
      pattern: {
        source: ["aws.states"],
        detailType: ["Step Functions Execution Status Change"],
        detail: { stateMachineArn: machines.map(machineArn) },
      },
      target: new ApiDestinationTarget(destination as IApiDestination, {
        ...delivery,
        deadLetterQueue: this.deadLetters,
        event: RuleTargetInput.fromObject(
          Object.fromEntries(fields.map((field) => [field, EventField.fromPath(`$.detail.${field}`)])),
        ),
      }),
    });
  }

  #rule(id: string, description: string, { pattern, target }: { pattern: EventPattern; target: IRuleTarget }): void {
    new Rule(this, id, { description: `Cloister: ${description}`, eventPattern: pattern, targets: [target] });
  }
}
