import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { certificate, execution, given, hours, now, refused, Story } from "./record-story.ts";

const [a, b, d] = [execution("a"), execution("b"), execution("d", "destroy-cluster")];
const r = execution("r", "rebuild-cluster");

/** A ready cluster and a rebuild of it that has allotted its generation. */
function rebuilding(asked: Parameters<Story["rebuild"]>[1] = null) {
  const story = new Story();
  story.prove(a);
  const { hold, generation, previous, graceHours } = given(story.rebuild(r, asked));
  const parent = { execution: r, lockNumber: hold.number, generation };
  return { story, hold, generation, previous, graceHours, parent };
}

describe("a rebuild in the cluster's record", () => {
  test("allots the next generation from what was asked for the current one", () => {
    const { story, generation, previous } = rebuilding();
    assert.deepEqual([generation, previous, story.row(2).asked, story.row(2).rebuilder], [2, 1, { name: "orchid" }, r]);
    assert.equal(story.record?.current, 1);
  });

  test("that asks again before its build has entered gets the same answer, and afterwards learns that it is over", () => {
    const { story, parent, hold } = rebuilding();
    assert.deepEqual(given(story.rebuild(r)).hold, hold);
    given(story.acquire(b, {}, now, parent));
    refused(story.rebuild(r), "LockLostError", /as generation 2 already/);
  });

  test("of nothing is refused, and with a request it begins", () => {
    refused(new Story().rebuild(r), "InvalidRequestError", /nothing to rebuild/);
    assert.deepEqual(given(new Story().rebuild(r, { name: "orchid" })).previous, null);
    refused(new Story().rebuild(r, { name: "tulip" }), "InvalidRequestError", /for tulip/);
    refused(new Story().rebuild(r, { name: "orchid", workers: 3 }), "InvalidRequestError", /not valid/);
  });

  test("of a protected cluster may not replace it", () => {
    const story = new Story();
    story.prove(a, { protected: true, rebuild: { strategy: "replace" } });
    refused(story.rebuild(r), "ConflictError", /unprotect/);
  });

  test("has a build that works on exactly its generation, behind it in the chain", () => {
    const { story, parent } = rebuilding();
    const lock = given(story.acquire(b, {}, now, parent));
    assert.deepEqual([lock.generation, lock.origin, lock.number], [2, "new", parent.lockNumber + 1]);
    assert.deepEqual(
      story.record?.lock.holders.map(({ execution }) => execution),
      [r, b],
    );
    assert.equal(story.row(2).builder?.execution, b);
  });

  test("hands over once: a copied parent is worth nothing", () => {
    const { story, parent } = rebuilding();
    given(story.acquire(b, {}, now, parent));
    refused(story.acquire(execution("c"), {}, now, parent), "LockLostError", /does not hold orchid/);
    refused(story.acquire(execution("c"), {}, now, { ...parent, generation: 1 }), "LockLostError", /does not hold/);
    refused(story.destroy(d, { generation: 2, because: "rollBack", parent }), "LockLostError", /does not hold/);
  });

  test("keeps its child's proved generation from being current until it switches", () => {
    const { story, hold, generation, previous, graceHours, parent } = rebuilding();
    const lock = given(story.acquire(b, {}, now, parent));
    given(story.act<"commit">(b, { kind: "commit", lock, certificate }));
    assert.deepEqual([story.row(2).state, story.record?.current], ["proved", 1]);
    story.release(lock);
    const again = given(story.act<"retake">(r, { kind: "retake", lock: hold }));
    assert.equal(again.number, lock.number + 1, "a child's number is not its parent's");
    assert.deepEqual(given(story.act<"retake">(r, { kind: "retake", lock: hold })), again, "retaken once");
    given(story.act<"switch">(r, { kind: "switch", hold: again, generation, previous, graceHours }));
    assert.deepEqual([story.record?.current, story.row(1).state], [2, "retired"]);
    assert.equal(story.row(1).destroyAfter, hours(24).toISOString());
    assert.equal(given(story.act<"switch">(r, { kind: "switch", hold: again, generation, previous, graceHours })), null);
  });

  test("cannot retake while its child runs, and drops it when it is dead", () => {
    const { story, hold, parent } = rebuilding();
    const lock = given(story.acquire(b, {}, now, parent));
    refused(story.act<"retake">(r, { kind: "retake", lock: hold }), "ConflictError", /still works on orchid/);
    story.dies(b);
    const again = given(story.act<"retake">(r, { kind: "retake", lock: hold }));
    assert.deepEqual([again.number, again.execution], [lock.number + 1, r]);
    assert.deepEqual(
      story.record?.lock.holders.map((holder) => holder.execution),
      [r],
      "the dead child is no holder any more",
    );
    refused(story.act<"commit">(b, { kind: "commit", lock, certificate }), "LockLostError", /./);
  });

  test("that retook its lock before its child entered is not the parent of a child that comes late", () => {
    const { story, hold, parent } = rebuilding();
    const again = given(story.act<"retake">(r, { kind: "retake", lock: hold }));
    assert.equal(again.number, hold.number + 1);
    assert.deepEqual(given(story.act<"retake">(r, { kind: "retake", lock: hold })), again, "retaken once");
    refused(story.acquire(b, {}, now, parent), "LockLostError", /does not hold orchid/);
  });

  test("does not switch to a generation that is not proved", () => {
    const { story, hold, generation, previous, graceHours } = rebuilding();
    refused(
      story.act<"switch">(r, { kind: "switch", hold, generation, previous, graceHours }),
      "ConflictError",
      /building, not proved/,
    );
    assert.equal(story.record?.current, 1);
  });

  test("that replaces destroys the current one as its child, and switches to the new one all the same", () => {
    const story = new Story();
    story.prove(a, { rebuild: { strategy: "replace" } });
    const { hold, generation, previous, graceHours } = given(story.rebuild(r));
    const { lock } = given(
      story.destroy(d, { generation: previous, parent: { execution: r, lockNumber: hold.number, generation }, byPerson: false }),
    );
    assert.ok(lock);
    assert.deepEqual([lock.doomedVolumes, story.record?.current], [[], null], "nobody decided that the data go");
    given(story.act<"finish">(d, { kind: "finish", lock, residue: { 1: { left: [], volumes: ["vol-1"] } } }));
    story.release(lock);
    const second = given(story.act<"retake">(r, { kind: "retake", lock: hold }));
    const build = given(story.acquire(b, {}, now, { execution: r, lockNumber: second.number, generation }));
    given(story.act<"commit">(b, { kind: "commit", lock: build, certificate }));
    assert.equal(story.record?.current, 2, "a rebuild that dies now leaves a cluster that serves");
    story.release(build);
    const third = given(story.act<"retake">(r, { kind: "retake", lock: second }));
    given(story.act<"switch">(r, { kind: "switch", hold: third, generation, previous, graceHours }));
    assert.deepEqual([story.record?.current, story.row(1).state, story.row(1).volumes], [2, "gone", ["vol-1"]]);
  });

  test("beside may not destroy the current one, whatever its child says", () => {
    const { story, parent } = rebuilding();
    refused(story.destroy(d, { generation: 1, parent, byPerson: false }), "InvalidRequestError", /replaces nothing/);
  });

  test("leaves a cluster protected that a person has protected", () => {
    const story = new Story();
    story.prove(a);
    given(story.change({ kind: "protect" }));
    story.renew(r, b);
    assert.deepEqual([story.record?.current, story.record?.protected], [2, true]);
  });
});

