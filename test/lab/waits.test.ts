import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { forLab } from "../../rehearsal/lab/request.ts";
import { hurried, patient } from "../../rehearsal/lab/waits.ts";
import { machineNames, machineText } from "../../rehearsal/lambdas.ts";

interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds: number;
  readonly MaxAttempts: number;
}

/** Every wait of a machine for something to become ready, in the order of its text. */
function polls(text: string): Retrier[] {
  const found: Retrier[] = [];
  JSON.parse(text, (_, value: Partial<Retrier> | null) => {
    if (value?.ErrorEquals?.includes("NotReadyError")) found.push(value as Retrier);
    return value;
  });
  return found;
}

const lasting = ({ IntervalSeconds, MaxAttempts }: Retrier): number => IntervalSeconds * MaxAttempts;

describe("the lab's waits", () => {
  test("ten looks for one last as long, in every machine", () => {
    for (const name of machineNames) {
      const text = machineText(name);
      const shipped = polls(text);
      // A rebuild, and a run over all clusters, wait for their children alone.
      assert.ok(name.startsWith("rebuild-") || shipped.length >= 8, `${name}: ${shipped.length}`);
      assert.deepEqual(
        polls(patient(text, 10, 1)).map((one) => lasting(one) / 10),
        shipped.map(lasting),
      );
    }
  });

  test("a wait that has to run out lasts a twentieth, and one look more at the most", () => {
    const text = machineText("build-cluster");
    const short = polls(patient(text, 10, 0.05));
    for (const [index, shipped] of polls(text).entries()) {
      const more = lasting(short[index] ?? shipped) / 10 - lasting(shipped) / 20;
      assert.ok(more >= 0 && more <= shipped.IntervalSeconds / 10, `${more} s more`);
    }
  });

  test("moto's interpreter gets whole seconds, and waits no less in all", () => {
    const text = machineText("destroy-cluster");
    for (const [index, one] of polls(hurried(text, 10)).entries()) {
      assert.ok(Number.isInteger(one.IntervalSeconds) && one.IntervalSeconds >= 1);
      assert.ok(lasting(one) >= lasting(polls(text)[index] ?? one));
    }
    assert.match(hurried(text, 10), /"Type":"Wait","Seconds":12,/);
  });
});

test("what an example leaves open is the lab's, and what it says stays", () => {
  const request = forLab({ name: "orchid-ha", controlPlane: { count: 3 } }, "1.37.2") as Record<string, unknown>;
  assert.deepEqual(request["controlPlane"], { count: 3, instanceType: "m5.large" });
  assert.equal(request["name"], "orchid-ha");
  assert.equal(request["cni"], "manifests");
});
