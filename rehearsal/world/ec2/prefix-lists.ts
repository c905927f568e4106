import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { type Operations, reads } from "../operation.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import type { PrefixList } from "./model.ts";
import type { Ec2State } from "./state.ts";

const facets: Facets<PrefixList> = {
  "prefix-list-name": ({ name }) => [name],
  "prefix-list-id": ({ id }) => [id],
  "owner-id": () => ["AWS"],
};

function chosen(state: Ec2State, id: string | undefined): PrefixList {
  const list = state.prefixLists.find((candidate) => candidate.id === id);
  if (list === undefined) throw fault("ec2", "InvalidPrefixListID.NotFound", `The prefix list ID '${id}' does not exist`);
  return list;
}

export const prefixListOperations = (state: Ec2State): Operations => ({
  DescribeManagedPrefixLists: reads<sdk.DescribeManagedPrefixListsCommandInput>(
    ["PrefixListIds", "Filters", "MaxResults", "NextToken"],
    (input) => {
      const lists = input.PrefixListIds?.map((id) => chosen(state, id)) ?? state.prefixLists;
      const { page, ...rest } = paged(filtered(lists, input.Filters, facets), input, state.pageSize);
      const shown = page.map(({ id, name }) => ({
        PrefixListId: id,
        PrefixListArn: `arn:aws:ec2:${state.universe.region}:aws:prefix-list/${id}`,
        PrefixListName: name,
        AddressFamily: "IPv4",
        State: "create-complete",
        OwnerId: "AWS",
        Tags: [],
      }));
      return { PrefixLists: shown, ...rest };
    },
  ),
  GetManagedPrefixListEntries: reads<sdk.GetManagedPrefixListEntriesCommandInput>(
    ["PrefixListId", "MaxResults", "NextToken"],
    (input) => {
      const { page, ...rest } = paged(chosen(state, input.PrefixListId).cidrs, input, state.pageSize);
      return { Entries: page.map((Cidr) => ({ Cidr })), ...rest };
    },
  ),
});
