import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { due } from "../../functions/domain/cluster-record.ts";
import type { TeardownLock } from "../../functions/domain/lock.ts";
import { certificate, execution, given, hours, now, refused, Story } from "./record-story.ts";

const [a, b, r] = [execution("a"), execution("b"), execution("r", "rebuild-cluster")];
const [d, e] = [execution("d", "destroy-cluster"), execution("e", "destroy-cluster")];
const auto = (because: "rollBack" | "abandoned" | "expired" | "pastGrace", generation = 1) => ({
  generation,
  because,
  byPerson: false,
});
const clean = { left: [], volumes: [] };

function taken(answer: ReturnType<Story["destroy"]>): TeardownLock {
  const { lock, why } = given(answer);
  assert.ok(lock, why);
  return lock;
}

/** The destroy ends well in NothingToDestroy, having written nothing. */
function spared(story: Story, answer: () => ReturnType<Story["destroy"]>, why: RegExp): void {
  const before = story.record;
  const { lock, why: said } = given(answer());
  assert.equal(lock, null);
  assert.match(said, why);
  assert.equal(story.record, before);
}

const ready = (asked = {}) => {
  const story = new Story();
  story.prove(a, asked);
  return story;
};

describe("a destroy in the cluster's record", () => {
  test("of a name that nobody knows writes nothing", () => {
    const story = new Story();
    spared(story, () => story.destroy(d), /there is no cluster orchid/);
    assert.equal(story.record, null);
  });

  test("of a person takes every generation, and nothing is current from that write on", () => {
    const story = ready();
    story.renew(r, b);
    const lock = taken(story.destroy(d));
    assert.deepEqual([lock.generations, lock.doomedVolumes, story.record?.current], [[1, 2], [1, 2], null]);
    assert.deepEqual(taken(story.destroy(d)), lock, "asked again it is the same");
    given(story.act<"finish">(d, { kind: "finish", lock, residue: { 1: clean, 2: clean } }));
    assert.deepEqual([story.row(1).state, story.row(2).state], ["gone", "gone"]);
    refused(story.destroy(d), "LockLostError", /already/);
    story.release(lock);
    story.dies(d);
    spared(story, () => story.destroy(e), /generation 1 is gone; generation 2 is gone/);
  });

  test("is refused while another execution runs", () => {
    const story = new Story();
    given(story.acquire(a));
    refused(story.destroy(d), "ConflictError", /being worked on by .*:a/);
  });

  test("of what is protected is refused, and unprotect is named", () => {
    const story = ready({ protected: true });
    refused(story.destroy(d), "ConflictError", /unprotect/);
    given(story.change({ kind: "unprotect" }));
    taken(story.destroy(d));
  });

  test("that no person started must carry its reason", () => {
    refused(ready().destroy(d, { generation: 1, byPerson: false }), "InvalidRequestError", /must carry its reason/);
  });

  test("never takes the current generation for any reason", () => {
    const story = ready();
    for (const because of ["rollBack", "abandoned", "expired", "pastGrace"] as const) {
      spared(story, () => story.destroy(d, auto(because), hours(10_000)), /is current/);
    }
  });

  test("as a roll-back takes only what its parent's chain built and failed", () => {
    const story = new Story();
    const lock = story.fail(a, { onFailure: "rollback" });
    const parent = { execution: a, lockNumber: lock.number, generation: 1 };
    spared(story, () => story.destroy(d, auto("rollBack")), /not rollBack/);
    refused(story.destroy(d, { ...auto("rollBack"), parent: { ...parent, lockNumber: 9 } }), "LockLostError", /does not hold/);
    const teardown = taken(story.destroy(d, { ...auto("rollBack"), parent }));
    assert.deepEqual([teardown.number, teardown.doomedVolumes], [lock.number + 1, [1]]);
    assert.deepEqual(taken(story.destroy(d, { ...auto("rollBack"), parent })), teardown, "the hand-over is not asked for twice");
    given(story.act<"finish">(d, { kind: "finish", lock: teardown, residue: { 1: clean } }));
    story.release(teardown);
    assert.equal(given(story.act<"retake">(a, { kind: "retake", lock })).number, teardown.number + 1);
    refused(story.acquire(a), "LockLostError", /it is gone/);
  });

  test("as a roll-back spares a generation that was proved meanwhile", () => {
    const story = new Story();
    const lock = given(story.acquire(a));
    given(story.act<"commit">(a, { kind: "commit", lock, certificate }));
    const parent = { execution: a, lockNumber: lock.number, generation: 1 };
    spared(story, () => story.destroy(d, { ...auto("rollBack"), parent }), /is current/);
  });

  test("of the abandoned waits until every holder is dead, and spares what is kept", () => {
    const story = new Story();
    const lock = given(story.acquire(a, { onFailure: "keep" }));
    spared(story, () => story.destroy(d, auto("abandoned")), /:a runs/);
    given(story.act<"fail">(a, { kind: "fail", lock }));
    story.dies(a);
    spared(story, () => story.destroy(d, auto("abandoned")), /is kept/);
    given(story.acquire(b, { onFailure: "keep" }));
    story.dies(b);
    taken(story.destroy(d, auto("abandoned")));
    story.dies(d);
    taken(story.destroy(e, auto("abandoned")));
  });

  test("of the abandoned takes a proved generation whose rebuild died before its switch", () => {
    const story = ready();
    const { hold, generation } = given(story.rebuild(r));
    const lock = given(story.acquire(b, {}, now, { execution: r, lockNumber: hold.number, generation }));
    given(story.act<"commit">(b, { kind: "commit", lock, certificate }));
    spared(story, () => story.destroy(d, auto("abandoned", 2)), /runs/);
    story.dies(b, r);
    assert.deepEqual(taken(story.destroy(d, auto("abandoned", 2))).doomedVolumes, []);
    assert.equal(story.record?.current, 1);
  });

  test("of the expired and of those past their grace waits until that time", () => {
    const kept = new Story();
    kept.fail(a, { onFailure: "keep" });
    kept.dies(a);
    spared(kept, () => kept.destroy(d, auto("expired"), hours(23)), /not expired/);
    taken(kept.destroy(d, auto("expired"), hours(24)));
    const retired = ready();
    retired.renew(r, b);
    spared(retired, () => retired.destroy(d, auto("pastGrace"), hours(23)), /not pastGrace/);
    assert.deepEqual(
      taken(retired.destroy(d, auto("pastGrace"), hours(24))).doomedVolumes,
      [],
      "no person decided about the data",
    );
    assert.equal(retired.record?.current, 2);
  });

  test("is nothing that anybody starts alone while a chain works on the name, whatever is past its time", () => {
    const story = ready();
    story.renew(r, b);
    const seen = (at: Date) => due(story.record, [], { now: at, holders: story.states });
    assert.deepEqual(seen(hours(23)), []);
    assert.deepEqual(seen(hours(25)), [{ generation: 1, because: "pastGrace" }]);
    given(story.rebuild(execution("again", "rebuild-cluster")));
    assert.deepEqual(seen(hours(25)), []);
  });

  test("tries what is left again after 1, 4 and 24 hours, and then only reports it", () => {
    const story = ready();
    let lock = taken(story.destroy(d, {}));
    let at = now;
    for (const wait of [1, 4, 24]) {
      given(story.act<"finish">(lock.execution, { kind: "finish", lock, residue: { 1: { left: ["vpc-1"], volumes: [] } } }, at));
      story.release(lock);
      const early = new Date(at.getTime() + wait * 3_600_000 - 1);
      const next = execution(`after-${wait}`, "destroy-cluster");
      spared(story, () => story.destroy(next, auto("abandoned"), early), /is left/);
      at = new Date(early.getTime() + 1);
      lock = taken(story.destroy(next, auto("abandoned"), at));
    }
    given(story.act<"finish">(lock.execution, { kind: "finish", lock, residue: { 1: { left: ["vpc-1"], volumes: [] } } }, at));
    assert.deepEqual(story.row(1).left, { items: ["vpc-1"], tries: 4, nextTry: null });
    story.release(lock);
    spared(story, () => story.destroy(e, auto("abandoned"), hours(10_000)), /is left/);
    taken(story.destroy(e, { generation: 1 }));
  });

  test("takes a generation again whose things are still there though it is gone", () => {
    const story = ready();
    const lock = taken(story.destroy(d));
    given(story.act<"finish">(d, { kind: "finish", lock, residue: { 1: clean } }));
    story.release(lock);
    spared(story, () => story.destroy(e, auto("abandoned")), /is gone/);
    taken(story.destroy(e, { ...auto("abandoned"), tagged: [1] }));
  });

  test("makes a row for what only tags know, spares its volumes, and never allots that number again", () => {
    const story = new Story();
    const lock = taken(story.destroy(d, { tagged: [7] }));
    assert.deepEqual([lock.generations, lock.doomedVolumes, story.row(7).asked], [[7], [], null]);
    given(story.act<"finish">(d, { kind: "finish", lock, residue: { 7: clean } }));
    story.release(lock);
    assert.equal(given(story.acquire(a)).generation, 8);
  });

  test("spares volumes where the person or the request says so, and lists those that stay", () => {
    assert.deepEqual(taken(ready({ storage: { onDestroy: "retain" } }).destroy(d)).doomedVolumes, []);
    assert.deepEqual(taken(ready({ storage: { onDestroy: "retain" } }).destroy(d, { volumes: "delete" })).doomedVolumes, [1]);
    const story = ready();
    const lock = taken(story.destroy(d, { volumes: "retain" }));
    assert.deepEqual(lock.doomedVolumes, []);
    given(story.act<"finish">(d, { kind: "finish", lock, residue: { 1: { left: [], volumes: ["vol-1"] } } }));
    assert.deepEqual(story.row(1).volumes, ["vol-1"]);
  });

  test("that a person began is ended by the sweep as the person decided", () => {
    const story = ready();
    taken(story.destroy(d));
    story.dies(d);
    assert.deepEqual(taken(story.destroy(e, auto("abandoned"))).doomedVolumes, [1]);
  });

  test("cannot be finished under an old lock, nor without an audit of every generation", () => {
    const story = ready();
    const old = taken(story.destroy(d));
    refused(story.act<"finish">(d, { kind: "finish", lock: old, residue: {} }), "InvalidRequestError", /not audited/);
    story.dies(d);
    const lock = taken(story.destroy(e));
    refused(story.act<"finish">(d, { kind: "finish", lock: old, residue: { 1: clean } }), "LockLostError", /another execution/);
    given(story.act<"finish">(e, { kind: "finish", lock, residue: { 1: clean } }));
    const before = story.record;
    given(story.act<"finish">(e, { kind: "finish", lock, residue: { 1: clean } }));
    assert.equal(story.record, before);
  });
});
