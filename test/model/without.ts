import type { Answers, ClusterRecord, HolderState, Intent, Row } from "../../functions/domain/cluster-record.ts";
import type { Because } from "../../functions/domain/lock.ts";
import type { Protocol } from "./world.ts";

/** `decide` with its types left at the door: a rule that is taken out hands it another question, or changes its answer. */
type At = Parameters<Protocol["decide"]>[2];
type Decision = { readonly refusal: Error } | { readonly record: ClusterRecord | null; readonly answer: unknown };
type Decide = (record: ClusterRecord | null, intent: Intent, at: At) => Decision;
type Is<K extends Intent["kind"]> = Extract<Intent, { kind: K }>;

/** The protocol with `decide` replaced for one kind of intent. */
const onIntent =
  <K extends Intent["kind"]>(
    kind: K,
    instead: (decide: Decide, record: ClusterRecord | null, intent: Is<K>, at: At) => Decision,
  ) =>
  (protocol: Protocol): Protocol => {
    const decide = protocol.decide as unknown as Decide;
    const other: Decide = (record, intent, at) =>
      intent.kind === kind ? instead(decide, record, intent as Is<K>, at) : decide(record, intent, at);
    return { ...protocol, decide: other as unknown as Protocol["decide"] };
  };

/** All of these at once. */
export const all =
  (...outs: readonly ((protocol: Protocol) => Protocol)[]) =>
  (protocol: Protocol): Protocol =>
    outs.reduce((one, out) => out(one), protocol);

/** What was decided about a record in disguise, with what the disguise hid put back. */
const unmask = (decision: Decision, back: (record: ClusterRecord) => ClusterRecord): Decision =>
  "refusal" in decision || decision.record === null ? decision : { ...decision, record: back(decision.record) };
const withRow = (record: ClusterRecord, generation: number, change: (row: Row) => Row): ClusterRecord => {
  const row = record.generations[String(generation)];
  return row === undefined ? record : { ...record, generations: { ...record.generations, [generation]: change(row) } };
};
const eachRow = (record: ClusterRecord, change: (row: Row) => Row): ClusterRecord =>
  Object.keys(record.generations).reduce((one, generation) => withRow(one, Number(generation), change), record);
/** As if this execution alone held the lock. */
const heldBy = (record: ClusterRecord, execution: Row["destroyer"]): ClusterRecord => {
  const { number } = record.lock;
  const holders = execution === null ? [] : [{ execution, since: "2026-11-24T12:00:00Z", number }];
  return { ...record, lock: { number, holders } };
};
/** Whoever entered in disguise stands behind all that are there. */
const behind = (from: ClusterRecord) => (to: ClusterRecord) => ({
  ...to,
  lock: { ...to.lock, holders: [...from.lock.holders, ...to.lock.holders.slice(-1)] },
});

const isHolder = ({ lock }: ClusterRecord, { who }: At): boolean => lock.holders.some(({ execution }) => execution === who);

/** Whoever takes the lock hears this of its holders. */
export const holdersAre = (heard: (said: HolderState) => HolderState) =>
  all(
    ...(["acquire", "rebuild", "destroy", "change"] as const).map((kind) =>
      onIntent(kind, (decide, record, intent, at) =>
        decide(record, intent, { ...at, holders: new Map([...at.holders].map(([arn, said]) => [arn, heard(said)])) }),
      ),
    ),
  );

/** Whoever changes the record for a person is told that nobody runs. */
export const changesUnderway = onIntent("change", (decide, record, intent, at) =>
  decide(record, intent, { ...at, holders: new Map([...at.holders.keys()].map((arn) => [arn, "ended" as const])) }),
);

/** A destroy for this reason finds its generation as it was when somebody sent it. */
export const regardless = (because: Because, as: Partial<Row>) =>
  onIntent("destroy", (decide, record, intent, at) => {
    const { generation, parent } = intent;
    if (intent.because !== because || generation === null || record === null) return decide(record, intent, at);
    const row = record.generations[String(generation)];
    if (row?.destroyer === at.who) return decide(record, intent, at);
    const builder = parent === null ? row?.builder : { execution: parent.execution, origin: "new" as const };
    const sent = withRow(record, generation, (present) => ({ ...present, ...as, builder: builder ?? null }));
    const current = record.current === generation ? null : record.current;
    return unmask(decide({ ...sent, current }, intent, at), (to) =>
      withRow(to, generation, (taken) =>
        row === undefined ? taken : { ...row, state: taken.state, destroyer: taken.destroyer },
      ),
    );
  });

/** A destroy does not see that its generation is the current one. */
export const blindToCurrent = onIntent("destroy", (decide, record, intent, at) => {
  if (record === null || intent.because === null || record.current !== intent.generation) return decide(record, intent, at);
  return decide({ ...record, current: null }, intent, at);
});

