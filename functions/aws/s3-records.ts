import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { type Answers, ClusterRecord, type Due, decide, due, type HolderState, type Intent } from "../domain/cluster-record.ts";
import { ClusterName, type ExecutionArn } from "../domain/ids.ts";
import { DefectError, TransientError } from "../errors.ts";
import type { Aws, Deployment } from "./aws.ts";
import { collect } from "./collect.ts";
import { executionState } from "./executions.ts";

export interface RecordsPort {
  read(cluster: ClusterName): Promise<{ readonly value: ClusterRecord; readonly etag: string } | null>;
  /** The names of all clusters that have a record. */
  names(): Promise<readonly ClusterName[]>;
  /** What may be destroyed of a cluster without anybody's asking; `tagged`: its generations that tags show. */
  due(cluster: ClusterName, tagged: readonly number[]): Promise<readonly Due[]>;
  /** Decides on the record as it stands and swaps it. A record that changed in between is a TransientError: the state looks again. */
  change<K extends Intent["kind"]>(
    cluster: ClusterName,
    who: ExecutionArn,
    intent: Extract<Intent, { kind: K }>,
  ): Promise<Answers[K]>;
}

/** 412 and 409: somebody else wrote first (S3 user guide, conditional writes). */
const lostRace = new Set(["PreconditionFailed", "ConditionalRequestConflict"]);

/** Whoever takes the lock, or changes the record without it, must know who of its holders still runs (lifecycle 3.1 and 6). */
const asksForHolders: ReadonlySet<Intent["kind"]> = new Set(["acquire", "retake", "rebuild", "destroy", "change"]);

type Reach = Pick<Aws, "s3" | "sfn" | "now"> & { readonly deployment: Pick<Deployment, "bucket"> };

export function s3Records(aws: Reach): RecordsPort {
  const place = (cluster: ClusterName) => ({ Bucket: aws.deployment.bucket, Key: `clusters/${cluster}/record.json` });

  async function read(cluster: ClusterName) {
    try {
      const { Body, ETag } = await aws.s3.send(new GetObjectCommand(place(cluster)));
      if (Body === undefined || ETag === undefined) throw new DefectError("S3 gave an object without body or ETag");
      return { value: ClusterRecord.parse(JSON.parse(await Body.transformToString())), etag: ETag };
    } catch (error) {
      if (error instanceof Error && error.name === "NoSuchKey") return null;
      throw error;
    }
  }

  async function write(cluster: ClusterName, record: ClusterRecord, etag: string | undefined) {
    const condition = etag === undefined ? { IfNoneMatch: "*" } : { IfMatch: etag };
    try {
      await aws.s3.send(
        new PutObjectCommand({ ...place(cluster), ...condition, Body: JSON.stringify(record), ContentType: "application/json" }),
      );
    } catch (error) {
      if (error instanceof Error && lostRace.has(error.name)) {
        throw new TransientError(`the record of ${cluster} changed meanwhile`, {}, { cause: error });
      }
      throw error;
    }
  }

  async function states(record: ClusterRecord | undefined, who: ExecutionArn | null) {
    const holders = new Map<ExecutionArn, HolderState>();
    for (const { execution } of record?.lock.holders ?? []) {
      if (execution !== who) holders.set(execution, await executionState(aws.sfn, execution));
    }
    return holders;
  }

  async function change<K extends Intent["kind"]>(cluster: ClusterName, who: ExecutionArn, intent: Extract<Intent, { kind: K }>) {
    const present = await read(cluster);
    const holders = asksForHolders.has(intent.kind) ? await states(present?.value, who) : new Map<ExecutionArn, HolderState>();
    const decision = decide(present?.value ?? null, intent, { who, now: aws.now(), holders });
    if ("refusal" in decision) throw decision.refusal;
    if (decision.record !== null) await write(cluster, decision.record, present?.etag);
    return decision.answer;
  }

  return {
    read,
    change,
    async names() {
      const pages = paginateListObjectsV2({ client: aws.s3 }, { Bucket: aws.deployment.bucket, Prefix: "clusters/" });
      const keys = await collect(pages, ({ Contents = [] }) => Contents.map(({ Key = "" }) => Key));
      return keys.flatMap((key) => ClusterName.safeParse(/^clusters\/([^/]+)\/record\.json$/.exec(key)?.[1]).data ?? []);
    },
    async due(cluster, tagged) {
      const record = (await read(cluster))?.value;
      return due(record ?? null, tagged, { now: aws.now(), holders: await states(record, null) });
    },
  };
}
