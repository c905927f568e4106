import { strict as assert } from "node:assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import { openApi } from "../../functions/api/openapi.ts";

interface Operation {
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content: Content }>>;
}
type Content = Readonly<Record<string, { readonly schema: object }>>;

export const document = openApi("/v1") as { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

// Formats are written out as patterns beside them.
const ajv = new Ajv2020({ strict: true, validateFormats: false });
ajv.addVocabulary(["components"]);
ajv.addSchema(
  { $id: "cloister", components: (document as unknown as { components: object }).components },
  undefined,
  undefined,
  false,
);

const matching = (path: string) =>
  Object.entries(document.paths).find(([template]) =>
    new RegExp(`^${template.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path),
  )?.[1];

function holds(content: Content | undefined, type: string, value: unknown, what: string): void {
  const schema = content?.[type]?.schema ?? assert.fail(`${what}: the document knows no ${type}`);
  const check = ajv.compile(JSON.parse(JSON.stringify(schema).replace('"#/', '"cloister#/')) as object);
  assert.ok(check(value), `${what}: ${ajv.errorsText(check.errors)}`);
}

/** What was asked and answered is as the document says; gives false where it knows no such path or method. */
export function isDocumented(
  method: string,
  path: string,
  sent: unknown,
  answer: { status: number; type: string; body: unknown },
): boolean {
  const operation = matching(path)?.[method.toLowerCase()];
  if (operation === undefined) return false;
  const what = `${method} ${path} ${answer.status}`;
  const response = operation.responses[String(answer.status)] ?? assert.fail(`${what} is not in the document`);
  holds(response.content, answer.type, answer.body, what);
  // What was taken is a request as the document has it; what was refused may be anything.
  if (answer.status === 202 && sent !== undefined) holds(operation.requestBody?.content, "application/json", sent, what);
  return true;
}
