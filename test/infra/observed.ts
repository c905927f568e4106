import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { ApiGateway } from "../../rehearsal/serve/api-gateway.ts";
import { Stage, type StageOptions } from "../../rehearsal/stage.ts";
import type { VirtualAccount } from "../../rehearsal/virtual-account.ts";
import type { ServiceName } from "../../rehearsal/world/fault.ts";
import type { FaultRule } from "../../rehearsal/world/fault-rule.ts";
import { frontDoor } from "../api/front-door.ts";
import { signedWithSecret } from "../api/signing.ts";
import type { Call as Asking } from "./authorization.ts";

export interface Observed extends Asking {
  readonly step: string;
}

type Story = (listen: (stage: Stage) => Stage) => Promise<void>;

const file = new URL("../../statemachine/examples/orchid-ha.json", import.meta.url);
const ha = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
const small = { name: "orchid", workers: { count: 1 }, verify: { volume: false }, onFailure: "keep" };
const harness = { kind: "harness" } as const;

async function open(
  request: unknown,
  faults: readonly Partial<FaultRule>[] = [],
  scripts: StageOptions["scripts"] = "quick",
): Promise<Stage> {
  const rules = faults.map((rule) => ({ operation: "", code: "", nth: 1, after: false, ...rule }));
  return Stage.open({ request, seed: 5, faults: rules, scripts });
}

async function run(stage: Stage, machine: string, input: unknown, ends: "SUCCEEDED" | "FAILED"): Promise<void> {
  const name = `run-${stage.account.world.stepFunctions.executions.size}`;
  const { outcome } = await stage.run(machine, input, name);
  assert.equal(outcome.status, ends, `${machine} ${name}: ${outcome.error} ${outcome.cause}`);
}

/** What somebody else does to EC2 the moment that the nodes are launched. */
const atLaunch = ({ world, afterStep }: VirtualAccount, operation: string, input: () => object): void => {
  const { run: act } = world.ec2.operations[operation] ?? assert.fail(`${operation} is not there`);
  afterStep.set("launch-nodes", () => void act(input() as never, harness));
};

type Tagged = { readonly id: string; readonly tags: ReadonlyMap<string, string> };

/** What stands in a VPC, by hand: load balancers of both kinds. */
async function balance({ world }: VirtualAccount, call: Call, isOurs: boolean, Tags: readonly object[]): Promise<void> {
  const first = (all: readonly Tagged[]): string =>
    all.find(({ tags }) => tags.has("cloister:cluster") === isOurs)?.id ?? assert.fail("there is none");
  const VpcId = first(world.ec2.state.vpcs.all());
  const Subnets = [first(world.ec2.state.subnets.all())];
  const { GroupId } = await call("ec2", "CreateSecurityGroup", { GroupName: "k8s-elb-a1", Description: "of a Service", VpcId });
  const shared = { Subnets, SecurityGroups: [GroupId], Tags };
  await call("elb", "CreateLoadBalancer", { ...shared, Name: "a0123456789", Type: "network", Scheme: "internal" });
  const Listeners = [{ Protocol: "TCP", LoadBalancerPort: 80, InstanceProtocol: "TCP", InstancePort: 30_000 }];
  await call("elbClassic", "CreateLoadBalancer", { ...shared, LoadBalancerName: "a9876543210", Scheme: "internal", Listeners });
  await call("elb", "CreateTargetGroup", {
    Name: "k8s-leaked",
    Protocol: "TCP",
    Port: 30_000,
    VpcId,
    TargetType: "instance",
    Tags,
  });
}

type Call = (service: ServiceName, operation: string, input: Record<string, unknown>) => Promise<Record<string, string>>;
const callOf =
  ({ world }: VirtualAccount): Call =>
  (service, operation, input) =>
    world.universe.clock.run(world.door.send(service, operation, input, harness)) as Promise<Record<string, string>>;

/** What a cluster's controllers make and leak: load balancers with their groups, a volume and its snapshot. */
async function leak(account: VirtualAccount): Promise<void> {
  const call = callOf(account);
  const cluster = { Key: "kubernetes.io/cluster/orchid-ha-g1", Value: "owned" };
  await balance(account, call, true, [cluster, { Key: "kubernetes.io/service-name", Value: "default/shop" }]);
  const data = (ResourceType: string) => ({
    TagSpecifications: [{ ResourceType, Tags: [cluster, { Key: "ebs.csi.aws.com/cluster", Value: "true" }] }],
  });
  const place = { AvailabilityZone: "us-west-2a", Size: 10, VolumeType: "gp3" };
  const { VolumeId } = await call("ec2", "CreateVolume", { ...place, ...data("volume") });
  await call("ec2", "CreateSnapshot", { VolumeId, ...data("snapshot") });
}

/** A look at the clusters by a caller without IAM credentials. */
async function askWithSecret(stage: Stage): Promise<void> {
  const secret = "s".repeat(40);
  const now = new Date("2026-11-24T12:00:00Z");
  const gateway = new ApiGateway(stage, { principals: [], callers: { ticketing: [secret] }, now: () => now });
  const letter = { method: "GET", path: "/hmac/clusters" };
  const headers = Object.entries(signedWithSecret(letter, { id: "ticketing", secret }, now));
  const arrived = { ...letter, query: new URLSearchParams(), headers, body: Buffer.alloc(0) };
  assert.equal((await stage.account.world.universe.clock.run(gateway.answer(arrived))).status, 200);
}

