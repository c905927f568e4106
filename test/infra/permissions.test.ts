import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { loneFunctions, catalogue as steps } from "../../functions/catalogue.ts";
import { interfaceEndpointPolicy } from "../../functions/domain/endpoint-policies.ts";
import type { Grant, Place } from "../../infra/permissions/grants.ts";
import { callsOf, grantsOf, stepCalls } from "../../infra/permissions/steps.ts";
import { secretId } from "../../rehearsal/serve/api-gateway.ts";
import { judge, type Policy, type Request } from "../../rehearsal/world/iam.ts";
import { asked } from "./authorization.ts";
import { type Observed, observe } from "./observed.ts";
import { ofType, only, resolve, type Synthesis, synthesize } from "./template.ts";

/** All that runs in Lambda. */
const catalogue: readonly { readonly name: string }[] = [...steps, ...loneFunctions];
const synthesis = synthesize("us-west-2", { bundleBucket: "cloister-bundles", hmacCallers: "true" });
const observed = await observe();

/** The account's own names for what the stack makes: the rehearsal's bucket and roles. */
const attributes = (reference: string): string => {
  if (/^Records\w+\.Arn$/.test(reference)) return "arn:aws:s3:::cloister-111122223333";
  if (/^ControlPlaneRole\w+\.Arn$/.test(reference)) return "arn:aws:iam::111122223333:role/cloister-control-plane";
  if (/^WorkerRole\w+\.Arn$/.test(reference)) return "arn:aws:iam::111122223333:role/cloister-worker";
  if (/^DeadLetters\w+\.Arn$/.test(reference)) return "arn:aws:sqs:us-west-2:111122223333:cloister-dead-letters";
  const log = /^([a-z]+)Log\w+\.Arn$/.exec(reference);
  if (log !== null) return `arn:aws:logs:us-west-2:111122223333:log-group:${log[1]}:*`;
  if (/^CallersSecret\w+$/.test(reference)) return secretId;
  throw new RangeError(`what ${reference} stands for is not known`);
};

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
}

const many = (value: string | readonly string[]): readonly string[] => (typeof value === "string" ? [value] : value);

/** A role's policies as IAM would get them. */
function policiesOf({ workflow }: Synthesis, roleId: string): readonly Policy[] {
  const inline = workflow.Resources[roleId]?.Properties["Policies"] as { PolicyDocument: unknown }[];
  const attached = ofType(workflow, "AWS::IAM::Policy").map(
    ([, { Properties }]) => Properties as { Roles: unknown; PolicyDocument: unknown },
  );
  const own = attached.filter(({ Roles }) => JSON.stringify(Roles) === JSON.stringify([{ Ref: roleId }]));
  return [...inline, ...own].map(({ PolicyDocument }) => resolve(PolicyDocument, synthesis, attributes) as Policy);
}

function policiesOfStep(step: string): readonly Policy[] {
  const [, { Properties }] = only(synthesis.workflow, "AWS::Lambda::Function", "FunctionName", `cloister-${step}`);
  return policiesOf(synthesis, (Properties["Role"] as { "Fn::GetAtt": [string] })["Fn::GetAtt"][0]);
}

const statementsOf = (policies: readonly Policy[]) => policies.flatMap(({ Statement }) => Statement as readonly Statement[]);
const place: Place = {
  partition: "aws",
  region: "us-west-2",
  account: "111122223333",
  bucketArn: "arn:aws:s3:::cloister-111122223333",
  bundleBucketArn: "arn:aws:s3:::cloister-bundles",
  nodeRoleArns: [],
  imageOwners: ["111122223333"],
  callersSecretArn: "*",
};

