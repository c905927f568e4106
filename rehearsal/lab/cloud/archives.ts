import { createReadStream, existsSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import type { Hooks } from "../hooks.ts";

/** `bytes=0-8388607`: how the AWS CLI fetches what is large, several pieces at a time. */
function rangeOf(header: string | undefined, size: number): { readonly start: number; readonly end: number } | null {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === undefined) return null;
  const end = last === undefined || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return { start: Number(first), end };
}

/** The key of an object of the bucket, whichever way it is addressed: by a host of the bucket's own, or by the path. */
function keyOf({ headers, url = "/" }: IncomingMessage, bucket: string): string | null {
  const path = decodeURIComponent(new URL(url, "http://s3").pathname).slice(1);
  if ((headers.host ?? "").startsWith(`${bucket}.`)) return path;
  return path.startsWith(`${bucket}/`) ? path.slice(bucket.length + 1) : null;
}

/**
 * Serves a bundle's archives from its folder: moto would hold all of them, and give them out at a tenth of the speed. Everything else
 * of S3 is moto's, the bundle's own description and manifests included.
 */
export const archives =
  (bucket: string, prefix: string, folder: string, archiveOf: Hooks["archiveOf"]) =>
  (incoming: IncomingMessage, outgoing: ServerResponse): boolean => {
    const { method = "", headers } = incoming;
    const key = keyOf(incoming, bucket);
    if (key === null || !/^(?:GET|HEAD)$/.test(method) || !/^images\/[\w.-]+$/.test(key.slice(prefix.length))) return false;
    const file = archiveOf(key.slice(prefix.length), join(folder, key.slice(prefix.length)));
    if (!key.startsWith(prefix) || file === null || !existsSync(file)) return false;
    const { size, mtime } = statSync(file);
    const range = rangeOf(headers.range, size);
    const about = {
      "accept-ranges": "bytes",
      "content-type": "application/x-tar",
      etag: `"${key.length}-${size}"`,
      "last-modified": mtime.toUTCString(),
      "x-amz-request-id": "lab",
    };
    const sent =
      range === null
        ? { "content-length": size }
        : { "content-length": range.end - range.start + 1, "content-range": `bytes ${range.start}-${range.end}/${size}` };
    outgoing.writeHead(range === null ? 200 : 206, { ...about, ...sent });
    if (method === "HEAD") outgoing.end();
    else createReadStream(file, range ?? {}).pipe(outgoing);
    return true;
  };
