import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { type Operations, reads, writes } from "../operation.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import type { Volume } from "./model.ts";
import { tagList, tagsAtBirth } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

/** From DetachVolume to a disk that can be deleted: a guess, there is no row of latencies.json. Until then it is in use (facts 7.3). */
const detachSeconds = 2;

const facets: Facets<Volume> = {
  "volume-id": ({ id }) => [id],
  "availability-zone": ({ zone }) => [zone],
  status: ({ state }) => [state],
  "volume-type": ({ volumeType }) => [volumeType],
  "attachment.instance-id": ({ attachment }) => (attachment === null ? [] : [attachment.instanceId]),
  "attachment.device": ({ attachment }) => (attachment === null ? [] : [attachment.device]),
};

/** The answers of attaching and detaching say that it has begun; it takes no time here. */
const attachmentShown = (id: string, attachment: NonNullable<Volume["attachment"]>, State: string) => ({
  VolumeId: id,
  InstanceId: attachment.instanceId,
  Device: attachment.device,
  AttachTime: new Date(attachment.at),
  DeleteOnTermination: attachment.goesWithInstance,
  State,
});

const shown = (state: Ec2State, volume: Volume) => ({
  VolumeId: volume.id,
  AvailabilityZone: volume.zone,
  Size: volume.size,
  VolumeType: volume.volumeType,
  Encrypted: volume.isEncrypted,
  // The driver and the handlers ask for nothing more than gp3 gives to everybody.
  ...(volume.volumeType === "gp3" ? { Iops: 3000, Throughput: 125 } : {}),
  ...(volume.isEncrypted ? { KmsKeyId: `arn:aws:kms:${state.universe.region}:${state.universe.account}:key/ebs` } : {}),
  State: volume.state,
  CreateTime: new Date(volume.born),
  Attachments:
    volume.attachment === null
      ? []
      : [attachmentShown(volume.id, volume.attachment, volume.isDetaching ? "detaching" : "attached")],
  Tags: tagList(volume.tags),
});

function create(state: Ec2State, input: sdk.CreateVolumeCommandInput): Volume {
  const zone = input.AvailabilityZone ?? "";
  if (!state.zones.includes(zone)) throw fault("ec2", "InvalidZone.NotFound", `The zone '${zone}' does not exist.`);
  if (input.Size === undefined || input.Size < 1)
    throw fault("ec2", "InvalidParameterValue", `Invalid volume size: ${input.Size}`);
  return state.volumes.add({
    id: state.newId("vol"),
    type: "volume",
    tags: tagsAtBirth("volume", input.TagSpecifications),
    born: state.universe.clock.now(),
    zone,
    size: input.Size,
    volumeType: input.VolumeType ?? "gp2",
    isEncrypted: input.Encrypted ?? false,
    state: "available",
    isDetaching: false,
    attachment: null,
  });
}

function attach(state: Ec2State, input: sdk.AttachVolumeCommandInput): object {
  const volume = state.volumes.get(input.VolumeId);
  const instance = state.instances.get(input.InstanceId);
  const device = input.Device ?? "";
  if (volume.attachment !== null) throw fault("ec2", "VolumeInUse", `${volume.id} is already attached to an instance`);
  if (volume.zone !== instance.zone)
    throw fault(
      "ec2",
      "InvalidVolume.ZoneMismatch",
      `The volume '${volume.id}' is not in the same availability zone as the instance`,
    );
  if (instance.state !== "running") throw fault("ec2", "IncorrectState", `Instance '${instance.id}' is not 'running'.`);
  if (state.volumes.all().some(({ attachment }) => attachment?.instanceId === instance.id && attachment.device === device))
    throw fault(
      "ec2",
      "InvalidParameterValue",
      `Invalid value '${device}' for unixDevice. Attachment point ${device} is already in use`,
    );
  volume.attachment = { instanceId: instance.id, device, goesWithInstance: false, at: state.universe.clock.now() };
  volume.state = "in-use";
  return attachmentShown(volume.id, volume.attachment, "attaching");
}

function detach(state: Ec2State, input: sdk.DetachVolumeCommandInput): object {
  const volume = state.volumes.get(input.VolumeId);
  const { attachment } = volume;
  if (attachment === null || volume.isDetaching)
    throw fault(
      "ec2",
      "IncorrectState",
      `Volume '${volume.id}' is in the '${attachment === null ? "available" : "detaching"}' state.`,
    );
  if (input.InstanceId !== undefined && input.InstanceId !== attachment.instanceId)
    throw fault("ec2", "InvalidAttachment.NotFound", `'${volume.id}' is not attached to '${input.InstanceId}'`);
  volume.isDetaching = true;
  state.universe.clock.after(detachSeconds, () => {
    volume.isDetaching = false;
    if (volume.attachment === attachment) Object.assign(volume, { attachment: null, state: "available" });
  });
  return attachmentShown(volume.id, attachment, "detaching");
}

function remove(state: Ec2State, { VolumeId }: sdk.DeleteVolumeCommandInput): object {
  const volume = state.volumes.get(VolumeId);
  if (volume.attachment !== null)
    throw fault("ec2", "VolumeInUse", `Volume ${volume.id} is currently attached to ${volume.attachment.instanceId}`);
  state.volumes.remove(volume.id);
  return {};
}

export const volumeOperations = (state: Ec2State): Operations => ({
  CreateVolume: writes<sdk.CreateVolumeCommandInput>(
    ["ClientToken", "AvailabilityZone", "Size", "VolumeType", "Encrypted", "Iops", "Throughput", "TagSpecifications"],
    (input) =>
      shown(
        state,
        state.once(
          "CreateVolume",
          input.ClientToken,
          input,
          () => create(state, input),
          ({ born }) => born,
        ),
      ),
  ),
  DescribeVolumes: reads<sdk.DescribeVolumesCommandInput>(["VolumeIds", "Filters", "MaxResults", "NextToken"], (input) => {
    const found = filtered(state.volumes.seen(input.VolumeIds), input.Filters, facets);
    const { page, ...rest } = paged(found, input, state.pageSize);
    return { Volumes: page.map((volume) => shown(state, volume)), ...rest };
  }),
  AttachVolume: writes<sdk.AttachVolumeCommandInput>(["VolumeId", "InstanceId", "Device"], (input) => attach(state, input)),
  DetachVolume: writes<sdk.DetachVolumeCommandInput>(["VolumeId", "InstanceId", "Device", "Force"], (input) =>
    detach(state, input),
  ),
  DeleteVolume: writes<sdk.DeleteVolumeCommandInput>(["VolumeId"], (input) => remove(state, input)),
});
