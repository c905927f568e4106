import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Arrived } from "./events.ts";

/** One IAM principal of the virtual account, with the keys he signs with. */
export interface Principal {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly userArn: string;
}

/** SigV4 grants so much between a signature's date and the service's clock. */
const windowSeconds = 300;

type Bytes = string | ArrayBuffer | ArrayBufferView;
const bufferOf = (data: Bytes): Buffer =>
  typeof data === "string"
    ? Buffer.from(data)
    : ArrayBuffer.isView(data)
      ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      : Buffer.from(data);

/** SHA-256 as the SDK's signer wants it, over Node's own. */
export class Sha256 {
  readonly #secret: Bytes | undefined;
  #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;

  constructor(secret?: Bytes) {
    this.#secret = secret;
    this.#hash = this.#fresh();
  }
  #fresh() {
    return this.#secret === undefined ? createHash("sha256") : createHmac("sha256", bufferOf(this.#secret));
  }
  update(data: Bytes): void {
    this.#hash.update(bufferOf(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {
    this.#hash = this.#fresh();
  }
}

const form =
  /^AWS4-HMAC-SHA256 Credential=([\w-]+)\/(\d{8})\/([\w-]+)\/execute-api\/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]{64})$/;

/** `20261124T060000Z` */
function dateOf(text: string): Date | null {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(date.getTime()) ? null : date;
}

/**
 * What API Gateway does with a method that wants AWS_IAM: signs the request once more, with the secret that it knows, and compares. Gives the
 * principal, or what API Gateway says of the signature.
 */
export async function verify(
  arrived: Arrived,
  known: readonly Principal[],
  region: string,
  now: Date,
): Promise<Principal | string> {
  const headers = new Map(arrived.headers.map(([name, value]) => [name.toLowerCase(), value]));
  const match = form.exec(headers.get("authorization") ?? "");
  if (match === null) return "Missing Authentication Token";
  const [, accessKeyId, day, signedFor, names = "", given = ""] = match;
  const principal = known.find((one) => one.accessKeyId === accessKeyId);
  if (principal === undefined) return "The security token included in the request is invalid.";
  const date = dateOf(headers.get("x-amz-date") ?? "");
  const signed = new Set(names.split(";"));
  if (date === null || !signed.has("host") || !signed.has("x-amz-date"))
    return "Authorization header requires host and X-Amz-Date.";
  if (signedFor !== region || headers.get("x-amz-date")?.slice(0, 8) !== day)
    return "Credential should be scoped to a valid region and date.";
  if (Math.abs(date.getTime() - now.getTime()) > windowSeconds * 1000) return "Signature expired, or not yet current.";
  const stated = headers.get("x-amz-content-sha256");
  if (stated !== undefined && stated !== createHash("sha256").update(arrived.body).digest("hex"))
    return "The provided X-Amz-Content-Sha256 is not the body's.";
  const expected = await sign(arrived, principal, { region, date, headers, signed });
  const matches = timingSafeEqual(Buffer.from(expected, "hex"), Buffer.from(given, "hex"));
  return matches ? principal : "The request signature we calculated does not match the signature you provided.";
}

interface Signing {
  readonly region: string;
  readonly date: Date;
  readonly headers: ReadonlyMap<string, string>;
  readonly signed: ReadonlySet<string>;
}

/** The signature that this principal would have given this request. */
async function sign({ method, path, query, body }: Arrived, principal: Principal, signing: Signing): Promise<string> {
  const { region, date, headers, signed } = signing;
  // The body is hashed anew: a checksum header that nobody signed must not stand in for it.
  const signer = new SignatureV4({
    service: "execute-api",
    region,
    credentials: principal,
    sha256: Sha256,
    applyChecksum: false,
  });
  const request = {
    method,
    protocol: "http:",
    hostname: "",
    path,
    query: Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name)])),
    headers: Object.fromEntries([...signed].flatMap((name) => (headers.has(name) ? [[name, headers.get(name) ?? ""]] : []))),
    body,
  };
  const { headers: made } = await signer.sign(request, { signingDate: date, signableHeaders: new Set(signed) });
  return /Signature=([0-9a-f]{64})$/.exec(made["authorization"] ?? "")?.[1] ?? "";
}
