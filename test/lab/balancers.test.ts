import { strict as assert } from "node:assert";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { after, describe, test } from "node:test";
import { BalancerSeats } from "../../rehearsal/lab/network/account-view.ts";
import type { BalancerState, HealthCheck, TargetState } from "../../rehearsal/lab/network/state.ts";
import { passes, TargetHealth } from "../../rehearsal/lab/network/target-health.ts";

const check: HealthCheck = { protocol: "HTTP", path: "/readyz", intervalSeconds: 5, timeoutSeconds: 5, healthy: 2, unhealthy: 3 };
const open: Server[] = [];
after(() => {
  for (const server of open) server.close();
});

/** A server that answers what it is told to, and the target that it is. */
async function target(): Promise<{ at: TargetState; says(status: number): void; asked: string[] }> {
  let status = 200;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(status).end();
  });
  open.push(server);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const says = (next: number) => {
    status = next;
  };
  return { at: { address: "127.0.0.1", port }, says, asked };
}

describe("a health check", () => {
  test("passes on 200 to 399 at its path", async () => {
    const { at, says, asked } = await target();
    for (const [status, isGood] of [
      [200, true],
      [302, true],
      [403, false],
      [500, false],
    ] as const) {
      says(status);
      assert.equal(await passes("127.0.0.1", at, check), isGood, String(status));
    }
    assert.deepEqual([...new Set(asked)], ["/readyz"]);
  });

  test("over TCP asks no more than whether somebody listens", async () => {
    const server = createTcpServer();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const at = { address: "127.0.0.1", port: (server.address() as AddressInfo).port };
    assert.equal(await passes("127.0.0.1", at, { ...check, protocol: "TCP" }), true);
    await new Promise((closed) => server.close(closed));
    assert.equal(await passes("127.0.0.1", at, { ...check, protocol: "TCP" }), false);
    assert.equal(await passes("127.0.0.1", at, check), false);
  });
});

describe("targets", () => {
  test("are all tried while none is healthy, and each changes its state only after so many checks in a row", async () => {
    const [good, other] = [await target(), await target()];
    other.says(500);
    const waiting: (() => void)[] = [];
    const health = new TargetHealth((seconds) => {
      assert.equal(seconds, 5);
      return new Promise((go) => waiting.push(go));
    });
    /** Both targets have been checked once more: both wait again. */
    const checked = async () => {
      for (const go of waiting.splice(0)) go();
      while (waiting.length < 2) await new Promise((turn) => setImmediate(turn));
    };
    const targets = [good.at, other.at];
    const balancer: BalancerState = {
      name: "api",
      dnsName: "api.elb",
      addresses: [{ address: "127.0.0.1", groupIds: [] }],
      listeners: [{ port: 6443, targets, check }],
    };
    health.follow([balancer]);
    assert.deepEqual(health.open(targets, check), targets);
    await checked();
    assert.deepEqual(health.open(targets, check), targets, "one check is not two");
    await checked();
    assert.deepEqual(health.open(targets, check), [good.at]);
    other.says(200);
    good.says(500);
    await checked();
    await checked();
    assert.deepEqual(health.open(targets, check), targets, "two bad ones are not three");
    await checked();
    assert.deepEqual(health.open(targets, check), [other.at]);
    health.follow([]);
    assert.deepEqual(health.open(targets, check), targets, "nobody looks after them any more");
    for (const go of waiting) go();
  });
});

describe("a load balancer's seat", () => {
  test("stays its own while others come and go, and is free again after it", () => {
    const seats = new BalancerSeats();
    const seated = (...arns: string[]) => Object.fromEntries(seats.of(arns));
    assert.deepEqual(seated("m"), { m: 0 });
    assert.deepEqual(seated("a", "m"), { m: 0, a: 1 }, "one that sorts before it does not move it");
    assert.deepEqual(seated("a", "z"), { a: 1, z: 0 });
  });
});
