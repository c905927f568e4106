import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { holdsLock } from "../../functions/domain/cluster-record.ts";
import { VpcId } from "../../functions/domain/ids.ts";
import { certificate, execution, given, hours, now, refused, Story } from "./record-story.ts";

describe("the cluster's record", () => {
  test("a new name gets generation 1 under lock number 1", () => {
    const lock = given(new Story().acquire(execution("a")));
    assert.deepEqual([lock.generation, lock.number, lock.origin], [1, 1, "new"]);
  });

  test("the same execution that asks again gets the same answer and writes nothing", () => {
    const story = new Story();
    const first = story.acquire(execution("a"));
    const before = story.record;
    assert.deepEqual(story.acquire(execution("a")), first);
    assert.equal(story.record, before);
  });

  test("a name with a running holder is refused, and the holder is named", () => {
    const story = new Story();
    story.acquire(execution("a"));
    refused(story.acquire(execution("b")), "ConflictError", /being worked on by .*:a:/);
  });

  test("a holder that cannot be found counts as running for five minutes", () => {
    const story = new Story();
    story.acquire(execution("a"));
    story.states.set(execution("a"), "unknown");
    refused(story.acquire(execution("b"), undefined, new Date(now.getTime() + 299_000)), "ConflictError", /being worked on/);
    const lock = given(story.acquire(execution("b"), undefined, new Date(now.getTime() + 301_000)));
    assert.equal(lock.origin, "resumed");
  });

  test("the same request for a proved cluster is ready, under a new lock number, with the certificate on record", () => {
    const story = new Story();
    story.prove(execution("a"));
    const lock = given(story.acquire(execution("b"), { onFailure: "keep", keepHours: 3 }));
    assert.deepEqual([lock.generation, lock.number, lock.origin, lock.certificate], [1, 2, "ready", certificate]);
  });

  test("another request for a proved cluster is refused, and rebuild is named", () => {
    const story = new Story();
    story.prove(execution("a"));
    refused(story.acquire(execution("b"), { kubernetesVersion: "1.37.2" }), "ConflictError", /rebuild/);
  });

  test("an execution that built a generation cannot build another", () => {
    const story = new Story();
    story.prove(execution("a"));
    refused(story.acquire(execution("a")), "LockLostError", /has built generation 1/);
  });

  test("a failed build is kept until its time, and asking again gives the same time", () => {
    const story = new Story();
    const lock = given(story.acquire(execution("a"), { onFailure: "keep" }));
    const kept = story.act<"fail">(execution("a"), { kind: "fail", lock });
    assert.deepEqual(kept, { rollBack: "kept", keptUntil: "2026-11-25T12:00:00.000Z" });
    assert.deepEqual(story.act<"fail">(execution("a"), { kind: "fail", lock }, new Date(now.getTime() + 60_000)), kept);
  });

  test("a failure on a proved generation changes nothing", () => {
    const story = new Story();
    story.prove(execution("a"));
    const lock = given(story.acquire(execution("b")));
    const before = story.record;
    assert.deepEqual(story.act<"fail">(execution("b"), { kind: "fail", lock }), { rollBack: "no", keptUntil: null });
    assert.equal(story.record, before);
  });

  test("the first VPC claimed is the generation's, whoever claims next", () => {
    const story = new Story();
    const lock = given(story.acquire(execution("a")));
    const [first, second] = [VpcId.parse("vpc-11111111"), VpcId.parse("vpc-22222222")];
    assert.deepEqual(story.act<"claim">(execution("a"), { kind: "claim", lock, made: { vpcId: first } }), {
      vpcId: first,
      internetGatewayId: null,
    });
    assert.deepEqual(story.act<"claim">(execution("a"), { kind: "claim", lock, made: { vpcId: second } }), {
      vpcId: first,
      internetGatewayId: null,
    });
  });

  test("a commit under an old lock number is refused", () => {
    const story = new Story();
    const lock = given(story.acquire(execution("a")));
    refused(
      story.act<"commit">(execution("a"), { kind: "commit", lock: { ...lock, number: 9 }, certificate }),
      "LockLostError",
      /another execution/,
    );
  });

  test("releasing twice frees the lock once", () => {
    const story = new Story();
    const lock = story.prove(execution("a"));
    const free = story.record;
    assert.deepEqual(free?.lock.holders, []);
    assert.equal(story.act<"release">(execution("a"), { kind: "release", lock }), null);
    assert.equal(story.record, free);
  });

  test("every write raises the revision, so no two records are equal", () => {
    const story = new Story();
    const seen = new Set<number>();
    const lock = given(story.acquire(execution("a")));
    for (const intent of [
      { kind: "claim", lock, made: { vpcId: VpcId.parse("vpc-11111111") } },
      { kind: "commit", lock, certificate },
      { kind: "release", lock },
    ] as const) {
      seen.add(story.record?.revision ?? 0);
      story.act(execution("a"), intent);
    }
    seen.add(story.record?.revision ?? 0);
    assert.deepEqual([...seen], [1, 2, 3, 4]);
    assert.ok(!holdsLock(story.record ?? undefined, lock));
  });

  test("a kept build is resumed by the same request, under a new number, by a new builder", () => {
    const story = new Story();
    const first = story.fail(execution("a"));
    story.release(first);
    const lock = given(story.acquire(execution("b"), { onFailure: "rollback" }));
    assert.deepEqual([lock.generation, lock.number, lock.origin], [1, 2, "resumed"]);
    assert.deepEqual(
      [story.row(1).state, story.row(1).keptUntil, story.row(1).request?.onFailure],
      ["building", null, "rollback"],
    );
    assert.deepEqual(story.row(1).builder, { execution: execution("b"), origin: "resumed" });
    assert.deepEqual(given(story.acquire(execution("b"))), lock, "asked again it is still resumed");
  });

  test("a build that died is resumed by the same request, and another request is told what to do", () => {
    const story = new Story();
    story.acquire(execution("a"));
    story.dies(execution("a"));
    refused(story.acquire(execution("b"), { kubernetesVersion: "1.36.4" }), "ConflictError", /resume .* or destroy/);
    assert.equal(given(story.acquire(execution("b"))).origin, "resumed");
  });

  test("an execution that was taken over cannot write, and asked again it learns so", () => {
    const story = new Story();
    const first = given(story.acquire(execution("a")));
    story.dies(execution("a"));
    const second = given(story.acquire(execution("b")));
    story.states.delete(execution("a"));
    for (const intent of [
      { kind: "claim", lock: first, made: { vpcId: VpcId.parse("vpc-11111111") } },
      { kind: "fail", lock: first },
      { kind: "commit", lock: first, certificate },
      { kind: "retake", lock: first },
    ] as const) {
      refused(story.act(execution("a"), intent), "LockLostError", /./);
    }
    refused(story.acquire(execution("a")), "ConflictError", /:b/);
    assert.ok(holdsLock(story.record ?? undefined, second));
  });

  test("an execution that has proved its generation and is started over learns that its work is done, though it holds the lock", () => {
    const story = new Story();
    const lock = given(story.acquire(execution("a")));
    given(story.act<"commit">(execution("a"), { kind: "commit", lock, certificate }));
    refused(story.acquire(execution("a")), "LockLostError", /has built generation 1 of orchid already; it is proved/);
  });

  test("a failure under roll-back answers yes, as often as it is asked", () => {
    const story = new Story();
    const lock = story.fail(execution("a"), { onFailure: "rollback" });
    assert.equal(story.row(1).state, "failed");
    assert.deepEqual(given(story.act<"fail">(execution("a"), { kind: "fail", lock })), { rollBack: "yes", keptUntil: null });
  });

  test("a generation number is not used again after its generation has failed", () => {
    const story = new Story();
    const lock = story.fail(execution("a"), { onFailure: "rollback" });
    const parent = { execution: lock.execution, lockNumber: lock.number, generation: 1 };
    const { lock: teardown } = given(story.destroy(execution("d"), { generation: 1, because: "rollBack", parent }));
    assert.ok(teardown);
    given(story.act<"finish">(execution("d"), { kind: "finish", lock: teardown, residue: { 1: { left: [], volumes: [] } } }));
    story.release(teardown);
    story.dies(execution("a"), execution("d"));
    assert.deepEqual(given(story.acquire(execution("b"))).generation, 2);
  });

  test("a failure while a ready cluster is verified does not cost the cluster", () => {
    const story = new Story();
    story.prove(execution("a"));
    const lock = given(story.acquire(execution("b"), { onFailure: "rollback" }, hours(1)));
    assert.deepEqual(given(story.act<"fail">(execution("b"), { kind: "fail", lock })), { rollBack: "no", keptUntil: null });
    assert.deepEqual([story.record?.current, story.row(1).state], [1, "proved"]);
  });
});
