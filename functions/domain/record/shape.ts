import * as z from "zod";
import type { StepError } from "../../errors.ts";
import { ClusterRequest } from "../cluster-request.ts";
import { type ClusterName, ExecutionArn, Generation, InternetGatewayId, LockNumber, VpcId } from "../ids.ts";
import { type Because, CertificateRef, type Hold, type Lock, type Parent, type TeardownLock } from "../lock.ts";

/** Resources without client token or unique name: the first id that stands here is the generation's, a second maker deletes its own. */
export const Made = z.strictObject({ vpcId: VpcId.nullable(), internetGatewayId: InternetGatewayId.nullable() });
export type Made = z.infer<typeof Made>;

const Instant = z.iso.datetime();

/** One generation (lifecycle 2). Its `asked` and `request` are the only copies: as given, and with the defaults written out. */
export const Row = z.strictObject({
  state: z.enum(["building", "kept", "failed", "proved", "retired", "destroying", "gone", "left"]),
  /** Null until a build has entered, and for what only tags know. */
  builder: z.strictObject({ execution: ExecutionArn, origin: z.enum(["new", "resumed"]) }).nullable(),
  /** The rebuild that allotted this generation; null for one that a build allotted itself. */
  rebuilder: ExecutionArn.nullable(),
  /** The destroy that works or last worked on it. */
  destroyer: ExecutionArn.nullable(),
  /** Null, as `request`, only in a row made for things that nothing but their tags knows. */
  asked: z.record(z.string(), z.json()).nullable(),
  request: ClusterRequest.nullable(),
  keptUntil: Instant.nullable(),
  destroyAfter: Instant.nullable(),
  certificate: CertificateRef.nullable(),
  made: Made,
  /** Whether anybody may have data in it: what decides about its volumes (lifecycle 6). */
  wasProved: z.boolean(),
  /** A person has decided that the volumes go too. It outlives that person's destroy, so that a sweep ends what it began. */
  doomedVolumes: z.boolean(),
  /** Volumes that a destroy left on purpose. */
  volumes: z.array(z.string().max(64)).max(1000).nullable(),
  /** What a destroy could not remove; `nextTry` null: it is only reported from now on. */
  left: z
    .strictObject({ items: z.array(z.string().max(300)).max(50), tries: z.int().min(1), nextTry: Instant.nullable() })
    .nullable(),
});
export type Row = z.infer<typeof Row>;
/** A row that a request stands behind: all but those made for tags. */
export type RequestedRow = Row & { readonly asked: Asked; readonly request: ClusterRequest };
export type Asked = NonNullable<Row["asked"]>;

/** `number` is the lock's as this holder entered or retook it: a higher one in the record means that a child came and went. */
const Holder = z.strictObject({ execution: ExecutionArn, since: Instant, number: LockNumber });

/** Everything that decides about a cluster: `clusters/<name>/record.json`, changed by compare-and-swap alone (lifecycle 1). */
export const ClusterRecord = z.strictObject({
  revision: z.int().min(1),
  lock: z.strictObject({ number: LockNumber, holders: z.array(Holder).max(8) }),
  nextGeneration: Generation,
  current: Generation.nullable(),
  protected: z.boolean(),
  generations: z.record(z.string().regex(/^\d{1,4}$/), Row),
});
export type ClusterRecord = z.infer<typeof ClusterRecord>;

/** What DescribeExecution says of a holder. `unknown` is ExecutionDoesNotExist, which is eventually consistent. */
export type HolderState = "running" | "ended" | "unknown";

/** What an audit found of one generation: what should be gone and is not, and the volumes that stay on purpose. */
export interface Residue {
  readonly left: readonly string[];
  readonly volumes: readonly string[];
}

/** What a person may change in a record (lifecycle 6). */
export type Change =
  | { readonly kind: "promote" | "rollback" | "protect" | "unprotect" }
  | { readonly kind: "extend"; readonly generation: number; readonly hours: number };

