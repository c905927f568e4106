import { CommandFailedError } from "../errors.ts";
import { type DocumentName, documents } from "./documents.ts";

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** The JSON object on the last line of what a script printed, checked against its document. It comes from a node: trust nothing. */
export function parseOutput(document: DocumentName, printed: string): Record<string, Json> {
  const last = printed.trim().split("\n").at(-1) ?? "";
  let value: unknown;
  try {
    value = JSON.parse(last);
  } catch (cause) {
    throw new CommandFailedError(`${document} did not end with a line of JSON`, { last: last.slice(0, 200) }, { cause });
  }
  const parsed = documents[document].output.safeParse(value);
  if (!parsed.success) throw new CommandFailedError(`${document} printed an unexpected result`, { issues: parsed.error.issues });
  return parsed.data as Record<string, Json>;
}
