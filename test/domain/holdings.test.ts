import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { isTheirs } from "../../functions/domain/holdings.ts";
import { ClusterName } from "../../functions/domain/ids.ts";

describe("what a destroy takes for its own", () => {
  const first = { cluster: ClusterName.parse("orchid"), generations: [1] };
  const made = (generation: number, cluster = "orchid") => ({
    tags: { "cloister:cluster": cluster, "cloister:generation": String(generation) },
  });

  test("is of its own generation: the load balancer of the next one, which serves, is none of it", () => {
    assert.equal(isTheirs(made(1), first), true);
    assert.equal(isTheirs(made(2), first), false);
    assert.equal(isTheirs(made(1, "orchid-2"), first), false);
  });

  test("is what this generation's controllers made, and no other's", () => {
    assert.equal(isTheirs({ tags: { "kubernetes.io/cluster/orchid-g1": "owned" } }, first), true);
    assert.equal(isTheirs({ tags: { "kubernetes.io/cluster/orchid-g2": "owned" } }, first), false);
    assert.equal(isTheirs({ tags: { "kubernetes.io/cluster/orchid-g1": "shared" } }, first), false);
    assert.equal(isTheirs({ tags: {} }, first), false);
  });
});
