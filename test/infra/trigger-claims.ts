import { strict as assert } from "node:assert";
import { test } from "node:test";
import { FleetRun, RebuildInput } from "../../functions/domain/rebuild.ts";
import { hears, type Transformer, transformed } from "./event-pattern.ts";
import { ofType, only, type Synthesis } from "./template.ts";

/** What holds of the rules by which EventBridge calls, and by which it tells others. `machines` are the files of statemachine/. */
export function triggerClaims({ workflow }: Synthesis, machines: readonly string[], webhookUrl: string | null): void {
  test("a custom event starts a rebuild of the cluster that it names, and says that an event did", () => {
    const [, rule] = only(workflow, "AWS::Events::Rule", "Description", "Cloister: A custom event asks for a cluster's rebuild");
    assert.deepEqual(rule.Properties["EventPattern"], {
      source: ["cloister"],
      "detail-type": ["Rebuild Cluster"],
      detail: { name: [{ exists: true }] },
    });
    const [target] = rule.Properties["Targets"] as { Arn: { Ref: string }; InputTransformer: Record<string, unknown> }[];
    const machine = workflow.Resources[target?.Arn.Ref ?? ""];
    assert.equal(machine?.Properties["StateMachineName"], "cloister-rebuild-cluster");
    const template = String(target?.InputTransformer["InputTemplate"]).replace(/<[^>]+>/, '"orchid"');
    const input = RebuildInput.parse(JSON.parse(template));
    assert.deepEqual([input.name, input.trigger], ["orchid", "event"]);
  });

  /** A rule that starts a run over all clusters, and its target. */
  const startsFleet = (description: string) => {
    const [, { Properties: rule }] = only(workflow, "AWS::Events::Rule", "Description", `Cloister: ${description}`);
    const [target] = rule["Targets"] as { Arn: { Ref: string }; Input?: string; InputTransformer?: Transformer }[];
    const machine = workflow.Resources[target?.Arn.Ref ?? ""]?.Properties["StateMachineName"];
    assert.equal(machine, "cloister-rebuild-fleet");
    return { rule, target };
  };

  test("the schedule starts a run over all clusters", () => {
    const { rule, target } = startsFleet("The schedule of rebuilds");
    assert.equal(rule["ScheduleExpression"], "cron(0 3 ? * SUN *)");
    assert.equal(FleetRun.parse(JSON.parse(target?.Input ?? "")).trigger, "schedule");
  });

  test("a new image of whichever line starts a run that is told which line, and nothing else does", () => {
    const { rule, target } = startsFleet("A new image of a line");
    const isHeard = (change: Readonly<Record<string, unknown>>): boolean => hears(rule["EventPattern"], changeOf(change));
    for (const name of ["/cloister/_ami/default", "/cloister/_ami/arm64"])
      for (const operation of ["Create", "Update"]) assert.ok(isHeard({ name, operation }), `${operation} ${name}`);
    for (const name of [
      "/cloister/_ami",
      "/cloister/_amis/arm64",
      "/cloister/_bundle/arm64",
      "/cloister/orchid/g1/join",
      "x/cloister/_ami/arm64",
    ])
      assert.ok(!isHeard({ name, operation: "Update" }), name);
    for (const operation of ["Delete", "LabelParameterVersion"])
      assert.ok(!isHeard({ name: "/cloister/_ami/arm64", operation }), operation);
    const event = changeOf({ name: "/cloister/_ami/arm64", operation: "Update" });
    assert.ok(!hears(rule["EventPattern"], { ...event, source: "cloister" }));
    const { trigger, parameter } = FleetRun.parse(
      JSON.parse(transformed(target?.InputTransformer ?? assert.fail("the event is not handed over"), event)),
    );
    assert.deepEqual([trigger, parameter], ["image", "/cloister/_ami/arm64"]);
  });

  test("the watcher hears of every bad end of ours, and the sweep runs every 15 minutes", () => {
    const called = (description: string) => {
      const [, rule] = only(workflow, "AWS::Events::Rule", "Description", `Cloister: ${description}`);
      const [target] = rule.Properties["Targets"] as { Arn: { "Fn::GetAtt": [string] } }[];
      return { rule, name: workflow.Resources[target?.Arn["Fn::GetAtt"][0] ?? ""]?.Properties["FunctionName"] };
    };
    const watcher = called("Executions of ours that end badly, to the watcher");
    assert.equal(watcher.name, "cloister-watch-executions");
    const { detail } = watcher.rule.Properties["EventPattern"] as { detail: { status: string[]; stateMachineArn: unknown[] } };
    assert.deepEqual(detail.status, ["FAILED", "TIMED_OUT", "ABORTED"]);
    assert.equal(detail.stateMachineArn.length, machines.length);
    const sweep = called("The sweep, every 15 minutes");
    assert.deepEqual([sweep.name, sweep.rule.Properties["ScheduleExpression"]], ["cloister-sweep-clusters", "rate(15 minutes)"]);
  });

  test("every rule tries for a day, and then keeps the event for a person", () => {
    const rules = ofType(workflow, "AWS::Events::Rule");
    assert.ok(rules.length >= 1);
    const [[queue] = [""]] = ofType(workflow, "AWS::SQS::Queue");
    for (const target of rules.flatMap(([, { Properties }]) => Properties["Targets"] as Record<string, unknown>[])) {
      assert.deepEqual(target["DeadLetterConfig"], { Arn: { "Fn::GetAtt": [queue, "Arn"] } });
      assert.deepEqual(target["RetryPolicy"], { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 20 });
    }
  });

  test("the webhook hears every change of our executions, with a secret, and nothing of what they were given or gave", () => {
    const [destination] = ofType(workflow, "AWS::Events::ApiDestination");
    assert.equal(destination !== undefined, webhookUrl !== null);
    if (destination === undefined) return;
    assert.equal(destination[1].Properties["InvocationEndpoint"], webhookUrl);
    const [, rule] = only(
      workflow,
      "AWS::Events::Rule",
      "Description",
      "Cloister: Status changes of our executions, to the webhook",
    );
    const heard = JSON.stringify(rule.Properties["EventPattern"]);
    for (const file of machines) assert.ok(heard.includes(`:stateMachine:cloister-${file.replace(".asl.json", "")}"`), file);
    const posted = JSON.stringify(rule.Properties["Targets"]);
    assert.match(posted, /\$\.detail\.status/);
    assert.doesNotMatch(posted, /detail\.(?:input|output)/);
    const [[, connection] = assert.fail("no connection")] = ofType(workflow, "AWS::Events::Connection");
    assert.match(JSON.stringify(connection.Properties["AuthParameters"]), /X-Cloister-Secret.*resolve:secretsmanager/);
  });
}

/** An event as AWS's guide to Systems Manager shows it ("Amazon EventBridge event examples for Systems Manager"). */
const changeOf = (change: Readonly<Record<string, unknown>>) => ({
  source: "aws.ssm",
  "detail-type": "Parameter Store Change",
  account: "111122223333",
  region: "us-west-2",
  detail: { type: "String", description: "", ...change },
});
