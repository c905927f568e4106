import * as z from "zod";
import { ConflictError, LockLostError, type StepError } from "../errors.ts";
import { ClusterRequest } from "./cluster-request.ts";
import { type ClusterName, ExecutionArn, Generation, InternetGatewayId, LockNumber, VpcId } from "./ids.ts";
import { CertificateRef, type Lock } from "./lock.ts";

/** Resources without client token or unique name: the first id that stands here is the generation's, a second maker deletes its own. */
export const Made = z.strictObject({ vpcId: VpcId.nullable(), internetGatewayId: InternetGatewayId.nullable() });
export type Made = z.infer<typeof Made>;

/** One generation (lifecycle 2). `asked` is the request as given, `request` has the defaults written out; there is no other copy. */
const Row = z.strictObject({
  state: z.enum(["building", "proved", "kept"]),
  builder: z.strictObject({ execution: ExecutionArn, origin: z.literal("new") }),
  asked: z.record(z.string(), z.json()),
  request: ClusterRequest,
  keptUntil: z.iso.datetime().nullable(),
  certificate: CertificateRef.nullable(),
  made: Made,
});
type Row = z.infer<typeof Row>;

/** Everything that decides about a cluster: `clusters/<name>/record.json`, changed by compare-and-swap alone (lifecycle 1). */
export const ClusterRecord = z.strictObject({
  revision: z.int().min(1),
  lock: z.strictObject({
    number: LockNumber,
    holders: z.array(z.strictObject({ execution: ExecutionArn, since: z.iso.datetime() })).max(8),
  }),
  nextGeneration: Generation,
  current: Generation.nullable(),
  protected: z.boolean(),
  generations: z.record(z.string().regex(/^\d{1,4}$/), Row),
});
export type ClusterRecord = z.infer<typeof ClusterRecord>;

/** What DescribeExecution says of a holder. `unknown` is ExecutionDoesNotExist, which is eventually consistent. */
export type HolderState = "running" | "ended" | "unknown";

export type Intent =
  | { readonly kind: "acquire"; readonly name: ClusterName; readonly asked: Row["asked"]; readonly request: ClusterRequest }
  | { readonly kind: "claim"; readonly lock: Lock; readonly made: Partial<Made> }
  | { readonly kind: "keep"; readonly lock: Lock }
  | { readonly kind: "commit"; readonly lock: Lock; readonly certificate: CertificateRef }
  | { readonly kind: "release"; readonly lock: Lock };

export interface Answers {
  readonly acquire: Lock;
  readonly claim: Made;
  /** `kept`: the generation stays for a look until then. `no`: it was ready before, nothing is due. */
  readonly keep: { readonly rollBack: "kept" | "no"; readonly keptUntil: string | null };
  readonly commit: null;
  readonly release: null;
}

export interface Circumstances {
  readonly who: ExecutionArn;
  readonly now: Date;
  readonly holders: ReadonlyMap<ExecutionArn, HolderState>;
}

/** The record to be written (null: nothing changes) with the answer, or the refusal. */
export type Decision<K extends Intent["kind"]> =
  | { readonly record: ClusterRecord | null; readonly answer: Answers[K] }
  | { readonly refusal: StepError };

/** An execution that cannot be found counts as dead only after this long (lifecycle 3.1). */
const unknownIsDeadSeconds = 300;

const rowOf = (record: ClusterRecord, generation: number): Row | undefined => record.generations[String(generation)];

/** The fence: the lock's number is the record's and the execution its last holder (lifecycle 4). */
export const holdsLock = (record: ClusterRecord | undefined, lock: Lock): boolean =>
  record !== undefined && record.lock.number === lock.number && record.lock.holders.at(-1)?.execution === lock.execution;

