import type * as sdk from "@aws-sdk/client-ssm";
import { fault } from "../fault.ts";
import { reads, writes } from "../operation.ts";
import type { InventoryItem, Operation, Universe } from "../service.ts";

interface Parameter {
  readonly name: string;
  value: string;
  readonly type: string;
  version: number;
  readonly changedAt: Date;
  readonly tags: Readonly<Record<string, string>>;
}

/** Standard 4 KB, Advanced 8 KB (facts 8.6). */
const bytesMax = { Standard: 4096, Advanced: 8192 } as const;

/** The most that one DeleteParameters or one page of GetParametersByPath takes (API reference). */
const pageMax = 10;

/** Parameter Store. A SecureString's value is given only to who asks for it decrypted. */
export class ParameterStore {
  readonly operations: Readonly<Record<string, Operation>>;
  readonly #parameters = new Map<string, Parameter>();
  readonly #plain: { readonly place: string; readonly text: string }[] = [];
  readonly #universe: Universe;

  constructor(universe: Universe) {
    this.#universe = universe;
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
        (input) => this.#list(input),
      ),
      DeleteParameter: writes<sdk.DeleteParameterCommandInput>(["Name"], ({ Name = "" }) => {
        this.#find(Name);
        this.#parameters.delete(Name);
        return {};
      }),
      DeleteParameters: writes<sdk.DeleteParametersCommandInput>(["Names"], ({ Names = [] }) => this.#deleteAll(Names)),
    };
  }

  inventory(): InventoryItem[] {
    return [...this.#parameters.values()].map(({ name, type, tags }) => ({ type: "parameter", id: name, tags, facts: { type } }));
  }

  /** Every value that ever stood in a parameter which is no SecureString: one that is gone by now was read by whoever looked. */
  plain(): readonly { readonly place: string; readonly text: string }[] {
    return this.#plain;
  }

  /** What a SecureString holds, for an operator in a test. */
  secret(name: string): string | undefined {
    return this.#parameters.get(name)?.value;
  }

  /** Puts a parameter without asking anybody; for whoever furnishes the account. */
  seed(name: string, value: string): void {
    this.#parameters.set(name, { name, value, type: "String", version: 1, changedAt: this.#now(), tags: {} });
  }

  #now(): Date {
    return new Date(this.#universe.clock.now());
  }

  #find(name: string): Parameter {
    const found = this.#parameters.get(name);
    if (found === undefined) throw fault("ssm", "ParameterNotFound", `Parameter ${name} not found.`);
    return found;
  }

  /** What is not there makes no error here: it is listed as invalid (API reference, DeleteParameters). */
  #deleteAll(names: readonly string[]) {
    if (names.length === 0 || names.length > pageMax)
      throw fault("ssm", "ValidationException", `Member must have length between 1 and ${pageMax}`);
    const found = names.filter((name) => this.#parameters.delete(name));
    return { DeletedParameters: found, InvalidParameters: names.filter((name) => !found.includes(name)) };
  }

  #list({ Path = "", WithDecryption, Recursive, MaxResults = pageMax, NextToken }: sdk.GetParametersByPathCommandInput) {
    if (MaxResults > pageMax) throw fault("ssm", "ValidationException", `MaxResults must be at most ${pageMax}`);
    const inside = `${Path.replace(/\/$/, "")}/`;
    const found = [...this.#parameters.values()].filter(
      ({ name }) => name.startsWith(inside) && (Recursive === true || !name.slice(inside.length).includes("/")),
    );
    const start = Number(NextToken ?? 0);
    const end = start + MaxResults;
    return {
      Parameters: found.slice(start, end).map((parameter) => this.#shown(parameter, WithDecryption === true)),
      ...(end < found.length ? { NextToken: String(end) } : {}),
    };
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
    if (Type !== "SecureString") this.#plain.push({ place: `parameter ${Name}`, text: Value });
    this.#parameters.set(Name, { name: Name, value: Value, type: Type, version, changedAt: this.#now(), tags });
    return { Version: version, Tier };
  }

  #shown({ name, value, type, version, changedAt }: Parameter, isDecrypted: boolean) {
    const { region, account } = this.#universe;
    return {
      Name: name,
      Type: type,
      Version: version,
      Value: type === "SecureString" && !isDecrypted ? "encrypted" : value,
      LastModifiedDate: changedAt,
      ARN: `arn:aws:ssm:${region}:${account}:parameter${name}`,
      DataType: "text",
    };
  }
}
