import type * as sdk from "@aws-sdk/client-ssm";
import { fault } from "../fault.ts";
import { reads, writes } from "../operation.ts";
import type { InventoryItem, Operation } from "../service.ts";

interface Parameter {
  readonly name: string;
  value: string;
  readonly type: string;
  version: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** Standard 4 KB, Advanced 8 KB (facts 8.6). */
const bytesMax = { Standard: 4096, Advanced: 8192 } as const;

/** Parameter Store. A SecureString's value is given only to who asks for it decrypted. */
export class ParameterStore {
  readonly operations: Readonly<Record<string, Operation>>;
  readonly #parameters = new Map<string, Parameter>();

  constructor() {
    this.operations = {
      PutParameter: writes<sdk.PutParameterCommandInput>(
        ["Name", "Value", "Type", "Tier", "Overwrite", "Tags", "Description"],
        (input) => this.#put(input),
      ),
      GetParameter: reads<sdk.GetParameterCommandInput>(["Name", "WithDecryption"], ({ Name = "", WithDecryption }) => ({
        Parameter: this.#shown(this.#find(Name), WithDecryption === true),
      })),
      GetParametersByPath: reads<sdk.GetParametersByPathCommandInput>(
        ["Path", "WithDecryption", "Recursive", "MaxResults", "NextToken"],
        ({ Path = "", Recursive = false, WithDecryption }) => ({
          Parameters: [...this.#parameters.values()]
            .filter(({ name }) => name.startsWith(`${Path}/`) && (Recursive || !name.slice(Path.length + 1).includes("/")))
            .map((parameter) => this.#shown(parameter, WithDecryption === true)),
        }),
      ),
      DeleteParameter: writes<sdk.DeleteParameterCommandInput>(["Name"], ({ Name = "" }) => {
        this.#find(Name);
        this.#parameters.delete(Name);
        return {};
      }),
    };
  }

  inventory(): InventoryItem[] {
    return [...this.#parameters.values()].map(({ name, type, tags }) => ({ type: "parameter", id: name, tags, facts: { type } }));
  }

  /** Values that are not secret, for the auditor. */
  plain(): { readonly place: string; readonly text: string }[] {
    return [...this.#parameters.values()]
      .filter(({ type }) => type !== "SecureString")
      .map(({ name, value }) => ({ place: `parameter ${name}`, text: value }));
  }

  /** What a SecureString holds, for an operator in a test. */
  secret(name: string): string | undefined {
    return this.#parameters.get(name)?.value;
  }

  /** Puts a parameter without asking anybody; for whoever furnishes the account. */
  seed(name: string, value: string): void {
    this.#parameters.set(name, { name, value, type: "String", version: 1, tags: {} });
  }

  #find(name: string): Parameter {
    const found = this.#parameters.get(name);
    if (found === undefined) throw fault("ssm", "ParameterNotFound", `Parameter ${name} not found.`);
    return found;
  }

  #put({ Name = "", Value = "", Type = "String", Tier = "Standard", Overwrite, Tags }: sdk.PutParameterCommandInput) {
    const present = this.#parameters.get(Name);
    if (present !== undefined && Overwrite !== true)
      throw fault("ssm", "ParameterAlreadyExists", "The parameter already exists.");
    if (Overwrite === true && Tags !== undefined)
      throw fault("ssm", "ValidationException", "Tags and overwrite can't be used together");
    const limit = bytesMax[Tier === "Advanced" ? "Advanced" : "Standard"];
    if (Buffer.byteLength(Value) > limit)
      throw fault("ssm", "ValidationException", `Value of ${Tier} tier must be at most ${limit} bytes`);
    const tags = present?.tags ?? Object.fromEntries((Tags ?? []).map(({ Key = "", Value: value = "" }) => [Key, value]));
    const version = (present?.version ?? 0) + 1;
    this.#parameters.set(Name, { name: Name, value: Value, type: Type, version, tags });
    return { Version: version, Tier };
  }

  #shown({ name, value, type, version }: Parameter, isDecrypted: boolean) {
    return { Name: name, Type: type, Version: version, Value: type === "SecureString" && !isDecrypted ? "encrypted" : value };
  }
}
