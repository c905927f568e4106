import { readdirSync, readFileSync } from "node:fs";
import { CfnDocument } from "aws-cdk-lib/aws-ssm";
import { Construct } from "constructs";
import { type DocumentName, documents } from "../functions/domain/documents.ts";
import { buildDocument } from "../functions/domain/ssm-documents.ts";

const scripts = new URL("../scripts/node/", import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, scripts), "utf8");

/** Every SSM document, from its script and the table of its parameters. */
export class CommandDocuments extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const manifests = Object.fromEntries(
      readdirSync(new URL("manifests/", scripts))
        .filter((file) => file.endsWith(".yaml"))
        .map((file) => [file.replace(/\.yaml$/, ""), text(`manifests/${file}`)]),
    );
    for (const document of Object.keys(documents) as DocumentName[]) {
      new CfnDocument(this, document, {
        name: `cloister-${document}`,
        documentType: "Command",
        documentFormat: "JSON",
        targetType: "/AWS::EC2::Instance",
        // A new version, which becomes the default, instead of a document with another name.
        updateMethod: "NewVersion",
        content: buildDocument(document, { script: text(`${document}.sh`), lib: text("lib.sh"), manifests }),
      });
    }
  }
}
