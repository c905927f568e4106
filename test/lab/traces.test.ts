import { strict as assert } from "node:assert";
import { test } from "node:test";
import { isNamed } from "../../rehearsal/lab/sweep.ts";

test("what another living lab has on the machine is told from ours, by the process that its names begin with", () => {
  const theirs = [
    "cgroup /sys/fs/cgroup/cpu/clab28296x1-i-2f4500fca77d0a02f",
    "namespace clab28296x12-vpc-d0fdc458bbef6e79b",
    "mount /cache/run-28296x1/hosts/i-2f4500fca77d0a02f/root",
    "folder /cache/run-28296x1",
  ];
  for (const trace of theirs) {
    assert.ok(isNamed(trace, ["1", "28296"]), trace);
    assert.ok(!isNamed(trace, ["8296", "2829", "282961"]), trace);
    assert.ok(!isNamed(trace, []), trace);
  }
});
