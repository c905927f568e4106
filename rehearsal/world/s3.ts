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
import { type InventoryItem, type Operation, type Service, SimulationGap } from "./service.ts";

interface Stored {
  /** null: a delete marker. The versions below it stay. */
  readonly body: string | null;
  readonly etag: string;
  readonly versionId: string;
  /** What the object weighs on AWS, in bytes; its stand-in here is small. */
  readonly bytes: number;
  readonly contentType: string;
  readonly writtenAt: Date;
}

type Current = Stored & { readonly body: string };

/** What S3 says of an object whose writer said nothing. */
const defaultType = "application/octet-stream";

const noSuchKey = (key: string) => fault("s3", "NoSuchKey", `The specified key does not exist: ${key}`);

/** What a read says of an object besides its body. */
const facts = ({ etag, versionId, bytes, contentType, writtenAt }: Current) => ({
  ETag: etag,
  VersionId: versionId,
  ContentLength: bytes,
  ContentType: contentType,
  LastModified: writtenAt,
  AcceptRanges: "bytes",
  Metadata: {},
});

function textOf(body: unknown): string {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString("utf8");
  throw new SimulationGap("PutObject with a body that is neither text nor bytes");
}

/** S3 with strong consistency, versions, and the conditional writes that the cluster's record rests on. */
export class S3 implements Service {
  readonly name = "s3" as const;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly #buckets = new Map<string, Map<string, Stored[]>>();
  #versions = 0;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
    this.operations = {
      PutObject: writes<PutObjectCommandInput>(["Bucket", "Key", "Body", "ContentType", "IfMatch", "IfNoneMatch"], (input) =>
        this.#put(input),
      ),
      GetObject: reads<GetObjectCommandInput>(["Bucket", "Key"], ({ Bucket = "", Key = "" }) => {
        const found = this.#current(Bucket, Key);
        if (found === undefined) throw noSuchKey(Key);
        const Body = { transformToString: async () => found.body, transformToByteArray: async () => Buffer.from(found.body) };
        return { Body, ...facts(found) };
      }),
      HeadObject: reads<HeadObjectCommandInput>(["Bucket", "Key"], ({ Bucket = "", Key = "" }) => {
        const found = this.#current(Bucket, Key);
        if (found === undefined) throw fault("s3", "NotFound", `no object ${Key}`);
        return facts(found);
      }),
      DeleteObject: writes<DeleteObjectCommandInput>(["Bucket", "Key"], ({ Bucket = "", Key = "" }) => {
        // With versions, a delete of what is not there leaves a marker, too.
        const { versionId } = this.#push(Bucket, Key, { body: null, etag: "", bytes: 0, contentType: "" });
        return { DeleteMarker: true, VersionId: versionId };
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
  put(bucket: string, key: string, body: string, bytes = Buffer.byteLength(body), contentType = defaultType): string {
    // Without encryption by a key of KMS an ETag is the body's MD5: two equal bodies cannot be told apart by it.
    const etag = `"${createHash("md5").update(body).digest("hex")}"`;
    this.#push(bucket, key, { body, etag, bytes, contentType });
    return etag;
  }

  #push(bucket: string, key: string, stored: Omit<Stored, "versionId" | "writtenAt">): Stored {
    const versions = this.#bucket(bucket).get(key) ?? [];
    const made = { ...stored, versionId: `v${++this.#versions}`, writtenAt: new Date(this.#now()) };
    this.#bucket(bucket).set(key, [...versions, made]);
    return made;
  }

  /** The object as it stands now, for the nodes and the auditor. */
  object(bucket: string, key: string): Current | undefined {
    return this.#buckets.has(bucket) ? this.#current(bucket, key) : undefined;
  }

  inventory(): readonly InventoryItem[] {
    return [...this.#buckets]
      .flatMap(([bucket, objects]) =>
        [...objects].flatMap(([key, versions]) =>
          versions.at(-1)?.body === null
            ? []
            : [{ type: "object", id: `${bucket}/${key}`, tags: {}, facts: { versions: versions.length } }],
        ),
      )
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Every body ever written under a prefix, all versions: where an auditor looks for secrets. */
  bodies(prefix: string): readonly { readonly place: string; readonly text: string }[] {
    return [...this.#buckets].flatMap(([bucket, objects]) =>
      [...objects]
        .filter(([key]) => key.startsWith(prefix))
        .flatMap(([key, versions]) =>
          versions.flatMap(({ body, versionId }) =>
            body === null ? [] : [{ place: `s3://${bucket}/${key} ${versionId}`, text: body }],
          ),
        ),
    );
  }

  #bucket(name: string): Map<string, Stored[]> {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw fault("s3", "NoSuchBucket", `The specified bucket does not exist: ${name}`);
    return bucket;
  }

  #current(bucket: string, key: string): Current | undefined {
    const last = this.#bucket(bucket).get(key)?.at(-1);
    return last === undefined || last.body === null ? undefined : { ...last, body: last.body };
  }

  #put({ Bucket = "", Key = "", Body, ContentType, IfMatch, IfNoneMatch }: PutObjectCommandInput) {
    const present = this.#current(Bucket, Key);
    const refuse = () => fault("s3", "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    if (IfNoneMatch !== undefined && IfNoneMatch !== "*") throw new SimulationGap(`IfNoneMatch ${IfNoneMatch}`);
    if (IfNoneMatch === "*" && present !== undefined) throw refuse();
    if (IfMatch !== undefined && present === undefined) throw noSuchKey(Key);
    if (IfMatch !== undefined && present?.etag !== IfMatch) throw refuse();
    const text = textOf(Body);
    const ETag = this.put(Bucket, Key, text, Buffer.byteLength(text), ContentType);
    return { ETag, VersionId: this.#current(Bucket, Key)?.versionId };
  }

  #list({ Bucket = "", Prefix = "", MaxKeys = 1000, ContinuationToken }: ListObjectsV2CommandInput) {
    const keys = [...this.#bucket(Bucket).keys()]
      .filter((key) => this.#current(Bucket, key) !== undefined)
      .filter((key) => key.startsWith(Prefix) && key > (ContinuationToken ?? ""))
      .sort();
    const page = keys.slice(0, MaxKeys);
    const more = keys.length > page.length;
    const listed = (Key: string) => {
      const { etag, bytes, writtenAt } = this.#current(Bucket, Key) as Current;
      return { Key, ETag: etag, Size: bytes, LastModified: writtenAt, StorageClass: "STANDARD" };
    };
    return {
      Name: Bucket,
      Prefix,
      MaxKeys,
      // Not an empty list: the field is left out.
      ...(page.length > 0 && { Contents: page.map(listed) }),
      KeyCount: page.length,
      IsTruncated: more,
      NextContinuationToken: more ? page.at(-1) : undefined,
    };
  }
}