export type Intent =
  | {
      readonly kind: "acquire";
      readonly name: ClusterName;
      readonly asked: Asked;
      readonly request: ClusterRequest;
      readonly parent: Parent | null;
    }
  | { readonly kind: "claim"; readonly lock: Lock; readonly made: Partial<Made> }
  | { readonly kind: "fail"; readonly lock: Lock }
  | { readonly kind: "commit"; readonly lock: Lock; readonly certificate: CertificateRef }
  | { readonly kind: "retake"; readonly lock: Hold }
  | {
      readonly kind: "rebuild";
      readonly name: ClusterName;
      readonly asked: Asked | null;
      readonly parent: null;
      readonly trigger: "person" | "ticket" | "schedule" | "image" | "event";
    }
  | {
      readonly kind: "switch";
      readonly hold: Hold;
      readonly generation: number;
      readonly previous: number | null;
      readonly graceHours: number;
    }
  | {
      readonly kind: "destroy";
      readonly name: ClusterName;
      /** Null: every generation. */
      readonly generation: number | null;
      readonly because: Because | null;
      /** Null: as the generation's request says. */
      readonly volumes: "delete" | "retain" | null;
      readonly parent: Parent | null;
      readonly byPerson: boolean;
      /** Generations that owner tags in AWS show, whether a row explains them or not. */
      readonly tagged: readonly number[];
    }
  | { readonly kind: "finish"; readonly lock: TeardownLock; readonly residue: Readonly<Record<string, Residue>> }
  | { readonly kind: "release"; readonly lock: Hold }
  | { readonly kind: "change"; readonly name: ClusterName; readonly change: Change };
export type IntentOf<K extends Intent["kind"]> = Extract<Intent, { kind: K }>;

export interface Answers {
  readonly acquire: Lock;
  readonly claim: Made;
  /** `yes`: the generation is to go at once. `kept`: it stays for a look until then. `no`: it was ready before, nothing is due. */
  readonly fail: { readonly rollBack: "yes" | "kept" | "no"; readonly keptUntil: string | null };
  readonly commit: null;
  readonly retake: Hold;
  readonly rebuild: {
    readonly hold: Hold;
    readonly generation: number;
    readonly previous: number | null;
    readonly asked: Asked;
    readonly strategy: "beside" | "replace";
    readonly graceHours: number;
  };
  readonly switch: null;
  /** `lock` null: there is nothing to destroy, `why` says why; nothing was written. */
  readonly destroy: { readonly lock: TeardownLock | null; readonly why: string };
  readonly finish: null;
  readonly release: null;
  readonly change: null;
}

export interface Circumstances {
  readonly who: ExecutionArn;
  readonly now: Date;
  /** The states of the record's other holders; one that is missing counts as running. */
  readonly holders: ReadonlyMap<ExecutionArn, HolderState>;
}

/** No execution has this name: a person, and whoever only looks, is no holder. */
export const nobody = "" as ExecutionArn;

/** The record to be written (null: nothing changes) with the answer, or the refusal. */
export type Decision<K extends Intent["kind"]> =
  | { readonly record: ClusterRecord | null; readonly answer: Answers[K] }
  | { readonly refusal: StepError };

export const emptyRecord = (): ClusterRecord => ({
  revision: 0,
  lock: { number: 0, holders: [] },
  nextGeneration: 1,
  current: null,
  protected: false,
  generations: {},
});

export const emptyRow = (): Row => ({
  state: "building",
  builder: null,
  rebuilder: null,
  destroyer: null,
  asked: null,
  request: null,
  keptUntil: null,
  destroyAfter: null,
  certificate: null,
  made: { vpcId: null, internetGatewayId: null },
  wasProved: false,
  doomedVolumes: false,
  volumes: null,
  left: null,
});

export const rowOf = (record: ClusterRecord, generation: number): Row | undefined => record.generations[String(generation)];

/** Every generation with its row, the oldest first. */
export const rowsOf = (record: ClusterRecord): readonly (readonly [number, Row])[] =>
  Object.entries(record.generations)
    .map(([generation, row]) => [Number(generation), row] as const)
    .sort(([a], [b]) => a - b);

/** One write: the record with these rows and fields changed. Every write raises the revision, so no two bodies are equal (lifecycle 1). */
export const written = (
  record: ClusterRecord,
  rows: Readonly<Record<string, Row>>,
  fields: Partial<Omit<ClusterRecord, "revision" | "generations">> = {},
): ClusterRecord => ({
  ...record,
  ...fields,
  revision: record.revision + 1,
  generations: { ...record.generations, ...rows },
});

export const hoursAfter = (now: Date, hours: number): string => new Date(now.getTime() + hours * 3_600_000).toISOString();

export const isPast = (instant: string | null | undefined, now: Date): boolean =>
  typeof instant === "string" && Date.parse(instant) <= now.getTime();
