import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { loneFunctions, catalogue as steps } from "../../functions/catalogue.ts";
import { documents } from "../../functions/domain/documents.ts";
import * as errors from "../../functions/errors.ts";
import { acknowledgements } from "../../infra/acknowledgements.ts";
import project from "../../package.json" with { type: "json" };
import type { Clients } from "../../scripts/cloister/host.ts";
import { changeFunction, readSite } from "../../scripts/cloister/site.ts";
import { accessClaims } from "./access-claims.ts";
import { ofType, only, type Resource, type Synthesis, synthesize, type Template } from "./template.ts";
import { triggerClaims } from "./trigger-claims.ts";

/** All that runs in Lambda; callers with secrets are let in only where that was chosen. */
const catalogueOf = (isChosen: boolean): readonly { readonly name: string }[] =>
  [...steps, ...loneFunctions].filter(({ name }) => isChosen || name !== "authorize-caller");
const seconds = (name: string): number => {
  const folder = loneFunctions.find((lone) => `cloister-${lone.name}` === name)?.folder;
  return folder === undefined ? 60 : { watch: 300, api: 29 }[folder];
};

const chosen = {
  bundleBucket: "bundles-of-ours",
  permissionsBoundary: "our-boundary",
  trustedImageOwners: ["444455556666"],
  alarmTopicArn: "arn:aws:sns:us-west-2:111122223333:pager",
  xray: "true",
  hmacCallers: "true",
  apiVpcEndpoints: '["vpce-0123456789abcdef0"]',
  logRetentionDays: "30",
};
/** CloudFormation knows no API destinations in GovCloud. */
const withWebhook = { ...chosen, webhookUrl: "https://hooks.example.com/cloister" };
const sets: readonly (readonly [string, Readonly<Record<string, unknown>> & { readonly webhookUrl?: string }])[] = [
  ["us-west-2", {}],
  ["us-west-2", withWebhook],
  ["us-gov-west-1", {}],
  ["us-gov-west-1", chosen],
];
const syntheses = sets.map(([region, context]) => ({
  region,
  context,
  synthesis: synthesize(region, context),
  isChosen: "xray" in context,
}));

const folder = new URL("../../statemachine/", import.meta.url);
const runbook = readFileSync(new URL("../../docs/runbook.md", import.meta.url), "utf8");
const machines = readdirSync(folder).filter((file) => file.endsWith(".asl.json"));

test("cdk-nag has no finding but acknowledged ones, and no acknowledgement is for nothing", () => {
  const used = new Set(syntheses.flatMap(({ synthesis }) => [...synthesis.used]));
  const isNesting = machines.some((file) => readFileSync(new URL(file, folder), "utf8").includes(":states:startExecution"));
  for (const row of acknowledgements) {
    assert.ok(row.reason.length > 30, `${row.finding} has no reason`);
    if (row.reason.includes("nested") && !isNesting) continue;
    assert.ok(used.has(row), `nothing falls under ${row.finding} on ${row.on}`);
  }
});

test("a Region of another partition is refused before anything is synthesized", () => {
  for (const region of ["cn-northwest-1", "us-isof-south-1"])
    assert.throws(() => synthesize(region), { name: "RangeError", message: /partitions aws and aws-us-gov alone/ });
});