/** The record as it is when the latest build could not release its lock. */
function holdOn({ account }: Stage): void {
  const { s3, stepFunctions } = account.world;
  const key = `clusters/${ha["name"]}/record.json`;
  const record = JSON.parse(s3.object(account.deployment.bucket, key)?.body ?? assert.fail(key)) as {
    lock: { number: number; holders: unknown[] };
  };
  const execution = [...stepFunctions.executions.keys()].findLast((arn) => arn.includes(":build-cluster:"));
  record.lock.holders.push({ execution, since: "2026-11-24T06:00:00.000Z", number: record.lock.number });
  s3.put(account.deployment.bucket, key, JSON.stringify(record));
}

/** Between them these make every call that the steps know. */
const stories = (last: (operation: string) => Readonly<Record<string, unknown>>): readonly Story[] => [
  async function lostAnswersAndADeadWorkerAndAWholeLife(listen) {
    const request = { ...ha, network: { ...(ha["network"] as object), publicSubnets: true } };
    const lost = ["CreateVpc", "CreateInternetGateway"].map((operation) => ({ operation, code: "InternalError", after: true }));
    const stage = listen(await open(request, lost));
    atLaunch(stage.account, "TerminateInstances", () => {
      const workers = stage.account.world.ec2.state.instances.all().filter(({ tags }) => tags.get("cloister:role") === "worker");
      return { InstanceIds: [workers[0]?.id] };
    });
    const call = frontDoor(stage);
    const ask = async (method: string, path: string, ticket: string, body?: object) => {
      assert.equal((await call(method, path, { ticket, body })).status, 202, `${method} ${path}`);
      const { executions } = stage.account.world.stepFunctions;
      for (const execution of executions.values()) await stage.account.world.universe.clock.run(execution.done);
      const { body: told } = await call("GET", `/requests/${ticket}`);
      assert.equal(told["state"], "SUCCEEDED", JSON.stringify(told["failure"]));
    };
    await ask("POST", "/clusters", "build", request);
    await askWithSecret(stage);
    for (const path of ["/clusters", `/clusters/${ha["name"]}/certificate`]) assert.equal((await call("GET", path)).status, 200);
    await leak(stage.account);
    holdOn(stage);
    for (const kind of ["protect", "unprotect"]) await stage.change(String(ha["name"]), { kind });
    stage.account.afterStep.clear();
    let isChild = true;
    stage.account.afterStep.set("release-lock", () => {
      if (isChild) holdOn(stage);
      isChild = false;
    });
    const next = { ...small, name: ha["name"], rebuild: { on: ["image"] } };
    await ask("POST", `/clusters/${ha["name"]}/rebuild`, "rebuild", next);
    await run(stage, "rebuild-fleet", { trigger: "image", parameter: "/cloister/_ami/default" }, "SUCCEEDED");
    await ask("DELETE", `/clusters/${ha["name"]}`, "destroy");
  },
  async function aFailedEndpointThenAWorkerTooManyAndAScriptThatFails(listen) {
    const stage = listen(await open(small, [], "interpreted"));
    stage.account.world.ec2.state.failingEndpoints.add("ssm");
    stage.account.document("check-dns", () => "echo no >&2\nexit 1\n");
    await run(stage, "build-cluster", small, "FAILED");
    atLaunch(stage.account, "RunInstances", () => ({
      ...last("RunInstances"),
      PrivateIpAddress: undefined,
      ClientToken: "an orphan's",
    }));
    await run(stage, "build-cluster", small, "FAILED");
  },
  async function aRollBackWhileACommandRunsBesideLoadBalancersOfOthers(listen) {
    const request = { ...small, onFailure: "rollback" };
    const stage = listen(await open(request, [{ operation: "SendCommand", code: "AccessDeniedException", nth: 3 }]));
    await balance(stage.account, callOf(stage.account), false, [{ Key: "Name", Value: "theirs" }]);
    await run(stage, "build-cluster", request, "FAILED");
  },
  async function anAbortedBuildBeforeTheWatcherAndTheSweep(listen) {
    const stage = listen(await open(small));
    stage.attend();
    const { stepFunctions, universe } = stage.account.world;
    const Tags = Object.entries({ "cloister:cluster": "violet", "cloister:generation": "4" }).map(([Key, Value]) => ({
      Key,
      Value,
    }));
    const TagSpecifications = [{ ResourceType: "vpc", Tags }];
    await callOf(stage.account)("ec2", "CreateVpc", { CidrBlock: "10.77.0.0/16", TagSpecifications });
    // The first sweep finds what nobody knows, and a build that runs.
    await stage.pass(700);
    const execution = stepFunctions.start("build-cluster", "aborted", small);
    await stage.pass(300);
    execution.stop("Abort", "by a person");
    await universe.clock.run(execution.done);
    await stage.pass(3600);
  },
];

/** Every call that a step makes in the stories. */
export async function observe(): Promise<readonly Observed[]> {
  const calls: Observed[] = [];
  const last = (operation: string) => calls.findLast((call) => call.operation === operation)?.input ?? {};
  for (const story of stories(last)) {
    await story((stage) => {
      listen(stage.account, calls);
      return stage;
    });
  }
  return calls;
}

/** Notes every call with the tags that things carry the moment before it. */
function listen({ world }: VirtualAccount, calls: Observed[]): void {
  const send = world.door.send.bind(world.door);
  world.door.send = async (service, operation, input, caller) => {
    if (caller.kind === "function") {
      const tags = /^(?:Describe|Get|List)/.test(operation) ? new Map() : tagsNow(world);
      calls.push({ step: caller.step, service, operation, input, tagsOf: (id) => tags.get(id) ?? {} });
    }
    return send(service, operation, input, caller);
  };
}

function tagsNow(world: VirtualAccount["world"]): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const associations = world.ec2.state.routeTables
    .all()
    .flatMap((table) => table.associations.map(({ id }) => [id, Object.fromEntries(table.tags)] as const));
  return new Map([...world.inventory().map(({ id, tags }) => [id, tags] as const), ...associations]);
}
