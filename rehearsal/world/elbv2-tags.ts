import { fault } from "./fault.ts";

type Tags = readonly { Key?: string | undefined; Value?: string | undefined }[];

/** Fewer characters than EC2 takes (API reference of Elastic Load Balancing, Tag). */
export function asMap(tags: Tags = []): Map<string, string> {
  for (const text of tags.flatMap(({ Key = "", Value = "" }) => [Key, Value]))
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+@-]*$/u.test(text)) throw fault("elb", "ValidationError", `'${text}' is not valid in a tag`);
  return new Map(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
}
export const asList = (map: ReadonlyMap<string, string>) => [...map].map(([Key, Value]) => ({ Key, Value }));

/** An attribute that the thing does not have is refused, as AWS does. */
export function change(
  attributes: Map<string, string>,
  changes: readonly { Key?: string | undefined; Value?: string | undefined }[],
): void {
  for (const { Key = "" } of changes)
    if (!attributes.has(Key)) throw fault("elb", "InvalidConfigurationRequestException", `Attribute '${Key}' is not recognized`);
  for (const { Key = "", Value = "" } of changes) attributes.set(Key, Value);
}