/** The table's name for a call that was made. */
function rowOf({ step, service, operation, input }: Observed): string {
  const key = String(input["Key"] ?? "");
  const kind =
    service === "s3" ? (key.startsWith("clusters/") ? "record" : key.startsWith("evidence/") ? "evidence" : "bundle") : null;
  if (operation === "ListObjectsV2") return "s3:ListObjectsV2";
  if (kind !== null) return `s3:${operation} ${kind}`;
  if (operation === "SendCommand") return `ssm:SendCommand ${String(input["DocumentName"]).replace("cloister-", "")}`;
  if (operation === "StartExecution") return `sfn:StartExecution ${String(input["stateMachineArn"]).split(":").at(-1)}`;
  if (operation === "GetParameter") return `ssm:GetParameter ${/_bundle/.test(String(input["Name"])) ? "bundle" : "image"}`;
  if (operation === "DeleteParameter") return `ssm:DeleteParameter ${step === "revoke-join" ? "join" : "generation"}`;
  if (operation === "GetParametersByPath")
    return `ssm:GetParametersByPath ${/\/g\d+$/.test(String(input["Path"])) ? "generation" : "cluster"}`;
  if (operation === "RevokeSecurityGroupEgress" && step === "delete-network") return "ec2:RevokeSecurityGroupEgress leaked";
  return `${service}:${operation}`;
}

test("the stories make every step of the catalogue call something", () => {
  assert.ok(observed.length > 1000, `${observed.length} calls`);
  assert.deepEqual([...new Set(observed.map(({ step }) => step))].sort(), catalogue.map(({ name }) => name).sort());
});

