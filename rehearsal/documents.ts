import { readdirSync, readFileSync } from "node:fs";
import { documentName } from "../functions/aws/ssm-commands.ts";
import type { DocumentName } from "../functions/domain/documents.ts";
import { buildDocument } from "../functions/domain/ssm-documents.ts";
import { type Document, readDocument } from "./world/ssm/documents.ts";

const folder = new URL("../scripts/node/", import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, folder), "utf8");

/** A document as the stack registers it, from the shipped script and manifests. */
export function shippedDocument(name: DocumentName): Document {
  const files = readdirSync(new URL("manifests/", folder)).filter((file) => file.endsWith(".yaml"));
  const manifests = Object.fromEntries(files.map((file) => [file.replace(/\.yaml$/, ""), text(`manifests/${file}`)]));
  const content = buildDocument(name, { script: text(`${name}.sh`), lib: text("lib.sh"), manifests });
  return readDocument(documentName(name), content);
}
