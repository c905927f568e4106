import { readdirSync, readFileSync } from "node:fs";
import { documentName } from "../functions/aws/ssm-commands.ts";
import type { DocumentName } from "../functions/domain/documents.ts";
import { buildDocument } from "../functions/domain/ssm-documents.ts";
import { type Document, readDocument } from "./world/ssm/documents.ts";

const folder = new URL("../scripts/node/", import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, folder), "utf8");

let ours: Readonly<Record<string, string>> | null = null;

/** Our own manifests by name, read once. */
export function manifests(): Readonly<Record<string, string>> {
  ours ??= Object.fromEntries(
    readdirSync(new URL("manifests/", folder))
      .filter((file) => file.endsWith(".yaml"))
      .map((file) => [file.replace(/\.yaml$/, ""), text(`manifests/${file}`)]),
  );
  return ours;
}

const shipped = new Map<DocumentName, Document>();

/** A document as the stack would register it, put together once. */
export function shippedDocument(name: DocumentName): Document {
  const known = shipped.get(name);
  if (known !== undefined) return known;
  const content = buildDocument(name, { script: text(`${name}.sh`), lib: text("lib.sh"), manifests: manifests() });
  const document = readDocument(documentName(name), content);
  shipped.set(name, document);
  return document;
}