test("the runbook has an entry for every alarm, every error and every end that has a name of its own, and none for nothing", () => {
  const alarms = syntheses.flatMap(({ synthesis }) => ofType(synthesis.workflow, "AWS::CloudWatch::Alarm"));
  const ends = machines.flatMap((file) => [...readFileSync(new URL(file, folder), "utf8").matchAll(/"Error": "(\w+)"/g)]);
  const thrown = Object.values(errors).filter((one) => one !== errors.StepError) as (new (message: string) => Error)[];
  const wanted = [
    ...alarms.map(([, { Properties }]) => String(Properties["AlarmName"])),
    ...thrown.map((one) => new one("").name),
    ...ends.map(([, name = ""]) => name),
  ];
  assert.ok(thrown.length >= 11 && alarms.length >= 7 && ends.length >= 1);
  const entries = runbook.split(/^### /m).slice(1);
  assert.deepEqual(entries.map((entry) => entry.split("\n")[0]).sort(), [...new Set(wanted)].sort());
  for (const entry of entries)
    for (const part of ["Means", "Look at", "[Dd]o"]) assert.match(entry, new RegExp(`\\*\\*${part}\\*\\*`), entry.slice(0, 40));
});

for (const { region, context, synthesis, isChosen } of syntheses)
  describe(`${region}, ${isChosen ? "everything chosen" : "all defaults"}`, () => {
    claims(synthesis, isChosen);
    triggerClaims(synthesis, machines, context.webhookUrl ?? null);
    accessClaims(synthesis, isChosen);
  });

function claims({ workflow, access, images, partition }: Synthesis, isChosen: boolean): void {
  const templates = [workflow, access, ...(images === null ? [] : [images])];
  const catalogue = catalogueOf(isChosen);
  const functions = ofType(workflow, "AWS::Lambda::Function");

  test("every step is a function of Node 24 on arm64 outside any VPC, with its own role and log group", () => {
    assert.deepEqual(
      functions.map(([, { Properties }]) => Properties["FunctionName"]).sort(),
      catalogue.map((row) => `cloister-${row.name}`).sort(),
    );
    const roles = new Set(functions.map(([, { Properties }]) => JSON.stringify(Properties["Role"])));
    assert.equal(roles.size, functions.length);
    for (const [, { Properties }] of functions) {
      assert.equal(Properties["Runtime"], "nodejs24.x");
      assert.deepEqual(Properties["Architectures"], ["arm64"]);
      assert.equal(Properties["Timeout"], seconds(String(Properties["FunctionName"])));
      assert.equal(Properties["VpcConfig"], undefined);
      assert.deepEqual(Properties["TracingConfig"], isChosen ? { Mode: "Active" } : undefined);
      const log = only(workflow, "AWS::Logs::LogGroup", "LogGroupName", `/aws/lambda/${Properties["FunctionName"]}`);
      assert.equal(log[1].Properties["RetentionInDays"], isChosen ? 30 : 90);
      assert.deepEqual((Properties["LoggingConfig"] as { LogGroup: unknown }).LogGroup, { Ref: log[0] });
    }
  });

  test("every function knows the deployment by the variables that its code reads", () => {
    const read = readFileSync(new URL("../../functions/aws/clients.ts", import.meta.url), "utf8");
    const common = [...read.matchAll(/env\["(CLOISTER_\w+)"\]/g)].map(([, variable]) => variable);
    assert.ok(common.length >= 5);
    for (const [, { Properties }] of functions) {
      const isLone = loneFunctions.some(({ name }) => Properties["FunctionName"] === `cloister-${name}`);
      const wanted = [
        ...common,
        ...(Properties["FunctionName"] === "cloister-authorize-caller"
          ? ["CLOISTER_CALLERS_SECRET"]
          : isLone
            ? ["BUILD", "DESTROY", "REBUILD"].map((action) => `CLOISTER_${action}_MACHINE`)
            : []),
      ].sort();
      const { Variables } = Properties["Environment"] as { Variables: Record<string, unknown> };
      assert.deepEqual(
        Object.keys(Variables)
          .filter((variable) => variable.startsWith("CLOISTER_"))
          .sort(),
        wanted,
      );
    }
  });

  for (const file of machines) {
    const machine = file.replace(".asl.json", "");
    const [, deployed] = only(workflow, "AWS::StepFunctions::StateMachine", "StateMachineName", `cloister-${machine}`);
    test(`the deployed graph of ${machine} is the file's, state for state`, () => sameGraph(file, deployed));
    test(`${machine} calls published versions that outlive a deploy, and may call nothing else`, () =>
      callsVersions(workflow, deployed));
    test(`${machine} may start exactly the machines that it names, and follow them to their end`, () =>
      startsNamed(workflow, deployed));
    test(`${machine} logs everything, and traces only where it was asked to`, () => {
      assert.equal((deployed.Properties["LoggingConfiguration"] as { Level: string }).Level, "ALL");
      assert.deepEqual(deployed.Properties["TracingConfiguration"] ?? { Enabled: false }, { Enabled: isChosen });
    });
  }

  test("the stack tells the cloister command all that it asks for, and has the function that changes records", async () => {
    const machine = `arn:${partition}:states:us-west-2:111122223333:stateMachine:cloister-build-cluster`;
    const Outputs = Object.entries(workflow.Outputs ?? {}).map(([OutputKey, { Value }]) => ({
      OutputKey,
      OutputValue: OutputKey.endsWith("machine") ? machine : String(Value),
    }));
    const cloudFormation = { send: async () => ({ Stacks: [{ Outputs }] }), config: { region: async () => "us-west-2" } };
    const site = await readSite({ cloudFormation } as unknown as Clients);
    assert.equal(site.version, project.version);
    assert.deepEqual(site.trustedImageOwners, isChosen ? chosen.trustedImageOwners : []);
    only(workflow, "AWS::Lambda::Function", "FunctionName", changeFunction);
  });

  test("a target group makes load balancing's service-linked role be there before a node asks for a load balancer", () => {
    const groups = ofType(workflow, "AWS::ElasticLoadBalancingV2::TargetGroup");
    assert.deepEqual(
      groups.map(([, { Properties }]) => Properties),
      [{ Name: "cloister-service-linked-role", TargetType: "lambda" }],
    );
  });

  test("nothing names a partition: it is CloudFormation's to say", () => {
    for (const { Resources } of templates) {
      // The topic is the deployer's own word.
      const text = JSON.stringify(Resources).replaceAll(chosen.alarmTopicArn, "");
      assert.doesNotMatch(text, /arn:aws(?:-cn|-us-gov)?:/, partition);
    }
  });

  test("a permissions boundary bounds every role, where one is given", () => {
    const roles = ofType(workflow, "AWS::IAM::Role");
    assert.ok(roles.length >= catalogue.length + 3);
    for (const [id, { Properties }] of roles) {
      const boundary = JSON.stringify(Properties["PermissionsBoundary"] ?? "");
      assert.equal(boundary.includes("policy/our-boundary"), isChosen, id);
    }
    assert.deepEqual(ofType(workflow, "AWS::IAM::ManagedPolicy"), []);
    assert.doesNotMatch(JSON.stringify(roles), /ManagedPolicyArns/);
  });

  test("buckets are private, versioned, encrypted, reached by TLS only, and outlive their stack", () => {
    const buckets = templates.flatMap((template) => ofType(template, "AWS::S3::Bucket").map((bucket) => ({ template, bucket })));
    assert.equal(buckets.length, isChosen ? 1 : 2);
    for (const { template, bucket } of buckets) {
      const [id, { Properties, DeletionPolicy }] = bucket;
      assert.equal(DeletionPolicy, "Retain");
      assert.deepEqual(Properties["VersioningConfiguration"], { Status: "Enabled" });
      assert.ok(Properties["BucketEncryption"]);
      assert.ok(Object.values(Properties["PublicAccessBlockConfiguration"] as object).every((blocked) => blocked === true));
      const [, policy] = only(template, "AWS::S3::BucketPolicy", "Bucket", { Ref: id });
      assert.match(JSON.stringify(policy), /aws:SecureTransport/);
    }
  });

  test("every document has its script, guards each parameter, and gets a new version instead of a new name", () => {
    const made = ofType(workflow, "AWS::SSM::Document");
    assert.deepEqual(
      made.map(([, { Properties }]) => Properties["Name"]).sort(),
      Object.keys(documents)
        .map((document) => `cloister-${document}`)
        .sort(),
    );
    for (const [, { Properties }] of made) {
      assert.equal(Properties["UpdateMethod"], "NewVersion");
      const content = Properties["Content"] as { schemaVersion: string; parameters: Record<string, Record<string, string>> };
      assert.equal(content.schemaVersion, "2.2");
      for (const parameter of Object.values(content.parameters)) {
        assert.match(parameter["allowedPattern"] ?? "", /^\^.*\$$/);
        assert.equal(parameter["interpolationType"], "ENV_VAR");
      }
    }
  });

  test("every alarm says what it means, and wakes somebody where there is a topic", () => {
    const alarms = ofType(workflow, "AWS::CloudWatch::Alarm");
    assert.ok(alarms.length >= 2);
    for (const [id, { Properties }] of alarms) {
      assert.ok(String(Properties["AlarmDescription"]).length > 40, id);
      assert.deepEqual(Properties["AlarmActions"], isChosen ? [chosen.alarmTopicArn] : undefined);
    }
    assert.equal(ofType(workflow, "AWS::Logs::MetricFilter").length, catalogue.length);
  });

  test("CloudFormation takes it: resources, the template's size, the policies' size", () => {
    for (const template of templates) {
      assert.ok(Object.keys(template.Resources).length < 500);
      assert.ok(Buffer.byteLength(JSON.stringify(template, null, 1)) < 1_000_000);
    }
    // IAM counts a role's inline policies together, without white space.
    for (const [id, { Properties }] of ofType(workflow, "AWS::IAM::Role"))
      assert.ok(JSON.stringify(Properties["Policies"] ?? []).length < 10_240, id);
  });
}

/** The files say `arn:aws:states:::states:startExecution.sync:2`; the partition is the deployment's. */
const nestedStart = `\${StatesStartExecutionSync2}`;

function sameGraph(file: string, { Properties }: Resource): void {
  const shipped: unknown = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
  const text = Properties["DefinitionString"];
  assert.equal(typeof text, "string", "the definition is not in the template as text");
  const deployed: unknown = JSON.parse(String(text).replaceAll(nestedStart, "arn:aws:states:::states:startExecution.sync:2"));
  assert.deepEqual(deployed, shipped);
  const places = new Set([...String(text).matchAll(/\$\{(\w+)\}/g)].map(([, place]) => place));
  const substitutions = Properties["DefinitionSubstitutions"] as Record<string, unknown>;
  for (const place of places) assert.ok(substitutions[place ?? ""] !== undefined, `${place} stays open`);
}

function callsVersions(workflow: Template, { Properties }: Resource): void {
  const substitutions = Properties["DefinitionSubstitutions"] as Record<string, unknown>;
  const called = steps.flatMap(({ arn }) => (substitutions[arn] === undefined ? [] : [substitutions[arn]]));
  assert.ok(called.length >= 1);
  const functions = called.map((reference) => {
    const version = workflow.Resources[(reference as { Ref: string }).Ref];
    assert.equal(version?.Type, "AWS::Lambda::Version");
    assert.equal(version.DeletionPolicy, "Retain");
    return (version.Properties["FunctionName"] as { Ref: string }).Ref;
  });
  const statements = machineStatements(workflow, Properties);
  const invoked = statements.filter(({ Action }) => Action === "lambda:InvokeFunction").flatMap(({ Resource }) => Resource);
  assert.deepEqual(
    invoked.map((resource) => JSON.stringify(resource)).sort(),
    functions.map((id) => JSON.stringify({ "Fn::Join": ["", [{ "Fn::GetAtt": [id, "Arn"] }, ":*"]] })).sort(),
  );
}

function machineStatements(workflow: Template, properties: Resource["Properties"]) {
  const role = (properties["RoleArn"] as { "Fn::GetAtt": [string, string] })["Fn::GetAtt"][0];
  const policies = ofType(workflow, "AWS::IAM::Policy").filter(
    ([, policy]) => JSON.stringify(policy.Properties["Roles"]) === JSON.stringify([{ Ref: role }]),
  );
  return policies.flatMap(
    ([, policy]) => (policy.Properties["PolicyDocument"] as { Statement: { Action: unknown; Resource: unknown }[] }).Statement,
  );
}

/** What `startExecution.sync:2` needs: the start, a look and a stop, and the rule by which Step Functions hears of the end. */
function startsNamed(workflow: Template, { Properties }: Resource): void {
  const started = machines
    .map((file) => file.replace(".asl.json", ""))
    .filter((machine) => JSON.stringify(Properties["DefinitionSubstitutions"]).includes(`:stateMachine:cloister-${machine}"`));
  const isNesting = String(Properties["DefinitionString"]).includes(nestedStart);
  assert.equal(started.length > 0, isNesting);
  const statements = machineStatements(workflow, Properties);
  const on = (action: string) =>
    JSON.stringify(statements.filter(({ Action }) => [Action].flat().includes(action)).map(({ Resource }) => Resource));
  for (const action of [
    "states:StartExecution",
    "states:DescribeExecution",
    "states:StopExecution",
    "events:PutRule",
    "events:PutTargets",
  ]) {
    assert.equal(on(action) !== "[]", isNesting, action);
    assert.doesNotMatch(on(action), /"\*"/);
  }
  for (const machine of started) {
    assert.match(on("states:StartExecution"), new RegExp(`:stateMachine:cloister-${machine}"`));
    assert.match(on("states:StopExecution"), new RegExp(`:execution:cloister-${machine}:\\*"`));
  }
  if (isNesting) assert.match(on("events:DescribeRule"), /rule\/StepFunctionsGetEventsForStepFunctionsExecutionRule"/);
}