/** The whole protocol of lifecycle.md as far as it stands, as one pure function. */
export function decide<K extends Intent["kind"]>(
  record: ClusterRecord | null,
  intent: Extract<Intent, { kind: K }>,
  circumstances: Circumstances,
): Decision<K>;
export function decide(record: ClusterRecord | null, intent: Intent, circumstances: Circumstances): Decision<Intent["kind"]> {
  switch (intent.kind) {
    case "acquire":
      return acquire(record, intent, circumstances);
    case "claim":
      return onHeld(record, intent.lock, (held, row) => claim(held, row, intent.lock, intent.made));
    case "keep":
      return onHeld(record, intent.lock, (held, row) => keep(held, row, intent.lock, circumstances.now));
    case "commit":
      return onHeld(record, intent.lock, (held, row) => commit(held, row, intent.lock, intent.certificate));
    case "release":
      return release(record, intent.lock);
  }
}

function acquire(
  record: ClusterRecord | null,
  intent: Extract<Intent, { kind: "acquire" }>,
  at: Circumstances,
): Decision<"acquire"> {
  if (record === null) return build(emptyRecord(), intent, at);
  const own = Object.entries(record.generations).find(([, row]) => row.builder.execution === at.who);
  const isHolder = record.lock.holders.at(-1)?.execution === at.who;
  if (own !== undefined) {
    // An execution builds one generation in its life; asked again it gets the same answer, or learns that it is no longer the one.
    if (own[1].state === "building" && isHolder)
      return { record: null, answer: lockOf(record, intent.name, Number(own[0]), "new") };
    return {
      refusal: new LockLostError(`${at.who} has built generation ${own[0]} of ${intent.name} already`, { state: own[1].state }),
    };
  }
  const busy = record.lock.holders.find(({ execution, since }) => execution !== at.who && !isDead(at, execution, since));
  if (busy !== undefined) {
    return {
      refusal: new ConflictError(`${intent.name} is being worked on by ${busy.execution}`, {
        holder: busy.execution,
        since: busy.since,
      }),
    };
  }
  const current = record.current === null ? undefined : rowOf(record, record.current);
  if (record.current !== null && current !== undefined) {
    if (!isSameRequest(current.asked, intent.asked)) {
      return {
        refusal: new ConflictError(`${intent.name} is ready and was built from another request: rebuild it to change it`),
      };
    }
    if (isHolder) return { record: null, answer: lockOf(record, intent.name, record.current, "ready") };
    const taken = take(record, at);
    return { record: taken, answer: lockOf(taken, intent.name, record.current, "ready") };
  }
  const unfinished = Object.entries(record.generations).find(([, row]) => row.state === "building" || row.state === "kept");
  if (unfinished !== undefined) {
    const [generation, { state, keptUntil }] = unfinished;
    const message = `generation ${generation} of ${intent.name} is ${state}${keptUntil === null ? "" : ` until ${keptUntil}`}: resume or destroy it first`;
    return { refusal: new ConflictError(message, { generation, state }) };
  }
  return build(record, intent, at);
}

const emptyRecord = (): ClusterRecord => ({
  revision: 0,
  lock: { number: 0, holders: [] },
  nextGeneration: 1,
  current: null,
  protected: false,
  generations: {},
});

function build(record: ClusterRecord, intent: Extract<Intent, { kind: "acquire" }>, at: Circumstances): Decision<"acquire"> {
  const generation = record.nextGeneration;
  const row: Row = {
    state: "building",
    builder: { execution: at.who, origin: "new" },
    asked: intent.asked,
    request: intent.request,
    keptUntil: null,
    certificate: null,
    made: { vpcId: null, internetGatewayId: null },
  };
  const taken = take(record, at);
  const built = { ...taken, nextGeneration: generation + 1, generations: { ...taken.generations, [generation]: row } };
  return { record: built, answer: lockOf(built, intent.name, generation, "new") };
}

/** Enters the execution behind dead holders, with a new fencing number. */
const take = (record: ClusterRecord, { who, now }: Circumstances): ClusterRecord => ({
  ...record,
  revision: record.revision + 1,
  lock: { number: record.lock.number + 1, holders: [{ execution: who, since: now.toISOString() }] },
});