describe("a step's role", () => {
  for (const { name } of catalogue) {
    const made = observed.filter(({ step }) => step === name);
    const policies = policiesOfStep(name);

    test(`${name}: every call that it makes is allowed`, () => {
      const denied = new Set<string>();
      for (const call of made) {
        const requests = asked(call);
        assert.ok(requests.length > 0);
        for (const request of requests) {
          if (judge(policies, request) === "denied")
            denied.add(`${call.operation}: ${request.action} on ${request.resource} with ${JSON.stringify(request.context)}`);
        }
      }
      assert.deepEqual([...denied], []);
    });

    test(`${name}: every action that it may do stands in the row of a call that it made`, () => {
      const rows = [...new Set(made.map(rowOf))];
      // Lambda itself writes the log, with the function's role, and an event on which the function failed to the end.
      const isOnEvents = loneFunctions.some((lone) => lone.name === name && lone.folder === "watch");
      const explained = new Set(["logs:CreateLogStream", "logs:PutLogEvents", ...(isOnEvents ? ["sqs:SendMessage"] : [])]);
      for (const row of rows) for (const { action } of grantsOf(row, place)) explained.add(action);
      const allowed = statementsOf(policies).flatMap(({ Action }) => many(Action));
      assert.deepEqual(
        allowed.filter((action) => !explained.has(action)),
        [],
      );
      assert.deepEqual([...callsOf(name)].sort(), rows.sort(), "the step's list in infra/permissions/steps.ts");
    });
  }

  test("of no step that does not exist is spoken", () => {
    const names = new Set(catalogue.map(({ name }) => name));
    assert.deepEqual(
      Object.keys(stepCalls).filter((step) => !names.has(step)),
      [],
    );
  });

  test("every action has a source at AWS, and what writes is limited to what is ours", () => {
    const rows = new Set(Object.values(stepCalls).flat());
    const grants = [...rows].flatMap((row) => grantsOf(row, place));
    assert.ok(grants.length > 100);
    for (const grant of grants) {
      assert.match(grant.source, /^https:\/\/docs\.aws\.amazon\.com\//, grant.action);
      if (isRead(grant) || (grant.unlimited ?? "").length > 40) continue;
      assert.ok(!grant.resources.includes("*"), `${grant.action} on everything`);
      if (/^(?:ec2|elasticloadbalancing):/.test(grant.action)) assert.ok(grant.condition, `${grant.action} on whatever there is`);
    }
  });
});

const isRead = ({ action }: Grant): boolean => /:(?:Describe|Get|List)/.test(action);

describe("a step that goes wrong", () => {
  const ask = (action: string, resource: string, context: Record<string, string>): Request => ({ action, resource, context });
  const ec2 = (path: string) => `arn:aws:ec2:us-west-2:111122223333:${path}`;
  const parameter = (path: string) => `arn:aws:ssm:us-west-2:111122223333:parameter/cloister/${path}`;
  const theirs: readonly (readonly [string, string, Request])[] = [
    ["wait-for-nodes", "ends no instance of others", ask("ec2:TerminateInstances", ec2("instance/i-1"), {})],
    ["create-network", "deletes no VPC of others", ask("ec2:DeleteVpc", ec2("vpc/vpc-1"), {})],
    ["create-network", "makes no VPC without our tag", ask("ec2:CreateVpc", ec2("vpc/new"), {})],
    [
      "create-network",
      "gives our tag to nothing that exists",
      ask("ec2:CreateTags", ec2("vpc/vpc-1"), { "aws:RequestTag/cloister:cluster": "orchid" }),
    ],
    [
      "create-network",
      "opens no security group of others",
      ask("ec2:AuthorizeSecurityGroupIngress", ec2("security-group/sg-1"), { "aws:ResourceTag/Name": "theirs" }),
    ],
    [
      "launch-nodes",
      "hands no other role to a machine",
      ask("iam:PassRole", "arn:aws:iam::111122223333:role/admin", { "iam:PassedToService": "ec2.amazonaws.com" }),
    ],
    [
      "launch-nodes",
      "launches no stranger's image",
      ask("ec2:RunInstances", "arn:aws:ec2:us-west-2::image/ami-1", { "ec2:Owner": "999988887777" }),
    ],
    [
      "check-dns",
      "sends no document but its own",
      ask("ssm:SendCommand", "arn:aws:ssm:us-west-2:111122223333:document/AWS-RunShellScript", {}),
    ],
    [
      "check-dns",
      "commands no machine of others",
      ask("ssm:SendCommand", ec2("instance/i-1"), { "ssm:resourceTag/Name": "theirs" }),
    ],
    [
      "release-lock",
      "writes no evidence",
      ask("s3:PutObject", "arn:aws:s3:::cloister-111122223333/evidence/orchid/g1/certificate.json", {}),
    ],
    [
      "certify-isolation",
      "changes no record",
      ask("s3:PutObject", "arn:aws:s3:::cloister-111122223333/clusters/orchid/record.json", {}),
    ],
    ["validate-request", "reads no secret of a cluster", ask("ssm:GetParameter", parameter("orchid/g1/kubeconfig"), {})],
    ["pick-cluster", "reads no secret of a cluster", ask("ssm:GetParameter", parameter("orchid/g1/join"), {})],
    ["pick-cluster", "reads no line of bundles", ask("ssm:GetParameter", parameter("_bundle/default"), {})],
    ["pick-cluster", "writes no line", ask("ssm:PutParameter", parameter("_ami/default"), {})],
    [
      "pick-cluster",
      "writes no evidence",
      ask("s3:PutObject", "arn:aws:s3:::cloister-111122223333/evidence/orchid/g1/certificate.json", {}),
    ],
    ["revoke-join", "deletes no kubeconfig", ask("ssm:DeleteParameter", parameter("orchid/g1/kubeconfig"), {})],
  ];
  for (const [step, claim, request] of theirs)
    test(`${step} ${claim}`, () => assert.equal(judge(policiesOfStep(step), request), "denied"));
});

describe("a node's role", () => {
  const roleOf = (kind: string) =>
    Object.keys(synthesis.workflow.Resources).find((id) => new RegExp(`^${kind}Role[0-9A-F]+$`).test(id)) ?? assert.fail(kind);
  const roles = { ControlPlane: policiesOf(synthesis, roleOf("ControlPlane")), Worker: policiesOf(synthesis, roleOf("Worker")) };
  const execution = "arn:aws:states:us-west-2:111122223333:execution:build-cluster:one";
  /** What cluster A's own ssm endpoint lets through. */
  const doorOfA = interfaceEndpointPolicy("ssm", { cluster: "alder", generation: 1, execution } as never, {
    account: "111122223333",
    region: "us-west-2",
  }) as Policy;
  const from = (vpc: string): Record<string, string> => ({
    "aws:PrincipalAccount": "111122223333",
    "aws:SourceVpc": vpc,
    "aws:EC2InstanceSourceVPC": "vpc-alder",
    "ec2:SourceInstanceARN": "arn:aws:ec2:us-west-2:111122223333:instance/i-1",
    "aws:ViaAWSService": "false",
  });
  const secret = (cluster: string, name: string) => `arn:aws:ssm:us-west-2:111122223333:parameter/cloister/${cluster}/g1/${name}`;
  const reaches = (kind: keyof typeof roles, action: string, resource: string, vpc = "vpc-alder"): boolean => {
    const request = { action, resource, context: from(vpc) };
    return judge(roles[kind], request) === "allowed" && judge([doorOfA], request) === "allowed";
  };

  test("lets a control plane write the join secret and the kubeconfig, and a worker read the former alone", () => {
    const may = (kind: keyof typeof roles) =>
      ["join", "kubeconfig"].flatMap((name) =>
        ["GetParameter", "PutParameter"]
          .filter((verb) => reaches(kind, `ssm:${verb}`, secret("alder", name)))
          .map((verb) => `${verb} ${name}`),
      );
    assert.deepEqual(may("ControlPlane"), ["GetParameter join", "PutParameter join", "PutParameter kubeconfig"]);
    assert.deepEqual(may("Worker"), ["GetParameter join"]);
  });

  test("of cluster A gets none of cluster B's secrets through the door of its own VPC", () => {
    for (const kind of ["ControlPlane", "Worker"] as const) {
      assert.ok(reaches(kind, "ssm:GetParameter", secret("alder", "join")));
      for (const verb of ["ssm:GetParameter", "ssm:PutParameter"])
        for (const name of ["join", "kubeconfig"])
          assert.equal(reaches(kind, verb, secret("birch", name)), false, `${kind} ${verb} ${name}`);
    }
  });

  test("is worth nothing outside the VPC of the machine that it was given to", () => {
    for (const [kind, policies] of Object.entries(roles)) {
      for (const vpc of ["vpc-birch", ""]) {
        const request = { action: "ssm:GetParameter", resource: secret("birch", "join"), context: from(vpc) };
        assert.equal(judge(policies, request), "denied", `${kind} from ${vpc || "the Internet"}`);
      }
    }
  });

  describe("of a control plane of cluster A", () => {
    const ec2 = (path: string) => `arn:aws:ec2:us-west-2:111122223333:${path}`;
    const elb = (path: string) => `arn:aws:elasticloadbalancing:us-west-2:111122223333:${path}`;
    const owner = (cluster: string) => ({ cluster, generation: 1, execution }) as never;
    const place = { account: "111122223333", region: "us-west-2" };
    const doors = ["ec2", "elasticloadbalancing"].map(
      (service) => interfaceEndpointPolicy(service, owner("alder"), place) as Policy,
    );
    /** Its role and the door that leads there. */
    const may = (action: string, resource: string, context: Request["context"] = {}): boolean => {
      const request = { action, resource, context: { ...from("vpc-alder"), ...context } };
      const door = doors[action.startsWith("ec2:") ? 0 : 1] as Policy;
      return judge(roles.ControlPlane, request) === "allowed" && judge([door], request) === "allowed";
    };
    const tag = (of: "Request" | "Resource", tags: Readonly<Record<string, string>>) =>
      Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:${of}Tag/${key}`, value]));
    const asked = (tags: Readonly<Record<string, string>>) => ({ ...tag("Request", tags), "aws:TagKeys": Object.keys(tags) });
    const of = (cluster: string) => ({ [`kubernetes.io/cluster/${cluster}-g1`]: "owned" });
    const service = (cluster: string) => ({ ...of(cluster), "kubernetes.io/service-name": "shop/front" });
    const vpc = (name: string) => ({ "ec2:Vpc": ec2(`vpc/vpc-${name}`) });
    const group = (name: string, tags = {}) => ({ ...vpc(name), ...tag("Resource", tags) });
    const data = (cluster: string) => ({ ...of(cluster), "ebs.csi.aws.com/cluster": "true" });
    const ours = { "cloister:cluster": "alder", Name: "alder-g1-control-plane" };
    const made = (call: string) => ({ "elasticloadbalancing:CreateAction": call });

    test("lets the cloud provider do all that a Service needs, from its first tag to its last group", () => {
      const changes = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"];
      const nodes = { "cloister:cluster": "alder", Name: "alder-g1-load-balancer", ...of("alder") };
      for (const change of changes) assert.ok(may(change, ec2("security-group/sg-1"), group("alder", nodes)), change);
      for (const change of [...changes, "ec2:DeleteSecurityGroup"])
        assert.ok(may(change, ec2("security-group/sg-2"), group("alder", of("alder"))), change);
      assert.ok(may("ec2:CreateSecurityGroup", ec2("vpc/vpc-alder")));
      assert.ok(may("ec2:CreateSecurityGroup", ec2("security-group/*"), asked(of("alder"))));
      const atBirth = { ...asked(of("alder")), "ec2:CreateAction": "CreateSecurityGroup" };
      assert.ok(may("ec2:CreateTags", ec2("security-group/*"), atBirth));
      for (const [call, kind] of [
        ["CreateLoadBalancer", "loadbalancer/net/a1/1"],
        ["CreateLoadBalancer", "loadbalancer/a1"],
        ["CreateTargetGroup", "targetgroup/k8s-1/1"],
        ["CreateListener", "loadbalancer/net/a1/1"],
      ] as const) {
        assert.ok(may(`elasticloadbalancing:${call}`, elb(kind), asked(service("alder"))), call);
        assert.ok(may("elasticloadbalancing:AddTags", elb(kind), { ...asked(service("alder")), ...made(call) }), call);
      }
      for (const [change, kind] of [
        ["RegisterTargets", "targetgroup/k8s-1/1"],
        ["ModifyListener", "listener/net/a1/1/1"],
        ["DeleteLoadBalancer", "loadbalancer/net/a1/1"],
        ["RegisterInstancesWithLoadBalancer", "loadbalancer/a1"],
        ["AddTags", "loadbalancer/a1"],
      ] as const)
        assert.ok(may(`elasticloadbalancing:${change}`, elb(kind), tag("Resource", service("alder"))), change);
    });

    test("changes no group of another VPC, none of ours but the one for load balancers, and gives nobody our tag", () => {
      const change = "ec2:AuthorizeSecurityGroupIngress";
      assert.ok(!may(change, ec2("security-group/sg-9"), group("birch", of("birch"))), "of another cluster");
      assert.ok(!may(change, ec2("security-group/sg-9"), group("default")), "of the account's own VPC");
      assert.ok(!may(change, ec2("security-group/sg-1"), group("alder", ours)), "etcd's door");
      assert.ok(
        !may("ec2:DeleteSecurityGroup", ec2("security-group/sg-1"), group("alder", { ...ours, Name: "alder-g1-load-balancer" })),
      );
      assert.ok(!may("ec2:CreateSecurityGroup", ec2("vpc/vpc-birch")));
      assert.ok(!may("ec2:CreateTags", ec2("instance/i-1"), asked(of("alder"))), "what is there already");
      assert.ok(!may("ec2:CreateTags", ec2("volume/*"), { ...asked(ours), "ec2:CreateAction": "CreateVolume" }));
    });

    test("touches no load balancer that no Service asked for, and none of another cluster's Services", () => {
      for (const tags of [{}, ours, service("birch"), { "kubernetes.io/service-name": "shop/front" }]) {
        const context = tag("Resource", tags);
        for (const change of ["DeleteLoadBalancer", "SetSecurityGroups", "AddTags"])
          assert.ok(
            !may(`elasticloadbalancing:${change}`, elb("loadbalancer/net/a9/1"), context),
            `${change} ${JSON.stringify(tags)}`,
          );
        assert.ok(!may("elasticloadbalancing:RegisterTargets", elb("targetgroup/k8s-9/1"), context));
      }
      const theft = { ...tag("Resource", service("birch")), ...asked(service("alder")) };
      assert.ok(!may("elasticloadbalancing:AddTags", elb("loadbalancer/net/a9/1"), theft), "by our tags on theirs");
      for (const tags of [{}, of("alder"), service("birch")])
        assert.ok(
          !may("elasticloadbalancing:CreateLoadBalancer", elb("loadbalancer/net/a1/1"), asked(tags)),
          JSON.stringify(tags),
        );
    });

    test("makes, attaches and deletes its own cluster's volumes alone, and on nodes of ours alone", () => {
      assert.ok(may("ec2:CreateVolume", ec2("volume/*"), asked(data("alder"))));
      assert.ok(may("ec2:CreateTags", ec2("volume/*"), { ...asked(data("alder")), "ec2:CreateAction": "CreateVolume" }));
      assert.ok(!may("ec2:CreateVolume", ec2("volume/*"), asked(data("birch"))));
      for (const change of ["AttachVolume", "DetachVolume", "DeleteVolume", "ModifyVolume"]) {
        assert.ok(may(`ec2:${change}`, ec2("volume/vol-1"), tag("Resource", data("alder"))), change);
        assert.ok(!may(`ec2:${change}`, ec2("volume/vol-9"), tag("Resource", data("birch"))), change);
      }
      assert.ok(may("ec2:AttachVolume", ec2("instance/i-1"), tag("Resource", ours)));
      assert.ok(!may("ec2:AttachVolume", ec2("instance/i-9")));
    });
  });

  test("reads the bundles' bucket and no other, and leaves the cloud provider's and the volumes' actions to control planes", () => {
    assert.ok(
      judge(roles.Worker, { action: "s3:GetObject", resource: "arn:aws:s3:::cloister-bundles/x", context: from("vpc-alder") }) ===
        "allowed",
    );
    for (const [action, resource] of [
      ["s3:GetObject", "arn:aws:s3:::cloister-111122223333/clusters/alder/record.json"],
      ["ec2:CreateVolume", "*"],
      ["elasticloadbalancing:CreateLoadBalancer", "*"],
      ["ec2:DescribeInstances", "*"],
    ] as const)
      assert.equal(judge(roles.Worker, { action, resource, context: from("vpc-alder") }), "denied", action);
  });
});

describe("the service control policy of docs/", () => {
  const text = readFileSync(new URL("../../docs/service-control-policy.json", import.meta.url), "utf8");
  const everything: Policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
  const may = (role: string, action: string, resource: string, context: Request["context"] = {}): boolean => {
    const principal = { "aws:PrincipalArn": `arn:aws:iam::111122223333:role/${role}` };
    return (
      judge([everything, JSON.parse(text) as Policy], { action, resource, context: { ...principal, ...context } }) === "allowed"
    );
  };
  const node = ["arn:aws:ec2:us-west-2:111122223333:instance/i-1", { "ssm:resourceTag/cloister:cluster": "orchid" }] as const;
  const secret = "arn:aws:ssm:us-west-2:111122223333:parameter/cloister/orchid/g1/kubeconfig";
  const [step, operator] = ["CloisterWorkflow-kubeadminitRole0A1B2C3D-xyz", "ClusterOperator"];

  test("leaves root on nodes and the clusters' secrets to step roles and operators, and other machines alone", () => {
    for (const action of ["ssm:SendCommand", "ssm:StartSession"]) {
      for (const role of [step, operator]) assert.ok(may(role, action, ...node), role);
      assert.ok(!may("Admin", action, ...node), action);
      assert.ok(may("Admin", action, "arn:aws:ec2:us-west-2:111122223333:instance/i-9"), "a machine of others");
    }
    for (const role of [step, operator]) assert.ok(may(role, "ssm:GetParameter", secret), role);
    assert.ok(!may("Admin", "ssm:GetParameter", secret));
    assert.ok(may("Admin", "ssm:GetParameter", "arn:aws:ssm:us-west-2:111122223333:parameter/cloister/_ami/default"));
  });

  test("lets nobody give or take our tags by hand", () => {
    const tags = (...keys: string[]) => ({ "aws:TagKeys": keys });
    for (const action of ["ec2:CreateTags", "ec2:DeleteTags"]) {
      assert.ok(!may("Admin", action, "*", tags("Name", "cloister:cluster")), action);
      assert.ok(may("Admin", action, "*", tags("Name")), action);
    }
    assert.ok(may(step, "ec2:CreateTags", "*", tags("cloister:cluster")));
  });
});
