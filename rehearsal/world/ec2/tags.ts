import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { type Operations, reads, writes } from "../operation.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import { putTags } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

interface TagRow {
  readonly resourceId: string;
  readonly resourceType: string;
  readonly key: string;
  readonly value: string;
}

const facets: Facets<TagRow> = {
  "resource-id": ({ resourceId }) => [resourceId],
  "resource-type": ({ resourceType }) => [resourceType],
  key: ({ key }) => [key],
  value: ({ value }) => [value],
};

function create(state: Ec2State, { Resources = [], Tags = [] }: sdk.CreateTagsCommandInput): object {
  const found = Resources.map((id) => {
    // Of a kind that it knows AWS says that there is none such (coreos-assembler#2566), of another that it is no id.
    const shelf = state.shelves().find((candidate) => candidate.names(id));
    if (shelf === undefined) throw fault("ec2", "InvalidID", `The ID '${id}' is not valid`);
    return shelf.get(id);
  });
  for (const { tags } of found) putTags(tags, Tags);
  return {};
}

export const tagOperations = (state: Ec2State): Operations => ({
  CreateTags: writes<sdk.CreateTagsCommandInput>(["Resources", "Tags"], (input) => create(state, input)),
  DescribeTags: reads<sdk.DescribeTagsCommandInput>(["Filters", "MaxResults", "NextToken"], (input) => {
    const rows = state
      .shelves()
      .flatMap((shelf) => shelf.seen())
      .flatMap(({ id, type, tags }) => [...tags].map(([key, value]) => ({ resourceId: id, resourceType: type, key, value })));
    const { page, ...rest } = paged(filtered(rows, input.Filters, facets), input, state.pageSize);
    const Tags = page.map(({ resourceId, resourceType, key, value }) => ({
      ResourceId: resourceId,
      ResourceType: resourceType,
      Key: key,
      Value: value,
    }));
    return { Tags, ...rest };
  }),
});
