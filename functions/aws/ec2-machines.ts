import {
  type _InstanceType,
  type Instance,
  paginateDescribeInstances,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { InstanceId, Role } from "../domain/ids.ts";
import type { Aws } from "./aws.ts";
import { ownerFilters, tagSpecifications, tagsOf } from "./ec2-tags.ts";
import { isRefusal } from "./fault.ts";
import type { LaunchOrder, Machine, MachinesPort } from "./ports.ts";

function toMachine(instance: Instance): Machine {
  const tags = tagsOf(instance.Tags);
  return {
    instanceId: InstanceId.parse(instance.InstanceId),
    name: tags["Name"] ?? "",
    role: Role.parse(tags["cloister:role"]),
    zone: instance.Placement?.AvailabilityZone ?? "",
    address: instance.PrivateIpAddress ?? null,
    state: instance.State?.Name ?? "pending",
    launchedAt: instance.LaunchTime ?? new Date(0),
    endCode: instance.StateReason?.Code ?? "",
    endMessage: instance.StateReason?.Message ?? "",
  };
}

const toInput = (order: LaunchOrder) => ({
  MinCount: order.count,
  MaxCount: order.count,
  ImageId: order.imageId,
  InstanceType: order.instanceType as _InstanceType,
  SubnetId: order.subnetId,
  SecurityGroupIds: [...order.groupIds],
  ...(order.address === null ? {} : { PrivateIpAddress: order.address }),
  IamInstanceProfile: { Name: order.profile },
  // Written out, because an image or the account can make the hop limit 2, and then every pod gets the node's role (facts 5.8); and tags
  // shown there may not have a slash in their keys, which the cloud provider's has.
  MetadataOptions: {
    HttpEndpoint: "enabled" as const,
    HttpTokens: "required" as const,
    HttpPutResponseHopLimit: 1,
    InstanceMetadataTags: "disabled" as const,
  },
  BlockDeviceMappings: [
    {
      DeviceName: order.rootDeviceName,
      Ebs: { VolumeSize: order.volumeGiB, VolumeType: "gp3" as const, Encrypted: true, DeleteOnTermination: true },
    },
  ],
  UserData: Buffer.from(order.userData).toString("base64"),
  ClientToken: order.token,
  TagSpecifications: tagSpecifications(["instance", "volume", "network-interface"], order.tags),
});

export const ec2Machines = ({ ec2 }: Pick<Aws, "ec2">): MachinesPort => ({
  async find(lock) {
    const machines: Machine[] = [];
    for await (const { Reservations = [] } of paginateDescribeInstances({ client: ec2 }, { Filters: ownerFilters(lock) }))
      machines.push(...Reservations.flatMap(({ Instances = [] }) => Instances.map(toMachine)));
    return machines;
  },
  async launch(order) {
    try {
      const { Instances = [] } = await ec2.send(new RunInstancesCommand(toInput(order)));
      return Instances.map((instance) => InstanceId.parse(instance.InstanceId));
    } catch (error) {
      // Facts 8.5: another zone may have what this one lacks.
      if (isRefusal(error, "InsufficientInstanceCapacity", "InsufficientFreeAddressesInSubnet", "Unsupported"))
        return "no-capacity";
      if (isRefusal(error, "InvalidIPAddress.InUse")) return "address-taken";
      throw error;
    }
  },
  async end(instanceIds) {
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [...instanceIds] }));
  },
});
