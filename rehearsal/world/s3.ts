import { createHash } from "node:crypto";
import type {
  DeleteObjectCommandInput,
  GetObjectCommandInput,
  HeadObjectCommandInput,
  ListObjectsV2CommandInput,
  PutObjectCommandInput,
} from "@aws-sdk/client-s3";
import { fault } from "./fault.ts";
import { reads, writes } from "./operation.ts";
import type { InventoryItem, Operation, Service } from "./service.ts";

interface Stored {
  readonly body: string;
  readonly etag: string;
  readonly versionId: string;
  /** What the object weighs on AWS, in bytes; its stand-in here is small. */
  readonly bytes: number;
}

const noSuchKey = (key: string) => fault("s3", "NoSuchKey", `The specified key does not exist: ${key}`);

/** S3 with strong consistency, versions, and the conditional writes that the cluster's record rests on. */
export class S3 implements Service {
  readonly name = "s3" as const;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly #buckets = new Map<string, Map<string, Stored[]>>();
  #versions = 0;

  constructor() {
    this.operations = {
      PutObject: writes<PutObjectCommandInput>(["Bucket", "Key", "Body", "ContentType", "IfMatch", "IfNoneMatch"], (input) =>
        this.#put(input),
      ),
      GetObject: reads<GetObjectCommandInput>(["Bucket", "Key"], ({ Bucket = "", Key = "" }) => {
        const found = this.#current(Bucket, Key);
        if (found === undefined) throw noSuchKey(Key);
        const Body = { transformToString: async () => found.body, transformToByteArray: async () => Buffer.from(found.body) };
        return { Body, ETag: found.etag, VersionId: found.versionId, ContentLength: found.bytes };
      }),
      HeadObject: reads<HeadObjectCommandInput>(["Bucket", "Key"], ({ Bucket = "", Key = "" }) => {
        const found = this.#current(Bucket, Key);
        if (found === undefined) throw fault("s3", "NotFound", `no object ${Key}`);
        return { ETag: found.etag, VersionId: found.versionId, ContentLength: found.bytes };
      }),
      DeleteObject: writes<DeleteObjectCommandInput>(["Bucket", "Key"], ({ Bucket = "", Key = "" }) => {
        this.#bucket(Bucket).delete(Key);
        return {};
      }),
      ListObjectsV2: reads<ListObjectsV2CommandInput>(["Bucket", "Prefix", "MaxKeys", "ContinuationToken"], (input) =>
        this.#list(input),
      ),
    };
  }

  /** Makes a bucket; for whoever furnishes the account. */
  addBucket(name: string): void {
    this.#buckets.set(name, new Map());
  }

  /** Puts an object without asking anybody; `bytes` when it is to weigh more than its stand-in. */
  put(bucket: string, key: string, body: string, bytes = Buffer.byteLength(body)): string {
    const versions = this.#bucket(bucket).get(key) ?? [];
    const versionId = `v${++this.#versions}`;
    const etag = `"${createHash("md5").update(`${versionId}/${body}`).digest("hex")}"`;
    versions.push({ body, etag, versionId, bytes });
    this.#bucket(bucket).set(key, versions);
    return etag;
  }

  /** The object as it stands now, for the nodes and the auditor. */
  object(bucket: string, key: string): { readonly body: string; readonly bytes: number } | undefined {
    return this.#buckets.get(bucket)?.get(key)?.at(-1);
  }

  inventory(): readonly InventoryItem[] {
    return [...this.#buckets]
      .flatMap(([bucket, objects]) =>
        [...objects].map(([key, versions]) => ({
          type: "object",
          id: `${bucket}/${key}`,
          tags: {},
          facts: { versions: versions.length },
        })),
      )
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Every body ever written under a prefix, all versions: where an auditor looks for secrets. */
  bodies(prefix: string): readonly { readonly place: string; readonly text: string }[] {
    return [...this.#buckets].flatMap(([bucket, objects]) =>
      [...objects]
        .filter(([key]) => key.startsWith(prefix))
        .flatMap(([key, versions]) =>
          versions.map(({ body, versionId }) => ({ place: `s3://${bucket}/${key} ${versionId}`, text: body })),
        ),
    );
  }

  #bucket(name: string): Map<string, Stored[]> {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw fault("s3", "NoSuchBucket", `The specified bucket does not exist: ${name}`);
    return bucket;
  }

  #current(bucket: string, key: string): Stored | undefined {
    return this.#bucket(bucket).get(key)?.at(-1);
  }

  #put({ Bucket = "", Key = "", Body, IfMatch, IfNoneMatch }: PutObjectCommandInput) {
    const present = this.#current(Bucket, Key);
    const refuse = () => fault("s3", "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    if (IfNoneMatch === "*" && present !== undefined) throw refuse();
    if (IfMatch !== undefined && present === undefined) throw noSuchKey(Key);
    if (IfMatch !== undefined && present?.etag !== IfMatch) throw refuse();
    return { ETag: this.put(Bucket, Key, String(Body)) };
  }

  #list({ Bucket = "", Prefix = "", MaxKeys = 1000, ContinuationToken }: ListObjectsV2CommandInput) {
    const keys = [...this.#bucket(Bucket).keys()]
      .filter((key) => key.startsWith(Prefix) && key > (ContinuationToken ?? ""))
      .sort();
    const page = keys.slice(0, MaxKeys);
    const more = keys.length > page.length;
    return {
      Contents: page.map((Key) => ({ Key })),
      KeyCount: page.length,
      IsTruncated: more,
      NextContinuationToken: more ? page.at(-1) : undefined,
    };
  }
}
