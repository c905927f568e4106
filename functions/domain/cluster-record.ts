import { acquire, claim, commit, fail } from "./record/building.ts";
import { change } from "./record/changing.ts";
import { destroy, finish } from "./record/destroying.ts";
import { onHeld, release, retake } from "./record/holding.ts";
import { rebuild, switchTo } from "./record/rebuilding.ts";
import type { Circumstances, ClusterRecord, Decision, Intent } from "./record/shape.ts";

export { type Due, due } from "./record/destroying.ts";
export { holdsLock } from "./record/holding.ts";
export {
  type Answers,
  type Change,
  type Circumstances,
  ClusterRecord,
  type HolderState,
  type Intent,
  Made,
  nobody,
  type Row,
} from "./record/shape.ts";

/**
 * The whole protocol of a cluster's record as one pure function: what an intent means for the record as it stands, and what is answered.
 * Nothing else changes a record; functions/aws reads and swaps. The parts lie in record/.
 */
export function decide<K extends Intent["kind"]>(
  record: ClusterRecord | null,
  intent: Extract<Intent, { kind: K }>,
  circumstances: Circumstances,
): Decision<K>;
export function decide(record: ClusterRecord | null, intent: Intent, at: Circumstances): Decision<Intent["kind"]> {
  switch (intent.kind) {
    case "acquire":
      return acquire(record, intent, at);
    case "claim":
      return onHeld(record, intent.lock, (held, row) => claim(held, row, intent.lock, intent.made));
    case "fail":
      return onHeld(record, intent.lock, (held, row) => fail(held, row, intent.lock, at.now));
    case "commit":
      return onHeld(record, intent.lock, (held, row) => commit(held, row, intent.lock, intent.certificate));
    case "retake":
      return retake(record, intent, at);
    case "rebuild":
      return rebuild(record, intent, at);
    case "switch":
      return switchTo(record, intent, at.now);
    case "destroy":
      return destroy(record, intent, at);
    case "finish":
      return finish(record, intent, at.now);
    case "release":
      return release(record, intent);
    case "change":
      return change(record, intent, at);
  }
}