/** An execution that has built a generation works on it again, whatever has become of it. */
export const buildsAgain = onIntent("acquire", (decide, record, intent, at) => {
  if (record === null) return decide(record, intent, at);
  const asFailed = (row: Row): Row => ({ ...row, state: "failed", builder: null });
  return decide(
    eachRow(record, (row) => (row.builder?.execution === at.who && row.state !== "building" ? asFailed(row) : row)),
    intent,
    at,
  );
});

/** A destroy that asks again is taken for another one. */
export const forgetsDestroyer = onIntent("destroy", (decide, record, intent, at) => {
  const forgotten = (row: Row): Row => (row.destroyer === at.who ? { ...row, destroyer: null } : row);
  return decide(record === null ? null : eachRow(record, forgotten), intent, at);
});

/** The origin tells whether this very call wrote. */
export const originOfCall = onIntent("acquire", (decide, record, intent, at) => {
  const decision = decide(record, intent, at);
  if ("refusal" in decision || decision.record !== null) return decision;
  return { ...decision, answer: { ...(decision.answer as Answers["acquire"]), origin: "new" } };
});

/** A `parent` is believed whatever the record says. */
export const believing = all(
  ...(["acquire", "destroy"] as const).map((kind) =>
    onIntent(kind, (decide, record, intent, at) => {
      const { parent } = intent;
      if (parent === null || record === null || isHolder(record, at)) return decide(record, intent, at);
      const copied = { ...intent, parent: { ...parent, lockNumber: record.lock.number } };
      return unmask(decide(heldBy(record, parent.execution), copied, at), behind(record));
    }),
  ),
);

/** A rebuild's build begins like any other: on a ready cluster it only verifies. */
export const parentless = onIntent("acquire", (decide, record, intent, at) => {
  if (intent.parent === null || record === null) return decide(record, intent, at);
  const alone = { ...intent, parent: null };
  if (isHolder(record, at)) return decide(heldBy(record, at.who), alone, at);
  const believed = decide(record, intent, at);
  return "refusal" in believed ? believed : unmask(decide(heldBy(record, null), alone, at), behind(record));
});

/** What was begun is resumed by any request. */
export const resumesAny = onIntent("acquire", (decide, record, intent, at) => {
  const isOpen = ({ state }: Row) => state === "building" || state === "kept" || state === "failed";
  const asAsked = (row: Row): Row => (isOpen(row) ? { ...row, asked: intent.asked } : row);
  return decide(record === null ? null : eachRow(record, asAsked), intent, at);
});

/** The writers of rows compare neither number nor holder. */
export const unheld = all(
  ...(["fail", "commit", "claim", "finish"] as const).map((kind) =>
    onIntent(kind, (decide, record, intent, at) => {
      if (record === null) return decide(record, intent, at);
      const lock = { ...intent.lock, number: record.lock.number };
      const decision = decide(heldBy(record, lock.execution), { ...intent, lock } as Intent, at);
      return unmask(decision, (to) => ({ ...to, lock: record.lock }));
    }),
  ),
);

/** Nobody who enters or retakes raises the number. */
export const sameNumber = all(
  ...(["acquire", "rebuild", "destroy", "retake"] as const).map((kind) =>
    onIntent(kind, (decide, record, intent, at) => {
      const decision = decide(record, intent, at);
      if ("refusal" in decision || decision.record === null || record === null || record.lock.number === 0) return decision;
      const { number } = record.lock;
      const text = JSON.stringify(decision.answer).replaceAll(`"number":${decision.record.lock.number}`, `"number":${number}`);
      const holders = decision.record.lock.holders.map((holder) => ({ ...holder, number: Math.min(holder.number, number) }));
      return { record: { ...decision.record, lock: { number, holders } }, answer: JSON.parse(text) };
    }),
  ),
);

/** Who retakes its lock keeps its number where no child has entered. */
export const retakesAsItWas = onIntent("retake", (decide, record, intent, at) => {
  const last = record?.lock.holders.at(-1);
  if (record === null || last?.execution !== at.who || last.number !== record.lock.number) return decide(record, intent, at);
  return { record: null, answer: intent.lock };
});

/** Who retakes its lock does not ask whether its child runs. */
export const retakesFromRunning = onIntent("retake", (decide, record, intent, at) =>
  decide(record, intent, { ...at, holders: new Map([...at.holders.keys()].map((arn) => [arn, "ended" as const])) }),
);

/** A release frees the lock of everybody. */
export const releasesAll = onIntent("release", (decide, record, intent, at) =>
  unmask(decide(record, intent, at), (to) => ({ ...to, lock: { ...to.lock, holders: [] } })),
);

/** A failure counts on a proved generation as on any other. */
export const failsProved = onIntent("fail", (decide, record, intent, at) => {
  const unproved = (row: Row): Row => (row.state === "proved" ? { ...row, state: "building" } : row);
  return decide(record === null ? null : withRow(record, intent.lock.generation, unproved), intent, at);
});

/** A commit makes its generation current, whoever stands above. */
export const commitsAll = onIntent("commit", (decide, record, intent, at) =>
  unmask(decide(record, intent, at), (to) => ({ ...to, current: intent.lock.generation })),
);