function lockOf(record: ClusterRecord, name: ClusterName, generation: number, origin: Lock["origin"]): Lock {
  const holder = record.lock.holders.at(-1);
  if (holder === undefined) throw new RangeError("a record without a holder has no lock to give");
  return {
    cluster: name,
    generation,
    number: record.lock.number,
    execution: holder.execution,
    since: holder.since,
    origin,
    certificate: origin === "ready" ? (rowOf(record, generation)?.certificate ?? null) : null,
  };
}

function isDead(at: Circumstances, execution: ExecutionArn, since: string): boolean {
  const state = at.holders.get(execution) ?? "running";
  return state === "ended" || (state === "unknown" && at.now.getTime() - Date.parse(since) > unknownIsDeadSeconds * 1000);
}

/** What may differ between two requests for the same cluster (lifecycle 3.6). */
const immaterial = new Set(["onFailure", "keepHours", "protected", "rebuild", "verify"]);

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

const material = (asked: Row["asked"]) =>
  canonical(Object.fromEntries(Object.entries(asked).filter(([key]) => !immaterial.has(key))));

const isSameRequest = (a: Row["asked"], b: Row["asked"]): boolean => material(a) === material(b);

/** Only the holder changes a row; anybody else has lost the lock. */
function onHeld<K extends Intent["kind"]>(
  record: ClusterRecord | null,
  lock: Lock,
  change: (record: ClusterRecord, row: Row) => Decision<K>,
): Decision<K> {
  const row = record === null ? undefined : rowOf(record, lock.generation);
  if (record === null || row === undefined || !holdsLock(record, lock)) {
    return {
      refusal: new LockLostError(`another execution holds ${lock.cluster}`, { number: lock.number, held: record?.lock.number }),
    };
  }
  return change(record, row);
}

const withRow = (record: ClusterRecord, generation: number, row: Row): ClusterRecord => ({
  ...record,
  revision: record.revision + 1,
  generations: { ...record.generations, [generation]: row },
});

function claim(record: ClusterRecord, row: Row, lock: Lock, wanted: Partial<Made>): Decision<"claim"> {
  const made: Made = {
    vpcId: row.made.vpcId ?? wanted.vpcId ?? null,
    internetGatewayId: row.made.internetGatewayId ?? wanted.internetGatewayId ?? null,
  };
  const isNews = made.vpcId !== row.made.vpcId || made.internetGatewayId !== row.made.internetGatewayId;
  return { record: isNews ? withRow(record, lock.generation, { ...row, made }) : null, answer: made };
}

function keep(record: ClusterRecord, row: Row, lock: Lock, now: Date): Decision<"keep"> {
  if (row.state === "proved") return { record: null, answer: { rollBack: "no", keptUntil: null } };
  if (row.state === "kept") return { record: null, answer: { rollBack: "kept", keptUntil: row.keptUntil } };
  const keptUntil = new Date(now.getTime() + row.request.keepHours * 3_600_000).toISOString();
  return {
    record: withRow(record, lock.generation, { ...row, state: "kept", keptUntil }),
    answer: { rollBack: "kept", keptUntil },
  };
}

function commit(record: ClusterRecord, row: Row, lock: Lock, certificate: CertificateRef): Decision<"commit"> {
  if (row.state === "proved" && record.current === lock.generation) return { record: null, answer: null };
  if (row.state !== "building")
    return { refusal: new LockLostError(`generation ${lock.generation} of ${lock.cluster} is ${row.state}`) };
  const proved = withRow(record, lock.generation, { ...row, state: "proved", certificate });
  return { record: { ...proved, current: lock.generation, protected: row.request.protected }, answer: null };
}

/** Removes only the one who releases. Not being a holder is success: somebody released before. */
function release(record: ClusterRecord | null, lock: Lock): Decision<"release"> {
  const holders = record?.lock.holders.filter(({ execution }) => execution !== lock.execution) ?? [];
  if (record === null || holders.length === record.lock.holders.length) return { record: null, answer: null };
  return { record: { ...record, revision: record.revision + 1, lock: { ...record.lock, holders } }, answer: null };
}
