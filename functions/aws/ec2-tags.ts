import type { Filter, ResourceType, Tag, TagSpecification } from "@aws-sdk/client-ec2";
import type { Lock } from "../domain/lock.ts";
import { identityTags, type Tags } from "../domain/tags.ts";

export const tagList = (tags: Tags): { Key: string; Value: string }[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** For the create call itself: a thing that is tagged afterwards is an orphan if we die in between. */
export const tagSpecifications = (types: readonly ResourceType[], tags: Tags): TagSpecification[] =>
  types.map((ResourceType) => ({ ResourceType, Tags: tagList(tags) }));

export const tagsOf = (list: readonly Tag[] | undefined): Tags =>
  Object.fromEntries((list ?? []).map(({ Key = "", Value = "" }) => [Key, Value]));

/** Finds what one generation owns. */
export const ownerFilters = (lock: Pick<Lock, "cluster" | "generation">): Filter[] =>
  Object.entries(identityTags(lock)).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] }));
