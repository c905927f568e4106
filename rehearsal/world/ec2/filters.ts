import type { Filter } from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { SimulationGap } from "../service.ts";
import type { Resource } from "./shelf.ts";

/** Filter name -> the values that an item has for it. Only these names are known; `tag:KEY` and `tag-key` come with any resource. */
export type Facets<T> = Readonly<Record<string, (item: T) => readonly string[]>>;

/** EC2's patterns: `*` for any text, `?` for one character, both escaped by a backslash. */
function matches(pattern: string, value: string): boolean {
  if (!/[*?\\]/.test(pattern)) return pattern === value;
  const source = pattern.replace(/\\[\s\S]|[\s\S]/g, (piece) => {
    if (piece === "*") return "[\\s\\S]*";
    if (piece === "?") return "[\\s\\S]";
    return piece.slice(-1).replace(/[.+^${}()|[\]\\*?]/, "\\$&");
  });
  return new RegExp(`^${source}$`).test(value);
}

function valuesOf<T>(item: T, name: string, facets: Facets<T>): readonly string[] {
  const facet = facets[name];
  if (facet !== undefined) return facet(item);
  const tags = (item as Partial<Resource>).tags;
  if (tags !== undefined && name.startsWith("tag:")) {
    const value = tags.get(name.slice(4));
    return value === undefined ? [] : [value];
  }
  if (tags !== undefined && name === "tag-key") return [...tags.keys()];
  throw new SimulationGap(`no filter ${name}`);
}

/** All filters must hold; of one filter's values any. Names are checked even when there is nothing to choose from. */
export function filtered<T>(items: readonly T[], filters: readonly Filter[] | undefined, facets: Facets<T>): T[] {
  const wanted = (filters ?? []).map(({ Name = "", Values = [] }) => {
    if (facets[Name] === undefined && !/^tag:./.test(Name) && Name !== "tag-key") throw new SimulationGap(`no filter ${Name}`);
    if (Values.length > 200) throw fault("ec2", "FilterLimitExceeded", "The maximum number of filter values is 200");
    return { Name, Values };
  });
  return items.filter((item) =>
    wanted.every(({ Name, Values }) =>
      valuesOf(item, Name, facets).some((value) => Values.some((pattern) => matches(pattern, value))),
    ),
  );
}

export interface Paging {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

/** One page. The token is opaque to callers: an offset, so a page that comes later sees what has changed in between, as AWS's do. */
export function paged<T>(
  items: readonly T[],
  { MaxResults, NextToken }: Paging,
  size: number,
): { page: T[]; NextToken?: string } {
  if (MaxResults !== undefined && (MaxResults < 5 || MaxResults > 1000))
    throw fault(
      "ec2",
      "InvalidParameterValue",
      `Value ( ${MaxResults} ) for parameter maxResults is invalid. Expecting 5 to 1000.`,
    );
  const start = NextToken === undefined ? 0 : Number(Buffer.from(NextToken, "base64").toString());
  if (!Number.isInteger(start)) throw fault("ec2", "InvalidNextToken", "The token is not valid");
  const end = start + Math.min(MaxResults ?? size, size);
  const page = items.slice(start, end);
  return end < items.length ? { page, NextToken: Buffer.from(String(end)).toString("base64") } : { page };
}
