import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { ClusterRecord, decide, type HolderState, holdsLock, type Intent } from "../../functions/domain/cluster-record.ts";
import { ClusterRequest } from "../../functions/domain/cluster-request.ts";
import { ClusterName, ExecutionArn, VpcId } from "../../functions/domain/ids.ts";
import type { Lock } from "../../functions/domain/lock.ts";

const execution = (name: string) => ExecutionArn.parse(`arn:aws:states:us-west-2:111122223333:execution:build-cluster:${name}`);
const name = ClusterName.parse("orchid");
const now = new Date("2026-11-24T12:00:00Z");
const certificate = { key: "evidence/orchid/g1/certificate.json", sha256: "0".repeat(64), isolated: true };

/** A record and the executions that are known not to run; every step of a test goes through `decide`. */
class Story {
  record: ClusterRecord | null = null;
  readonly states = new Map<ExecutionArn, HolderState>();

  act<K extends Intent["kind"]>(who: ExecutionArn, intent: Extract<Intent, { kind: K }>, at = now) {
    const decision = decide(this.record, intent, { who, now: at, holders: this.states });
    if ("refusal" in decision) return decision.refusal;
    if (decision.record !== null) this.record = ClusterRecord.parse(decision.record);
    return decision.answer;
  }

  acquire(who: ExecutionArn, asked: Record<string, string | number | boolean> = { name: "orchid" }, at = now): Lock | Error {
    return this.act<"acquire">(
      who,
      { kind: "acquire", name, asked, request: ClusterRequest.parse({ name: "orchid" }), parent: null },
      at,
    );
  }

  /** As a build that goes well: the lock it got is given back. */
  prove(who: ExecutionArn): Lock {
    const lock = this.acquire(who);
    assert.ok(!(lock instanceof Error));
    this.act<"commit">(who, { kind: "commit", lock, certificate });
    this.act<"release">(who, { kind: "release", lock });
    return lock;
  }
}

const refused = (answer: unknown, kind: string, pattern: RegExp) => {
  assert.ok(answer instanceof Error, `expected ${kind}, got ${JSON.stringify(answer)}`);
  assert.equal(answer.name, kind);
  assert.match(answer.message, pattern);
};

describe("the cluster's record", () => {
  test("a new name gets generation 1 under lock number 1", () => {
    const lock = new Story().acquire(execution("a"));
    assert.ok(!(lock instanceof Error));
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
    const lock = story.acquire(execution("b"), undefined, new Date(now.getTime() + 301_000));
    assert.ok(!(lock instanceof Error));
    assert.equal(lock.origin, "resumed");
  });

  test("the same request for a proved cluster is ready, under a new lock number, with the certificate on record", () => {
    const story = new Story();
    story.prove(execution("a"));
    const lock = story.acquire(execution("b"), { name: "orchid", onFailure: "keep", keepHours: 3 });
    assert.ok(!(lock instanceof Error));
    assert.deepEqual([lock.generation, lock.number, lock.origin, lock.certificate], [1, 2, "ready", certificate]);
  });

  test("another request for a proved cluster is refused, and rebuild is named", () => {
    const story = new Story();
    story.prove(execution("a"));
    refused(story.acquire(execution("b"), { name: "orchid", kubernetesVersion: "1.37.2" }), "ConflictError", /rebuild/);
  });

  test("an execution that built a generation cannot build another", () => {
    const story = new Story();
    story.prove(execution("a"));
    refused(story.acquire(execution("a")), "LockLostError", /has built generation 1/);
  });

  test("a failed build is kept until its time, and asking again gives the same time", () => {
    const story = new Story();
    const lock = story.acquire(execution("a"));
    assert.ok(!(lock instanceof Error));
    const kept = story.act<"fail">(execution("a"), { kind: "fail", lock });
    assert.deepEqual(kept, { rollBack: "kept", keptUntil: "2026-11-25T12:00:00.000Z" });
    assert.deepEqual(story.act<"fail">(execution("a"), { kind: "fail", lock }, new Date(now.getTime() + 60_000)), kept);
  });

  test("a failure on a proved generation changes nothing", () => {
    const story = new Story();
    story.prove(execution("a"));
    const lock = story.acquire(execution("b"));
    assert.ok(!(lock instanceof Error));
    const before = story.record;
    assert.deepEqual(story.act<"fail">(execution("b"), { kind: "fail", lock }), { rollBack: "no", keptUntil: null });
    assert.equal(story.record, before);
  });

  test("the first VPC claimed is the generation's, whoever claims next", () => {
    const story = new Story();
    const lock = story.acquire(execution("a"));
    assert.ok(!(lock instanceof Error));
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
    const lock = story.acquire(execution("a"));
    assert.ok(!(lock instanceof Error));
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
    const lock = story.acquire(execution("a"));
    assert.ok(!(lock instanceof Error));
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
});
