import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { InstanceId } from "../../functions/domain/ids.ts";
import { isAgentNewEnough, nodeHealth, type WatchedAgent, type WatchedMachine } from "../../functions/domain/node-health.ts";
import { planned } from "./built.ts";

const { request } = planned(1, 2);
const now = new Date("2026-11-24T08:10:00Z");
const secondsAgo = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const id = (index: number) => InstanceId.parse(`i-${String(index).padStart(17, "0")}`);

const machine = (index: number, change: Partial<WatchedMachine> = {}): WatchedMachine => ({
  instanceId: id(index),
  name: `node-${index}`,
  role: index === 0 ? "control-plane" : "worker",
  zone: "us-west-2a",
  address: `10.40.0.${10 + index}`,
  state: "running",
  launchedAt: secondsAgo(400),
  endCode: "",
  endMessage: "",
  ...change,
});
const agents = (...indexes: number[]): Map<InstanceId, WatchedAgent> =>
  new Map(indexes.map((index) => [id(index), { isOnline: true, version: "3.3.2746.0", lastPing: secondsAgo(200) }]));

describe("a look at the nodes", () => {
  test("counts who runs and who answers", () => {
    const health = nodeHealth(request, [machine(0), machine(1), machine(2, { state: "pending" })], agents(0, 1), now);
    assert.deepEqual([health.running, health.online, health.wanted], [2, 2, 3]);
  });

  test("the newest of too many workers is surplus, and no other", () => {
    const young = machine(3, { launchedAt: secondsAgo(10) });
    const { surplus } = nodeHealth(request, [machine(0), young, machine(1), machine(2)], agents(0, 1, 2, 3), now);
    assert.deepEqual(
      surplus.map(({ instanceId }) => instanceId),
      [id(3)],
    );
  });

  test("a node that stays silent while others have answered for minutes is named once", () => {
    const all = [machine(0), machine(1), machine(2)];
    assert.deepEqual(
      nodeHealth(request, all, agents(0, 1), now).silent.map(({ instanceId }) => instanceId),
      [id(2)],
    );
    const ended = machine(4, { state: "terminated", endCode: "Client.UserInitiatedShutdown" });
    assert.deepEqual(nodeHealth(request, [...all, ended], agents(0, 1), now).silent, []);
  });

  test("silence proves nothing while nobody answers", () => {
    assert.deepEqual(nodeHealth(request, [machine(0), machine(1), machine(2)], agents(), now).silent, []);
  });

  test("what we ended ourselves is not lost, what AWS ended is", () => {
    const byUs = machine(3, { state: "terminated", endCode: "Client.UserInitiatedShutdown" });
    const byAws = machine(4, { state: "terminated", endCode: "Server.InternalError" });
    const { lost } = nodeHealth(request, [machine(0), machine(1), byUs, byAws], agents(0, 1), now);
    assert.deepEqual(
      lost.map(({ instanceId }) => instanceId),
      [id(4)],
    );
  });

  test("an agent is new enough from 3.3.2746.0 on, by number and not by letter", () => {
    assert.deepEqual(["3.3.2746.0", "3.3.10000.0", "3.10.0.0", "4.0.0.0"].map(isAgentNewEnough), [true, true, true, true]);
    assert.deepEqual(["3.3.2745.9", "3.3.987.0", "3.2.9999.0", ""].map(isAgentNewEnough), [false, false, false, false]);
  });
});
