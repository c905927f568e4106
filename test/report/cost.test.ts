import assert from "node:assert/strict";
import { test } from "node:test";
import { type CostLine, costs, hoursPerMonth, prices } from "../../rehearsal/report/cost.ts";
import type { InventoryItem } from "../../rehearsal/world/service.ts";

const item = (type: string, facts: InventoryItem["facts"]): InventoryItem => ({ type, id: "x", tags: {}, facts });
const near = (actual: number | undefined, expected: number): void => {
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);
};
const called = (lines: readonly CostLine[], what: string): CostLine | undefined => lines.find((line) => line.what === what);

test("an hour of two machines with their disks costs what the price list says", () => {
  const instance = item("instance", { instanceType: "m7i.large", state: "running" });
  const volume = item("volume", { size: 50, volumeType: "gp3" });
  const lines = costs([instance, instance, volume, volume], 3600);
  assert.deepEqual(
    lines.map(({ what, count }) => [what, count]),
    [
      ["EC2 m7i.large", 2],
      ["EBS gp3, GiB", 100],
    ],
  );
  near(called(lines, "EC2 m7i.large")?.run, 0.2016);
  near(called(lines, "EC2 m7i.large")?.perMonth, 0.2016 * hoursPerMonth);
  near(called(lines, "EBS gp3, GiB")?.perMonth, 8);
  near(called(lines, "EBS gp3, GiB")?.run, 8 / hoursPerMonth);
});

test("a bigger size of a family costs in proportion, and an unknown family is priced as a guess", () => {
  const lines = costs(
    ["m7i.2xlarge", "x9z.large"].map((instanceType) => item("instance", { instanceType, state: "running" })),
    3600,
  );
  near(called(lines, "EC2 m7i.2xlarge")?.run, 0.4032);
  near(called(lines, "EC2 x9z.large")?.run, 0.1);
  assert.match(prices.otherInstance.source, /^guess/);
});

test("an endpoint is billed by its network interfaces, other interfaces and gateway endpoints are free", () => {
  const kinds = ["vpc_endpoint", "vpc_endpoint", "interface", "network_load_balancer"];
  const lines = costs(
    [...kinds.map((kind) => item("network-interface", { kind })), item("vpc-endpoint", { kind: "Gateway" })],
    7200,
  );
  assert.deepEqual(
    lines.map(({ what, count }) => [what, count]),
    [["Interface endpoints, zones", 2]],
  );
  near(lines[0]?.run, 0.04);
});

test("a terminated machine costs nothing", () => {
  assert.deepEqual(costs([item("instance", { instanceType: "m7i.large", state: "terminated" })], 3600), []);
});

test("transitions are billed once, not by the month", () => {
  const [line] = costs([], 60, 400);
  assert.deepEqual([line?.count, line?.perMonth], [400, 0]);
  near(line?.run, 0.01);
});

test("every price says when somebody read it, that its copy bears no date, or that it is a guess", () => {
  const sources = Object.entries(prices);
  assert.ok(sources.length >= 6);
  for (const [name, { source }] of sources) assert.match(source, /\b20\d\d\b|undated|^guess/, name);
});
