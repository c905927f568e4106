import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type NodeOrder, nodeOrders, ordinalOf, type SeenMachine } from "../../functions/domain/node-orders.ts";
import { clientToken } from "../../functions/domain/tokens.ts";
import { lock, planned } from "./built.ts";

const seed = 20_261_124;
const machinesOf = (orders: readonly NodeOrder[]): SeenMachine[] =>
  orders.flatMap(({ count, ...order }) => Array.from({ length: count }, () => ({ ...order, state: "running" as const })));
const sizes = [fc.constantFrom(1, 3, 5), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 3 })] as const;

describe("what is launched", () => {
  test(`any plan is filled by one round of orders, and a second round is empty (seed ${seed})`, () => {
    fc.assert(
      fc.property(...sizes, (controlPlanes, workers, zones) => {
        const { request, plan } = planned(controlPlanes, workers, zones);
        const first = machinesOf(nodeOrders(lock, request, plan, []));
        assert.equal(first.length, controlPlanes + workers);
        assert.deepEqual(nodeOrders(lock, request, plan, first), []);
      }),
      { seed },
    );
  });

  test(`any loss is made good exactly, wherever the others stand (seed ${seed})`, () => {
    fc.assert(
      fc.property(...sizes, fc.array(fc.nat(), { minLength: 1, maxLength: 20 }), (controlPlanes, workers, zones, losses) => {
        const { request, plan } = planned(controlPlanes, workers, zones);
        const machines = machinesOf(nodeOrders(lock, request, plan, []));
        const lost = new Set(losses.map((loss) => loss % machines.length));
        const after = machines.map((machine, index) =>
          lost.has(index) ? { ...machine, state: "terminated" as const, address: null } : machine,
        );
        const again = machinesOf(nodeOrders(lock, request, plan, after));
        assert.equal(again.length, lost.size);
      }),
      { seed },
    );
  });

  test("a worker in another zone than planned is not doubled", () => {
    const { request, plan } = planned(1, 2);
    const machines = machinesOf(nodeOrders(lock, request, plan, [])).map((machine) => ({ ...machine, zone: "us-west-2a" }));
    assert.deepEqual(nodeOrders(lock, request, plan, machines), []);
  });

  test("a control plane keeps its name and address when it is replaced, and gets another token", () => {
    const { request, plan } = planned(3, 1);
    const machines = machinesOf(nodeOrders(lock, request, plan, []));
    const [before] = nodeOrders(lock, request, plan, []);
    const gone = machines.map((machine, index) =>
      index === 0 ? { ...machine, state: "terminated" as const, address: null } : machine,
    );
    const [order] = nodeOrders(lock, request, plan, gone);
    assert.ok(order && before);
    assert.deepEqual([order.name, order.address], ["orchid-g3-control-plane-1", plan.controlPlanes[0]?.address]);
    const token = (machinesThen: readonly SeenMachine[]) =>
      clientToken(lock, order.name, order.zone, ordinalOf(order, machinesThen));
    assert.notEqual(token(gone), token([]));
  });
});

describe("a client token", () => {
  test("is 64 hexadecimal digits, and another for each thing it stands for", () => {
    const other = { ...lock, generation: 4 };
    const tokens = [
      clientToken(lock, "worker", "us-west-2a", 0),
      clientToken(lock, "worker", "us-west-2b", 0),
      clientToken(lock, "worker", "us-west-2a", 1),
      clientToken(lock, "endpoint/ec2", "us-west-2a", 0),
      clientToken(other, "worker", "us-west-2a", 0),
    ];
    for (const token of tokens) assert.match(token, /^[0-9a-f]{64}$/);
    assert.equal(new Set(tokens).size, tokens.length);
    assert.equal(clientToken(lock, "worker", "us-west-2a", 0), tokens[0]);
  });
});
