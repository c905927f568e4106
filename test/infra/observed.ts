import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { Stage } from "../../rehearsal/rehearse.ts";
import type { VirtualAccount } from "../../rehearsal/virtual-account.ts";
import type { FaultRule } from "../../rehearsal/world/door.ts";
import type { Call } from "./authorization.ts";

export interface Observed extends Call {
  readonly step: string;
}

interface Story {
  readonly what: string;
  readonly request?: unknown;
  /** How often the request is sent, one after another. */
  readonly times?: number;
  readonly ends: readonly ("SUCCEEDED" | "FAILED")[];
  readonly faults?: readonly Partial<FaultRule>[];
  readonly prepare?: (account: VirtualAccount) => void;
}

const file = new URL("../../statemachine/examples/orchid-ha.json", import.meta.url);
const ha = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
const small = { name: "orchid", workers: { count: 1 }, verify: { volume: false } };

/** What somebody else does to EC2 the moment that the nodes are launched. */
const atLaunch = (account: VirtualAccount, operation: string, input: () => object): void => {
  const { run } = account.world.ec2.operations[operation] ?? assert.fail(`${operation} is not there`);
  account.afterStep.set("launch-nodes", () => void run(input() as never, { kind: "harness" }));
};

/** Between them these make every call that the steps know: a smooth build, lost answers, lost and surplus machines, failures, a second try. */
const stories = (last: (operation: string) => Readonly<Record<string, unknown>>): readonly Story[] => [
  {
    what: "three control planes and public subnets, the answers of VPC and gateway lost, and a worker dies",
    request: { ...ha, network: { ...(ha["network"] as object), publicSubnets: true } },
    ends: ["SUCCEEDED"],
    faults: [
      { operation: "CreateVpc", code: "InternalError", nth: 1, after: true },
      { operation: "CreateInternetGateway", code: "InternalError", nth: 1, after: true },
    ],
    prepare: (account) =>
      atLaunch(account, "TerminateInstances", () => {
        const worker = account.world.ec2.state.instances.all().find(({ tags }) => tags.get("cloister:role") === "worker");
        return { InstanceIds: [worker?.id] };
      }),
  },
  {
    what: "an endpoint that AWS fails to make, and the same request again",
    times: 2,
    ends: ["FAILED", "SUCCEEDED"],
    prepare: ({ world }) => void world.ec2.state.failingEndpoints.add("ssm"),
  },
  {
    what: "a worker too many, as an orphan of an earlier attempt leaves it, and then a script that fails",
    ends: ["FAILED"],
    prepare: (account) => {
      atLaunch(account, "RunInstances", () => ({
        ...last("RunInstances"),
        PrivateIpAddress: undefined,
        ClientToken: "an orphan's",
      }));
      account.document("check-dns", () => "echo no >&2\nexit 1\n");
    },
  },
];

/** Every call that a step makes in the stories, each once for each step and kind of thing it is made on. */
export async function observe(): Promise<readonly Observed[]> {
  const calls: Observed[] = [];
  const last = (operation: string) => calls.findLast((call) => call.operation === operation)?.input ?? {};
  for (const { what, request = small, times = 1, ends, faults = [], prepare } of stories(last)) {
    const rules = faults.map((rule) => ({ operation: "", code: "", nth: 1, after: false, ...rule }));
    const stage = await Stage.open({ request, seed: 5, faults: rules, ...(prepare && { prepare }) });
    listen(stage.account, calls);
    for (let run = 0; run < times; run++) {
      const { outcome } = await stage.build(request, `run-${run}`);
      assert.equal(outcome.status, ends[run], `${what}, run ${run + 1}: ${outcome.error} ${outcome.cause}`);
    }
  }
  return calls;
}

/** Notes every call with the tags that things carry the moment before it. */
function listen({ world }: VirtualAccount, calls: Observed[]): void {
  const attempt = world.door.attempt.bind(world.door);
  world.door.attempt = async (service, operation, input, caller) => {
    if (caller.kind === "function") {
      const isRead = /^(?:Describe|Get|List)/.test(operation);
      const tags = new Map(isRead ? [] : world.inventory().map((item) => [item.id, item.tags]));
      calls.push({ step: caller.step, service, operation, input, tagsOf: (id) => tags.get(id) ?? {} });
    }
    return attempt(service, operation, input, caller);
  };
}
