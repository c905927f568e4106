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
  Schedule,
} from "aws-cdk-lib/aws-events";
import {
  ApiDestination as ApiDestinationTarget,
  LambdaFunction as LambdaTarget,
  SfnStateMachine,
} from "aws-cdk-lib/aws-events-targets";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type * as z from "zod";
import { lineFolders } from "../functions/domain/lines.ts";
import type { FleetRun } from "../functions/domain/rebuild.ts";
import type { CloisterFunction } from "./cloister-function.ts";
import { type Machine, machineArn } from "./machine.ts";
import type { Options } from "./options.ts";

/** What EventBridge could not deliver in a day, 20 times tried, waits here for a person. */
const delivery = { retryAttempts: 20, maxEventAge: Duration.hours(24) };

/** As Step Functions tells of standard executions, on the account's default bus. */
const statusChanges = { source: ["aws.states"], detailType: ["Step Functions Execution Status Change"] };

interface When {
  readonly pattern?: EventPattern;
  readonly schedule?: Schedule;
  readonly target: IRuleTarget;
}

export interface TriggersProps {
  readonly machines: ReadonlyMap<string, Machine>;
  /** The functions that no machine calls, by name. */
  readonly functions: ReadonlyMap<string, CloisterFunction>;
  readonly deadLetters: IQueue;
  readonly options: Options;
}

/** What starts machines and watchers without a person, and what tells other systems how executions go. */
export class Triggers extends Construct {
  readonly #deadLetters: IQueue;

  constructor(scope: Construct, id: string, { machines, functions, deadLetters, options }: TriggersProps) {
    super(scope, id);
    this.#deadLetters = deadLetters;
    const names = [...machines.keys()];
    this.#rebuildOnEvent(machines);
    this.#rebuildFleet(machines, options);
    this.#rule("WatchExecutions", "Executions of ours that end badly, to the watcher", {
      pattern: {
        ...statusChanges,
        detail: { stateMachineArn: names.map(machineArn), status: ["FAILED", "TIMED_OUT", "ABORTED"] },
      },
      target: this.#call(functions.get("watch-executions")),
    });
    // The watcher may miss what EventBridge loses; this needs no event (lifecycle 5).
    this.#rule("SweepClusters", "The sweep, every 15 minutes", {
      schedule: Schedule.rate(Duration.minutes(15)),
      target: this.#call(functions.get("sweep-clusters")),
    });
    if (options.webhookUrl !== null) this.#webhook(options.webhookUrl, names);
  }

  #call(called: CloisterFunction | undefined): IRuleTarget {
    if (called === undefined) throw new RangeError("a function that a rule calls is not there");
    return new LambdaTarget(called.function, { ...delivery, deadLetterQueue: this.#deadLetters });
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
        deadLetterQueue: this.#deadLetters,
        input: RuleTargetInput.fromObject({ name: EventField.fromPath("$.detail.name"), trigger: "event" }),
      }),
    });
  }

  /** A schedule, and a new image of any line: each starts a run over the clusters that it is for. */
  #rebuildFleet(machines: ReadonlyMap<string, Machine>, { rebuildSchedule }: Options): void {
    const fleet = machines.get("rebuild-fleet");
    if (fleet === undefined) throw new RangeError("there is no machine that rebuilds the fleet");
    const target = (run: z.input<typeof FleetRun>): IRuleTarget =>
      new SfnStateMachine(fleet.stateMachine, {
        ...delivery,
        deadLetterQueue: this.#deadLetters,
        input: RuleTargetInput.fromObject(run),
      });
    this.#rule("RebuildOnSchedule", "The schedule of rebuilds", {
      schedule: Schedule.expression(rebuildSchedule),
      target: target({ trigger: "schedule" }),
    });
    // Which clusters draw their image from there, and run another one by now, the run finds out.
    this.#rule("RebuildOnImage", "A new image of a line", {
      pattern: {
        source: ["aws.ssm"],
        detailType: ["Parameter Store Change"],
        detail: { name: [{ prefix: lineFolders.image }], operation: ["Create", "Update"] },
      },
      target: target({ trigger: "image", parameter: EventField.fromPath("$.detail.name") }),
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
      pattern: { ...statusChanges, detail: { stateMachineArn: machines.map(machineArn) } },
      target: new ApiDestinationTarget(destination as IApiDestination, {
        ...delivery,
        deadLetterQueue: this.#deadLetters,
        event: RuleTargetInput.fromObject(
          Object.fromEntries(fields.map((field) => [field, EventField.fromPath(`$.detail.${field}`)])),
        ),
      }),
    });
  }

  #rule(id: string, description: string, { pattern, schedule, target }: When): void {
    new Rule(this, id, {
      description: `Cloister: ${description}`,
      ...(pattern && { eventPattern: pattern }),
      ...(schedule && { schedule }),
      targets: [target],
    });
  }
}
