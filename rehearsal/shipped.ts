import { readdirSync, readFileSync } from "node:fs";
import { documentName } from "../functions/aws/ssm-commands.ts";
import { type DocumentName, documents } from "../functions/domain/documents.ts";
import { buildDocument } from "../functions/domain/ssm-documents.ts";
import { userData } from "../functions/domain/user-data.ts";
import type { Shipped } from "./world/node/quick/quick-shell.ts";
import { type Document, readDocument } from "./world/ssm/documents.ts";

const folder = new URL("../scripts/node/", import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, folder), "utf8");

/** Our own manifests by name. */
const manifests: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(new URL("manifests/", folder))
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => [file.replace(/\.yaml$/, ""), text(`manifests/${file}`)]),
);

const registered = new Map<DocumentName, Document>();

/** A document as the stack would register it, put together once. */
export function shippedDocument(name: DocumentName): Document {
  const known = registered.get(name);
  if (known !== undefined) return known;
  const content = buildDocument(name, { script: text(`${name}.sh`), lib: text("lib.sh"), manifests });
  const document = readDocument(documentName(name), content);
  registered.set(name, document);
  return document;
}

const byText = new Map<string, DocumentName>();

function documentOf(script: string): DocumentName | null {
  if (byText.size === 0)
    for (const name of Object.keys(documents) as DocumentName[]) byText.set(shippedDocument(name).script, name);
  return byText.get(script) ?? null;
}

/** Reads the guard's names, and renders it anew: a text that differs anywhere is no guard. */
function guardOf(script: string): ReturnType<Shipped["guardOf"]> {
  const [, hosts = ""] = /^hosts='([^']*)'$/m.exec(script) ?? [];
  const [, subnets = ""] = /^# Only the private addresses of this cluster count as an answer: (.+)\.$/m.exec(script) ?? [];
  if (hosts === "" || subnets === "") return null;
  const guard = { hosts: hosts.split(" "), subnets: subnets.split(", ") };
  return userData(guard) === `#cloud-boothook\n${script}` ? guard : null;
}

/** What quick nodes are told of the product. */
export const shipped: Shipped = { documentOf, guardOf, manifests };
