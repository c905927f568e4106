import type * as sdk from "@aws-sdk/client-ec2";
import { type Operations, reads, writes } from "../operation.ts";
import { SimulationGap } from "../service.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import type { Snapshot } from "./model.ts";
import { tagList, tagsAtBirth } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

/** From CreateSnapshot to `completed` for a small disk: a guess, there is no row of latencies.json. */
const completionSeconds = 60;

const facets = (state: Ec2State): Facets<Snapshot> => ({
  "snapshot-id": ({ id }) => [id],
  "volume-id": ({ volumeId }) => [volumeId],
  "owner-id": () => [state.universe.account],
  status: (snapshot) => [snapshot.state],
  description: ({ description }) => [description],
});

const shown = (state: Ec2State, snapshot: Snapshot) => ({
  SnapshotId: snapshot.id,
  VolumeId: snapshot.volumeId,
  VolumeSize: snapshot.size,
  Encrypted: snapshot.isEncrypted,
  Description: snapshot.description,
  OwnerId: state.universe.account,
  State: snapshot.state,
  Progress: snapshot.state === "completed" ? "100%" : "0%",
  StartTime: new Date(snapshot.born),
  StorageTier: "standard",
  Tags: tagList(snapshot.tags),
});

function create(state: Ec2State, input: sdk.CreateSnapshotCommandInput): object {
  const tags = tagsAtBirth("snapshot", input.TagSpecifications);
  const volume = state.volumes.get(input.VolumeId);
  const { clock } = state.universe;
  const snapshot = state.snapshots.add({
    id: state.newId("snap"),
    type: "snapshot",
    tags,
    born: clock.now(),
    volumeId: volume.id,
    size: volume.size,
    isEncrypted: volume.isEncrypted,
    description: input.Description ?? "",
    state: "pending",
  });
  clock.after(completionSeconds, () => {
    snapshot.state = "completed";
  });
  return shown(state, snapshot);
}

/** Everybody's public snapshots are in the answer, unless the caller asks for its own, for one by id, or by a tag. */
function checkScope({ OwnerIds, SnapshotIds, Filters = [] }: sdk.DescribeSnapshotsCommandInput, account: string): void {
  const isByTag = Filters.some(({ Name = "" }) => /^tag(:|-key$)/.test(Name) || Name === "owner-id");
  const owners = OwnerIds ?? [];
  if (owners.some((owner) => owner !== "self" && owner !== account))
    throw new SimulationGap("snapshots of other accounts are not modelled");
  if (owners.length === 0 && (SnapshotIds ?? []).length === 0 && !isByTag)
    throw new SimulationGap("DescribeSnapshots without an owner lists the public snapshots of all accounts");
}

export const snapshotOperations = (state: Ec2State): Operations => ({
  CreateSnapshot: writes<sdk.CreateSnapshotCommandInput>(["VolumeId", "Description", "TagSpecifications"], (input) =>
    create(state, input),
  ),
  DescribeSnapshots: reads<sdk.DescribeSnapshotsCommandInput>(
    ["SnapshotIds", "OwnerIds", "Filters", "MaxResults", "NextToken"],
    (input) => {
      checkScope(input, state.universe.account);
      const found = filtered(state.snapshots.seen(input.SnapshotIds), input.Filters, facets(state));
      const { page, ...rest } = paged(found, input, state.pageSize);
      return { Snapshots: page.map((snapshot) => shown(state, snapshot)), ...rest };
    },
  ),
  DeleteSnapshot: writes<sdk.DeleteSnapshotCommandInput>(["SnapshotId"], ({ SnapshotId }) => {
    state.snapshots.remove(state.snapshots.get(SnapshotId).id);
    return {};
  }),
});
