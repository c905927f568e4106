import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { loadSteps } from "../../rehearsal/lambdas.ts";
import { rehearse } from "../../rehearsal/rehearse.ts";

/** They write the record that the fence compares; compare-and-swap guards them instead. */
const recordKeepers = new Set(["acquire-lock", "acquire-rebuild-lock", "acquire-teardown-lock", "release-lock", "retake-lock"]);

/** A node is ended or launched only when one is lost, a command is cancelled only when one is left under way, and volumes go with their nodes. */
const rarelyChanging = new Set(["wait-for-nodes", "cancel-commands", "delete-volumes"]);

describe("the fence", () => {
  test("every step that changes anything passes it first, and every one that passes it changes something", async () => {
    const steps = await loadSteps();
    const request = {
      name: "orchid",
      network: { zones: 3, publicSubnets: true },
      controlPlane: { count: 3 },
      workers: { count: 1 },
      verify: { volume: false },
    };
    const built = await rehearse({ request, seed: 5, scripts: "quick" });
    assert.equal(built.status, "ready", built.error?.cause);
    const faults = [{ operation: "RunInstances", code: "VcpuLimitExceeded", nth: 2, after: false }];
    const failed = await rehearse({ request: { name: "orchid" }, seed: 5, faults, scripts: "quick" });
    const destroyed = await rehearse({
      request: { ...request, verify: { volume: false, loadBalancer: false } },
      act: "destroy",
      seed: 5,
      scripts: "quick",
    });
    const rebuilt = await rehearse({
      request: { name: "orchid", workers: { count: 1 } },
      act: "rebuild",
      seed: 5,
      scripts: "quick",
    });
    const changing = new Set<string>();
    for (const { caller, mutates } of [
      ...built.callRecords,
      ...failed.callRecords,
      ...destroyed.callRecords,
      ...rebuilt.callRecords,
    ])
      if (mutates && caller.kind === "function") changing.add(caller.step);
    assert.ok(changing.size > 15);
    for (const name of changing)
      assert.ok(steps.get(name)?.mutates === true || recordKeepers.has(name), `${name} changes AWS without the fence`);
    for (const [name, { mutates }] of steps) {
      if (mutates && !rarelyChanging.has(name)) assert.ok(changing.has(name), `${name} claims to change something`);
    }
  });
});
