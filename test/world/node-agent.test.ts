import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { Chance } from "../../rehearsal/world/chance.ts";
import { SimClock } from "../../rehearsal/world/clock.ts";
import { startAgent } from "../../rehearsal/world/node/agent.ts";
import type { VirtualNode } from "../../rehearsal/world/node/node.ts";
import type { Surroundings } from "../../rehearsal/world/node/nodes.ts";
import type { ManagedNode } from "../../rehearsal/world/ssm/agents.ts";

type Answer = "yes" | "unreachable" | "denied";

/** An agent alone with its answers: `at` says what AWS answers so many seconds after the machine runs. */
function agent(at: (seconds: number, service: string) => Answer, version = "3.3.3050.0") {
  const clock = new SimClock("2026-11-24T00:00:00Z");
  const start = clock.now();
  const seconds = () => (clock.now() - start) / 1000;
  const asked: number[] = [];
  const registered: { readonly node: ManagedNode; readonly at: number }[] = [];
  const given: Readonly<Record<string, string>>[] = [];
  const permits = (_: string, service: string): Answer => {
    if (service === "ssm") asked.push(seconds());
    return at(seconds(), service);
  };
  const shell = {
    run: async (_: string, environment: Readonly<Record<string, string>>) => {
      given.push(environment);
      return { exitCode: 0, stdout: "", stderr: "" };
    },
  };
  const node = {
    universe: { clock, chance: new Chance(1), region: "us-west-2", account: "111122223333" },
    instance: { id: "i-1", tags: new Map(), address: "10.40.0.10" },
    subject: "worker/10.40.0.10",
    image: { agentVersion: version },
    shell,
    isUp: true,
    agentStarted: false,
    diskFreeAt: 0,
  } as unknown as VirtualNode;
  const register = (managed: ManagedNode) => registered.push({ node: managed, at: seconds() });
  const around = { aws: () => ({ permits }), ssm: { agents: { register } } } as unknown as Surroundings;
  startAgent(node, around, start);
  return { asked, registered, given, pass: (time: number) => clock.run(clock.sleep(time)) };
}

describe("the SSM agent", () => {
  test("registers once when its endpoints answer", async () => {
    const { asked, registered, pass } = agent(() => "yes");
    await pass(3600);
    assert.deepEqual(asked, [2]);
    assert.equal(registered.length, 1);
  });

  test("needs ssmmessages as much as ssm", async () => {
    const { registered, pass } = agent((_, service) => (service === "ssm" ? "yes" : "unreachable"));
    await pass(7200);
    assert.equal(registered.length, 0);
  });

  test("sleeps five minutes, then ten, when it comes before its endpoints", async () => {
    const { asked, registered, pass } = agent((seconds) => (seconds < 60 ? "unreachable" : "yes"));
    await pass(301);
    assert.deepEqual({ asked, registered: registered.length }, { asked: [2], registered: 0 });
    await pass(60);
    assert.deepEqual(asked, [2, 302]);
    assert.ok((registered[0]?.at ?? 0) > 302, "it is Online only after it woke");
    const late = agent(() => "unreachable");
    await late.pass(1600);
    assert.deepEqual(late.asked, [2, 302, 902, 1502]);
  });

  test("sleeps about half an hour when its role is denied", async () => {
    const { asked, pass } = agent(() => "denied");
    await pass(1800);
    assert.equal(asked.length, 2);
    const [first = 0, second = 0] = asked;
    assert.ok(second - first >= 1500 && second - first <= 1800, `slept ${second - first} seconds`);
  });

  test("leaves a document's parameters unset when it is older than 3.3.2746.0", async () => {
    for (const [version, expected] of [
      ["3.3.2745.0", {}],
      ["3.3.2746.0", { SSM_fence: "1" }],
    ] as const) {
      const { registered, given, pass } = agent(() => "yes", version);
      await pass(600);
      await registered[0]?.node.run("true", { SSM_fence: "1" });
      assert.deepEqual(given, [expected]);
    }
  });
});
