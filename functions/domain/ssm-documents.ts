import { type DocumentName, documents } from "./documents.ts";

/** SSM takes documents of 64 KB (facts 8.6). */
const documentBytesMax = 65_536;
/** The line of a script that brings in the common part; the builder puts the part itself there. */
const sourceLine = '. "$(dirname "$0")/lib.sh"';

/** The texts a document is made of, as they lie in scripts/node. */
export interface ScriptTexts {
  readonly script: string;
  readonly lib: string;
  /** Our own manifests by name, for the scripts that call `manifest NAME`. */
  readonly manifests: Readonly<Record<string, string>>;
}

/** The shell function `manifest NAME`, which prints the manifests that this script names. */
function manifestFunction(script: string, manifests: Readonly<Record<string, string>>): string {
  const wanted = Object.entries(manifests).filter(([name]) => new RegExp(`(?:manifest|template) ${name}\\b`).test(script));
  if (wanted.length === 0) return "";
  const cases = wanted.map(([name, text]) => `${name})\ncat <<'MANIFEST_END'\n${text.trimEnd()}\nMANIFEST_END\n;;`);
  return `manifest() {\ncase "$1" in\n${cases.join("\n")}\n*) die "no manifest is called $1" ;;\nesac\n}\n`;
}

/** The whole script as one text: what an agent runs. */
export function assembleScript(document: DocumentName, { script, lib, manifests }: ScriptTexts): string {
  if (script.split(sourceLine).length !== 2) throw new RangeError(`${document}.sh does not source lib.sh exactly once`);
  const limit = `limit=${documents[document].executionSeconds}`;
  return script.replace(sourceLine, () => `${limit}\n${lib.trimEnd()}\n${manifestFunction(script, manifests).trimEnd()}`);
}

/** The SSM document of a script: schema 2.2, one step, every parameter guarded by its pattern and handed over as an environment variable. */
export function buildDocument(document: DocumentName, texts: ScriptTexts): Record<string, unknown> {
  const { parameters, executionSeconds } = documents[document];
  const content = {
    schemaVersion: "2.2",
    description: `Cloister: ${document}`,
    parameters: Object.fromEntries(
      Object.entries<RegExp>(parameters).map(([name, pattern]) => [
        name,
        { type: "String", allowedPattern: pattern.source, interpolationType: "ENV_VAR" },
      ]),
    ),
    mainSteps: [
      {
        action: "aws:runShellScript",
        name: "run",
        inputs: { timeoutSeconds: String(executionSeconds), runCommand: assembleScript(document, texts).split("\n") },
      },
    ],
  };
  const bytes = Buffer.byteLength(JSON.stringify(content));
  if (bytes > documentBytesMax)
    throw new RangeError(`the document ${document} has ${bytes} bytes, SSM takes ${documentBytesMax}`);
  return content;
}
