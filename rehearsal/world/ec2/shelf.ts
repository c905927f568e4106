import type { Tag, TagSpecification } from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";

/** What every EC2 resource has. `type` is the name that TagSpecifications and DescribeTags use. */
export interface Resource {
  readonly id: string;
  readonly type: string;
  readonly tags: Map<string, string>;
  /** Milliseconds of virtual time. */
  readonly born: number;
}

/** When a thing that was made at `born` shows in reads: at once, or after the lag that a run asks for. */
export interface Sight {
  now(): number;
  readonly lagSeconds: number;
}

/** All resources of one kind, in the order of their making. */
export class Shelf<T extends Resource> {
  readonly #all = new Map<string, T>();
  readonly #sight: Sight;
  readonly #notFound: string;
  readonly #malformed: string;
  readonly #prefix: string;

  constructor(sight: Sight, prefix: string, notFound: string) {
    this.#sight = sight;
    this.#prefix = prefix;
    this.#notFound = notFound;
    this.#malformed = notFound.replace(/NotFound$/, "Malformed");
  }

  add(item: T): T {
    this.#all.set(item.id, item);
    return item;
  }

  remove(id: string): void {
    this.#all.delete(id);
  }

  find(id: string | undefined): T | undefined {
    return id === undefined ? undefined : this.#all.get(id);
  }

  /** As a call sees it: the refusal of AWS when there is no such thing, or none to be seen yet. */
  get(id: string | undefined): T {
    if (id === undefined || id === "") throw fault("ec2", "MissingParameter", `The request must contain a ${this.#prefix} id`);
    if (!id.startsWith(`${this.#prefix}-`)) throw fault("ec2", this.#malformed, `Invalid id: "${id}"`);
    const item = this.#all.get(id);
    if (item === undefined || !this.#isSeen(item)) throw fault("ec2", this.#notFound, `The ID '${id}' does not exist`);
    return item;
  }

  /** Whether an id could be one of this kind's. */
  names(id: string): boolean {
    return id.startsWith(`${this.#prefix}-`);
  }

  /** Everything, seen or not: the world's own view. */
  all(): T[] {
    return [...this.#all.values()];
  }

  /** What a Describe call has to choose from. An id that is asked for by name must be there. */
  seen(ids?: readonly string[]): T[] {
    if (ids !== undefined && ids.length > 0) return ids.map((id) => this.get(id));
    return this.all().filter((item) => this.#isSeen(item));
  }

  #isSeen(item: T): boolean {
    return this.#sight.now() >= item.born + this.#sight.lagSeconds * 1000;
  }
}

export const tagList = (tags: ReadonlyMap<string, string>): { Key: string; Value: string }[] =>
  [...tags].map(([Key, Value]) => ({ Key, Value }));

/** The tags a create call gives to a resource of this type. */
export function tagsAtBirth(
  type: string,
  specifications: readonly TagSpecification[] | undefined,
  alsoAllowed: readonly string[] = [],
): Map<string, string> {
  const tags = new Map<string, string>();
  for (const { ResourceType, Tags = [] } of specifications ?? []) {
    if (ResourceType !== type && !alsoAllowed.includes(String(ResourceType)))
      // RunInstances, which alone takes more than one type, says it otherwise (aws-cli#2865) than the others (moto#6860).
      throw fault(
        "ec2",
        alsoAllowed.length > 0 ? "InvalidParameterValue" : "InvalidParameter",
        `'${ResourceType}' is not a valid taggable resource type for this operation.`,
      );
    if (ResourceType === type) putTags(tags, Tags);
  }
  return tags;
}

/** Limits: 50 tags a resource, 128 characters a key, 256 a value; the prefix `aws:` is reserved. */
export function putTags(tags: Map<string, string>, added: readonly Tag[]): void {
  for (const { Key = "", Value = "" } of added) {
    if (Key === "" || Key.length > 128 || Value.length > 256 || Key.startsWith("aws:"))
      throw fault("ec2", "InvalidParameterValue", `Tag '${Key}' is not valid`);
    tags.set(Key, Value);
  }
  if (tags.size > 50) throw fault("ec2", "TagLimitExceeded", "More than 50 tags specified");
}
