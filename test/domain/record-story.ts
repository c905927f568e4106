import { strict as assert } from "node:assert";
import { ClusterRecord, decide, type HolderState, type Intent } from "../../functions/domain/cluster-record.ts";
import { ClusterRequest } from "../../functions/domain/cluster-request.ts";
import { ClusterName, ExecutionArn } from "../../functions/domain/ids.ts";
import type { Hold, Lock, Parent } from "../../functions/domain/lock.ts";

export const execution = (name: string, machine = "build-cluster") =>
  ExecutionArn.parse(`arn:aws:states:us-west-2:111122223333:execution:${machine}:${name}`);
export const name = ClusterName.parse("orchid");
export const now = new Date("2026-11-24T12:00:00Z");
export const hours = (count: number) => new Date(now.getTime() + count * 3_600_000);
export const certificate = { key: "evidence/orchid/g1/certificate.json", sha256: "0".repeat(64), isolated: true };

type Answer<K extends Intent["kind"]> = Exclude<ReturnType<typeof decide<K>>, { refusal: unknown }>["answer"];
type Ordered<K extends Intent["kind"]> = Omit<Extract<Intent, { kind: K }>, "kind" | "name">;

export const refused = (answer: unknown, kind: string, pattern: RegExp) => {
  assert.ok(answer instanceof Error, `expected ${kind}, got ${JSON.stringify(answer)}`);
  assert.equal(answer.name, kind);
  assert.match(answer.message, pattern);
};

export function given<T>(answer: T | Error): T {
  if (answer instanceof Error) throw answer;
  return answer;
}

/** A record and the executions that are known not to run; every step of a test goes through `decide`. */
export class Story {
  record: ClusterRecord | null = null;
  readonly states = new Map<ExecutionArn, HolderState>();

  act<K extends Intent["kind"]>(who: ExecutionArn, intent: Extract<Intent, { kind: K }>, at = now): Answer<K> | Error {
    const decision = decide(this.record, intent, { who, now: at, holders: this.states });
    if ("refusal" in decision) return decision.refusal;
    if (decision.record !== null) {
      assert.equal(decision.record.revision, (this.record?.revision ?? 0) + 1, "every write raises the revision");
      this.record = ClusterRecord.parse(decision.record);
    }
    return decision.answer as Answer<K>;
  }

  acquire(
    who: ExecutionArn,
    asked: Readonly<Record<string, string | number | boolean | Record<string, string | number>>> = {},
    at = now,
    parent: Parent | null = null,
  ): Lock | Error {
    const whole = { name: "orchid", ...asked };
    return this.act<"acquire">(who, { kind: "acquire", name, asked: whole, request: ClusterRequest.parse(whole), parent }, at);
  }

  destroy(who: ExecutionArn, order: Partial<Ordered<"destroy">> = {}, at = now) {
    const plain = {
      generation: null,
      because: null,
      volumes: null,
      parent: null,
      byPerson: order.because === undefined,
      tagged: [],
    };
    return this.act<"destroy">(who, { kind: "destroy", name, ...plain, ...order }, at);
  }

  rebuild(who: ExecutionArn, asked: Ordered<"rebuild">["asked"] = null) {
    return this.act<"rebuild">(who, { kind: "rebuild", name, asked, parent: null, trigger: "person" });
  }

  change(change: Ordered<"change">["change"], at = now) {
    return this.act<"change">(execution("person"), { kind: "change", name, change }, at);
  }

  release(lock: Hold) {
    return this.act<"release">(lock.execution, { kind: "release", lock });
  }

  dies(...executions: readonly ExecutionArn[]): void {
    for (const one of executions) this.states.set(one, "ended");
  }

  row(generation: number) {
    const row = this.record?.generations[String(generation)];
    assert.ok(row, `there is no generation ${generation}`);
    return row;
  }

  /** As a build that goes well: the lock it got is given back. */
  prove(who: ExecutionArn, asked: Parameters<Story["acquire"]>[1] = {}): Lock {
    const lock = given(this.acquire(who, asked));
    given(this.act<"commit">(who, { kind: "commit", lock, certificate }));
    this.release(lock);
    this.dies(who);
    return lock;
  }

  /** As a build that fails: its row is `kept`, or `failed` where the request says so. */
  fail(who: ExecutionArn, asked: Parameters<Story["acquire"]>[1] = {}): Lock {
    const lock = given(this.acquire(who, asked));
    given(this.act<"fail">(who, { kind: "fail", lock }));
    return lock;
  }

  /** As a rebuild that goes well, whose build is `build`. */
  renew(who: ExecutionArn, build: ExecutionArn, asked: Ordered<"rebuild">["asked"] = null) {
    const { hold, generation, previous, graceHours } = given(this.rebuild(who, asked));
    const lock = given(this.acquire(build, {}, now, { execution: who, lockNumber: hold.number, generation }));
    given(this.act<"commit">(build, { kind: "commit", lock, certificate }));
    this.release(lock);
    this.dies(build);
    const again = given(this.act<"retake">(who, { kind: "retake", lock: hold }));
    given(this.act<"switch">(who, { kind: "switch", hold: again, generation, previous, graceHours }));
    this.release(again);
    this.dies(who);
    return { generation, previous };
  }
}
