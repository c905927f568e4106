import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { type Operations, reads, writes } from "../operation.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import { attachmentShown, macAddress, privateName } from "./interfaces.ts";
import { type Launch, runInstances, subjectOf } from "./launch.ts";
import type { Instance } from "./model.ts";
import { tagList } from "./shelf.ts";
import type { Ec2State } from "./state.ts";
import { zoneId } from "./subnets.ts";

const facets = (state: Ec2State): Facets<Instance> => ({
  "instance-id": ({ id }) => [id],
  "instance-state-name": (instance) => [instance.state],
  "instance-type": ({ instanceType }) => [instanceType],
  "vpc-id": ({ vpcId, state: name }) => (name === "terminated" ? [] : [vpcId]),
  "subnet-id": ({ subnetId, state: name }) => (name === "terminated" ? [] : [subnetId]),
  "availability-zone": ({ zone }) => [zone],
  "private-ip-address": ({ address, state: name }) => (name === "terminated" ? [] : [address]),
  "private-dns-name": ({ privateDnsName, state: name }) => (name === "terminated" ? [] : [privateDnsName]),
  "network-interface.private-dns-name": ({ privateDnsName, state: name }) => (name === "terminated" ? [] : [privateDnsName]),
  "image-id": ({ imageId }) => [imageId],
  "client-token": ({ token }) => [token],
  "instance.group-id": ({ interfaceId }) => state.interfaces.find(interfaceId)?.groupIds ?? [],
});

const stateCodes = { pending: 0, running: 16, "shutting-down": 32, terminated: 48, stopping: 64, stopped: 80 } as const;
const stateShown = ({ state }: Instance) => ({ Name: state, Code: stateCodes[state] });

/** Why it is not running; a launch that is under way says so, too. */
function reasonShown({ state, stateReason }: Instance): object {
  const reason = stateReason ?? (state === "pending" ? "pending" : null);
  return reason === null ? {} : { StateReason: { Code: reason, Message: reason } };
}

const groupsShown = (state: Ec2State, ids: readonly string[]) =>
  ids.map((GroupId) => ({ GroupId, GroupName: state.groups.find(GroupId)?.name ?? "" }));

/** What a terminated instance no longer has: its place in the network and its disks. */
function placeShown(state: Ec2State, instance: Instance) {
  const own = state.interfaces.find(instance.interfaceId);
  if (own === undefined) return { NetworkInterfaces: [], SecurityGroups: [], BlockDeviceMappings: [], PrivateDnsName: "" };
  const volumes = state.volumes.all().filter(({ attachment }) => attachment?.instanceId === instance.id);
  return {
    VpcId: instance.vpcId,
    SubnetId: instance.subnetId,
    PrivateIpAddress: instance.address,
    PrivateDnsName: instance.privateDnsName,
    SecurityGroups: groupsShown(state, own.groupIds),
    SourceDestCheck: own.sourceDestCheck,
    ...(own.publicAddress === null ? {} : { PublicIpAddress: own.publicAddress }),
    NetworkInterfaces: [
      {
        NetworkInterfaceId: own.id,
        InterfaceType: own.kind,
        Description: own.description,
        OwnerId: state.universe.account,
        MacAddress: macAddress(own.address),
        PrivateIpAddress: own.address,
        ...privateName(state, own),
        PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: own.address, ...privateName(state, own) }],
        Ipv6Addresses: [],
        SubnetId: own.subnetId,
        VpcId: own.vpcId,
        Status: "in-use",
        SourceDestCheck: own.sourceDestCheck,
        Groups: groupsShown(state, own.groupIds),
        Attachment: attachmentShown(own),
      },
    ],
    BlockDeviceMappings: volumes.map(({ id, attachment }) => ({
      DeviceName: attachment?.device,
      Ebs: {
        VolumeId: id,
        Status: "attached",
        AttachTime: new Date(instance.born),
        DeleteOnTermination: attachment?.goesWithInstance,
      },
    })),
  };
}

function instanceShown(state: Ec2State, instance: Instance) {
  const type = state.instanceTypes.get(instance.instanceType);
  const threads = type?.architecture === "arm64" ? 1 : 2;
  const profile = `arn:aws:iam::${state.universe.account}:instance-profile/${instance.profile}`;
  return {
    InstanceId: instance.id,
    ImageId: instance.imageId,
    InstanceType: instance.instanceType,
    ...(instance.lifecycle !== null && { InstanceLifecycle: instance.lifecycle }),
    State: stateShown(instance),
    ...reasonShown(instance),
    LaunchTime: new Date(instance.born),
    AmiLaunchIndex: instance.index,
    Architecture: type?.architecture,
    CpuOptions: { CoreCount: (type?.vcpus ?? 0) / threads, ThreadsPerCore: threads },
    ClientToken: instance.token,
    Placement: {
      AvailabilityZone: instance.zone,
      AvailabilityZoneId: zoneId(state, instance.zone),
      Tenancy: "default",
      GroupName: "",
    },
    Monitoring: { State: "disabled" },
    HibernationOptions: { Configured: false },
    EbsOptimized: false,
    // AWS's word for Nitro, too.
    Hypervisor: "xen",
    ProductCodes: [],
    StateTransitionReason: "",
    RootDeviceName: state.images.find(instance.imageId)?.rootDeviceName,
    RootDeviceType: "ebs",
    ...(instance.profile === null ? {} : { IamInstanceProfile: { Arn: profile, Id: "AIPA0123456789EXAMPLE" } }),
    MetadataOptions: {
      State: "applied",
      HttpTokens: instance.metadata.tokens,
      HttpPutResponseHopLimit: instance.metadata.hopLimit,
      HttpEndpoint: instance.metadata.endpoint,
      HttpProtocolIpv6: "disabled",
      InstanceMetadataTags: instance.metadata.tags,
    },
    Tags: tagList(instance.tags),
    ...placeShown(state, instance),
  };
}

