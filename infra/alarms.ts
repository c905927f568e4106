import { Duration } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, type IMetric, Metric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Topic } from "aws-cdk-lib/aws-sns";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { defects } from "./cloister-function.ts";
import type { Machine } from "./machine.ts";
import type { Options } from "./options.ts";

/** What a person has to look at. A failed build is none of it: whoever asked for it is told, and may have asked for too much. */
export class Alarms extends Construct {
  constructor(
    scope: Construct,
    id: string,
    machines: ReadonlyMap<string, Machine>,
    deadLetters: IQueue,
    { alarmTopicArn }: Options,
  ) {
    super(scope, id);
    const topic = alarmTopicArn === null ? null : Topic.fromTopicArn(this, "Topic", alarmTopicArn);
    const once = (name: string, description: string, metric: IMetric) => {
      const alarm = new Alarm(this, name, {
        alarmName: `cloister-${name}`,
        alarmDescription: description,
        metric,
        threshold: 1,
        evaluationPeriods: 1,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
      if (topic !== null) alarm.addAlarmAction(new SnsAction(topic));
    };
    const period = { period: Duration.minutes(5), statistic: "Sum" };
    once(
      "defect",
      "A step threw DefectError: a fault of Cloister, or an answer of AWS that nobody classified. The step's log has it.",
      new Metric({ namespace: defects.metricNamespace, metricName: defects.metricName, ...period }),
    );
    once(
      "dead-letter",
      "EventBridge could not deliver an event in a day: a rebuild was not started, the watcher or the sweep failed, or the webhook did not answer.",
      deadLetters.metricApproximateNumberOfMessagesVisible({ ...period, statistic: "Maximum" }),
    );
    for (const [machine, { stateMachine }] of machines) {
      once(
        `${machine}-timed-out`,
        `An execution of ${machine} ran into the machine's own limit. No Catch ran: what it made is still there.`,
        stateMachine.metricTimedOut(period),
      );
      if (machine === "build-cluster") continue;
      once(
        `${machine}-failed`,
        `An execution of ${machine} failed; its cause says what is left.`,
        stateMachine.metricFailed(period),
      );
    }
  }
}
