import { fault } from "./fault.ts";

export const asMap = (tags: readonly { Key?: string | undefined; Value?: string | undefined }[] = []): Map<string, string> =>
  new Map(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
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