describe("what a person changes in the cluster's record", () => {
  const renewed = () => {
    const story = new Story();
    story.prove(a);
    story.renew(r, b);
    return story;
  };

  test("a rollback makes the old generation current and retires the new one, once however often it is asked", () => {
    const story = renewed();
    given(story.change({ kind: "rollback" }));
    assert.deepEqual([story.record?.current, story.row(1).state, story.row(2).state], [1, "proved", "retired"]);
    assert.deepEqual([story.row(1).destroyAfter, story.row(2).destroyAfter], [null, hours(24).toISOString()]);
    const before = story.record;
    given(story.change({ kind: "rollback" }));
    assert.equal(story.record, before);
  });

  test("a promote ends the grace, and the volumes go where the request says so", () => {
    const story = renewed();
    given(story.change({ kind: "promote" }));
    assert.deepEqual([story.row(1).destroyAfter, story.row(1).doomedVolumes], [now.toISOString(), true]);
    const before = story.record;
    given(story.change({ kind: "promote" }, hours(1)));
    assert.equal(story.record, before);
    const { lock } = given(story.destroy(d, { generation: 1, because: "pastGrace", byPerson: false }));
    assert.deepEqual(lock?.doomedVolumes, [1]);
  });

  test("is refused while a chain runs", () => {
    const story = renewed();
    given(story.acquire(execution("v")));
    refused(story.change({ kind: "rollback" }), "ConflictError", /being worked on/);
    story.dies(execution("v"));
    given(story.change({ kind: "rollback" }));
  });

  test("an extension lengthens what is kept or retired, never shortens it, and nothing else can be extended", () => {
    const story = renewed();
    given(story.change({ kind: "extend", generation: 1, hours: 48 }));
    assert.equal(story.row(1).destroyAfter, hours(48).toISOString());
    given(story.change({ kind: "extend", generation: 1, hours: 1 }));
    assert.equal(story.row(1).destroyAfter, hours(48).toISOString());
    refused(story.change({ kind: "extend", generation: 2, hours: 1 }), "InvalidRequestError", /is proved/);
    refused(story.change({ kind: "extend", generation: 1, hours: 0 }), "InvalidRequestError", /1 to 720/);
  });

  test("there is nothing to promote, to go back to or to protect where nothing is retired or current", () => {
    const story = new Story();
    story.fail(a, { onFailure: "keep" });
    story.dies(a);
    for (const kind of ["promote", "rollback", "protect"] as const) {
      refused(story.change({ kind }), "InvalidRequestError", /no retired|not ready/);
    }
    given(story.change({ kind: "extend", generation: 1, hours: 100 }));
    assert.equal(story.row(1).keptUntil, hours(100).toISOString());
  });
});