function reservations(state: Ec2State, instances: readonly Instance[]) {
  const groups = Map.groupBy(instances, ({ reservationId }) => reservationId);
  return [...groups].map(([ReservationId, members]) => ({
    ReservationId,
    OwnerId: state.universe.account,
    Groups: [],
    Instances: members.map((instance) => instanceShown(state, instance)),
  }));
}

function terminate(state: Ec2State, instance: Instance): void {
  if (instance.state === "shutting-down" || instance.state === "terminated") return;
  const { clock, chance } = state.universe;
  instance.state = "shutting-down";
  for (const listener of state.stoppedListeners) listener(instance);
  clock.after(chance.seconds("ec2.instance.terminated", subjectOf(instance)), () => {
    instance.state = "terminated";
    instance.terminatedAt = clock.now();
    state.interfaces.remove(instance.interfaceId);
    for (const volume of state.volumes.all()) {
      if (volume.attachment?.instanceId !== instance.id) continue;
      if (volume.attachment.goesWithInstance) state.volumes.remove(volume.id);
      volume.attachment = null;
      volume.state = "available";
    }
    // Terminated instances show in answers for about an hour.
    clock.after(3600, () => state.instances.remove(instance.id));
  });
}

function terminateAll(state: Ec2State, { InstanceIds = [] }: sdk.TerminateInstancesCommandInput): object {
  const instances = InstanceIds.map((id) => state.instances.get(id));
  const TerminatingInstances = instances.map((instance) => {
    const PreviousState = stateShown(instance);
    terminate(state, instance);
    instance.stateReason ??= "Client.UserInitiatedShutdown";
    return { InstanceId: instance.id, PreviousState, CurrentState: stateShown(instance) };
  });
  return { TerminatingInstances };
}

function modify(state: Ec2State, input: sdk.ModifyInstanceAttributeCommandInput): object {
  const own = state.interfaces.find(state.instances.get(input.InstanceId).interfaceId);
  if (own === undefined) throw fault("ec2", "IncorrectInstanceState", `Instance '${input.InstanceId}' is terminated`);
  if (input.SourceDestCheck?.Value !== undefined) own.sourceDestCheck = input.SourceDestCheck.Value;
  if (input.Groups !== undefined) own.groupIds = state.groupsFor(own.vpcId, input.Groups);
  return {};
}

const launchFields: readonly (keyof sdk.RunInstancesCommandInput & string)[] = [
  "ClientToken",
  "ImageId",
  "InstanceType",
  "MinCount",
  "MaxCount",
  "SubnetId",
  "SecurityGroupIds",
  "PrivateIpAddress",
  "NetworkInterfaces",
  "MetadataOptions",
  "IamInstanceProfile",
  "BlockDeviceMappings",
  "UserData",
  "TagSpecifications",
  "PrivateDnsNameOptions",
];

/** A token is remembered for a day after the last of its instances has ended: facts 8.1. */
const endOf = ({ instances }: Launch): number | null =>
  instances.reduce<number | null>((last, { terminatedAt }) => {
    if (last === null || terminatedAt === null) return null;
    return Math.max(last, terminatedAt);
  }, 0);

export const instanceOperations = (state: Ec2State): Operations => ({
  RunInstances: writes<sdk.RunInstancesCommandInput>(launchFields, (input) => {
    const launch = state.once("RunInstances", input.ClientToken, input, () => runInstances(state, input), endOf);
    return reservations(state, launch.instances)[0] ?? {};
  }),
  DescribeInstances: reads<sdk.DescribeInstancesCommandInput>(["InstanceIds", "Filters", "MaxResults", "NextToken"], (input) => {
    const found = filtered(state.instances.seen(input.InstanceIds), input.Filters, facets(state));
    const { page, ...rest } = paged(found, input, state.pageSize);
    return { Reservations: reservations(state, page), ...rest };
  }),
  TerminateInstances: writes<sdk.TerminateInstancesCommandInput>(["InstanceIds"], (input) => terminateAll(state, input)),
  ModifyInstanceAttribute: writes<sdk.ModifyInstanceAttributeCommandInput>(["InstanceId", "SourceDestCheck", "Groups"], (input) =>
    modify(state, input),
  ),
  DescribeInstanceTopology: reads<sdk.DescribeInstanceTopologyCommandInput>(
    ["InstanceIds", "Filters", "MaxResults", "NextToken"],
    (input) => {
      const running = state.instances.seen(input.InstanceIds).filter((instance) => instance.state === "running");
      const { page, ...rest } = paged(filtered(running, input.Filters, facets(state)), input, state.pageSize);
      const shown = page.map(({ id, instanceType, zone }) => ({
        InstanceId: id,
        InstanceType: instanceType,
        AvailabilityZone: zone,
        ZoneId: zoneId(state, zone),
        NetworkNodes: ["1", "2", "3"].map((level) => `nn-${level}${zone}`),
      }));
      return { Instances: shown, ...rest };
    },
  ),
});
