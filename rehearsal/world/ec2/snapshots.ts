import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { type Operations, reads, writes } from "../operation.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import type { Snapshot } from "./model.ts";
import { tagList, tagsAtBirth } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

const facets: Facets<Snapshot> = {
  "snapshot-id": ({ id }) => [id],
  "volume-id": ({ volumeId }) => [volumeId],
  status: () => ["completed"],
};

const shown = (state: Ec2State, { id, volumeId, size, born, tags }: Snapshot) => ({
  SnapshotId: id,
  VolumeId: volumeId,
  VolumeSize: size,
  State: "completed",
  StartTime: new Date(born),
  OwnerId: state.universe.account,
  Tags: tagList(tags),
});

export const snapshotOperations = (state: Ec2State): Operations => ({
  CreateSnapshot: writes<sdk.CreateSnapshotCommandInput>(
    ["VolumeId", "Description", "TagSpecifications"],
    ({ VolumeId, TagSpecifications }) => {
      const volume = state.volumes.get(VolumeId);
      const made = state.snapshots.add({
        id: state.newId("snap"),
        type: "snapshot",
        tags: tagsAtBirth("snapshot", TagSpecifications),
        born: state.universe.clock.now(),
        volumeId: volume.id,
        size: volume.size,
      });
      return shown(state, made);
    },
  ),
  DescribeSnapshots: reads<sdk.DescribeSnapshotsCommandInput>(
    ["SnapshotIds", "OwnerIds", "Filters", "MaxResults", "NextToken"],
    (input) => {
      // Without an owner, AWS lists every public snapshot of the Region: nobody wants that.
      if (input.OwnerIds?.join() !== "self") throw fault("ec2", "InvalidParameterValue", "the virtual account has its own only");
      const found = filtered(state.snapshots.seen(input.SnapshotIds), input.Filters, facets);
      const { page, ...rest } = paged(found, input, state.pageSize);
      return { Snapshots: page.map((snapshot) => shown(state, snapshot)), ...rest };
    },
  ),
  DeleteSnapshot: writes<sdk.DeleteSnapshotCommandInput>(["SnapshotId"], ({ SnapshotId }) => {
    state.snapshots.remove(state.snapshots.get(SnapshotId).id);
    return {};
  }),
});
