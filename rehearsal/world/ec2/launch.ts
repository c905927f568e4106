import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import type { Image, Instance, InstanceType, NetworkInterface, Subnet } from "./model.ts";
import { tagsAtBirth } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

export interface Launch {
  readonly instances: readonly Instance[];
}

interface Place {
  readonly subnet: Subnet;
  readonly groupIds: readonly string[];
  readonly address: string | undefined;
  readonly isPublic: boolean;
}

function place(state: Ec2State, input: sdk.RunInstancesCommandInput): Place {
  const [first, second] = input.NetworkInterfaces ?? [];
  if (second !== undefined) throw fault("ec2", "Unsupported", "More than one network interface");
  if (first !== undefined && (input.SubnetId !== undefined || input.SecurityGroupIds !== undefined))
    throw fault(
      "ec2",
      "InvalidParameterCombination",
      "Network interfaces and an instance-level subnet ID or security groups may not be specified on the same request",
    );
  const subnet = state.subnets.get(first?.SubnetId ?? input.SubnetId);
  return {
    subnet,
    groupIds: state.groupsFor(subnet.vpcId, first?.Groups ?? input.SecurityGroupIds),
    address: first?.PrivateIpAddress ?? input.PrivateIpAddress,
    isPublic: first?.AssociatePublicIpAddress ?? subnet.mapsPublicAddresses,
  };
}

function typeFor(state: Ec2State, name: string, image: Image, zone: string): InstanceType {
  const type = state.instanceTypes.get(name);
  if (type === undefined) throw fault("ec2", "InvalidParameterValue", `Invalid value '${name}' for InstanceType.`);
  if (type.architecture !== image.architecture)
    throw fault(
      "ec2",
      "InvalidParameterValue",
      `The architecture '${type.architecture}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI.`,
    );
  if (state.notOffered.has(`${name}/${zone}`))
    throw fault(
      "ec2",
      "Unsupported",
      `Your requested instance type (${name}) is not supported in your requested Availability Zone (${zone}).`,
    );
  return type;
}

/** What the quota of the Standard families counts: running and starting, On-Demand. The other families' quotas are not modelled. */
function standardVcpus(state: Ec2State): number {
  return state.instances
    .all()
    .filter(({ state: now, lifecycle }) => (now === "pending" || now === "running") && lifecycle === null)
    .map(({ instanceType }) => state.instanceTypes.get(instanceType))
    .reduce((sum, type) => sum + (type?.family === "standard" ? type.vcpus : 0), 0);
}

function countFor(state: Ec2State, input: sdk.RunInstancesCommandInput, type: InstanceType, zone: string): number {
  const { MinCount = 0, MaxCount = 0 } = input;
  if (MinCount < 1 || MaxCount < MinCount)
    throw fault("ec2", "InvalidParameterValue", `minCount ${MinCount} and maxCount ${MaxCount} are not valid`);
  const byQuota = type.family === "standard" ? Math.floor((state.quotas.vcpus - standardVcpus(state)) / type.vcpus) : MaxCount;
  if (byQuota < MinCount)
    throw fault(
      "ec2",
      "VcpuLimitExceeded",
      `You have requested more vCPU capacity than your current vCPU limit of ${state.quotas.vcpus} allows`,
    );
  const key = `${type.name}/${zone}`;
  const stock = state.capacity.get(key) ?? Number.POSITIVE_INFINITY;
  if (stock < MinCount)
    throw fault(
      "ec2",
      "InsufficientInstanceCapacity",
      `We currently do not have sufficient ${type.name} capacity in the Availability Zone you requested (${zone}).`,
    );
  const count = Math.min(MaxCount, byQuota, stock);
  if (Number.isFinite(stock)) state.capacity.set(key, stock - count);
  return count;
}

function profileFor(state: Ec2State, wanted: sdk.IamInstanceProfileSpecification | undefined): string | null {
  if (wanted === undefined) return null;
  const name = wanted.Name ?? wanted.Arn?.split("/").at(-1) ?? "";
  const profile = state.profiles.get(name);
  // A young profile is refused like one that does not exist: facts 8.3.
  if (profile === undefined || profile.usableAt > state.universe.clock.now())
    throw fault(
      "ec2",
      "InvalidParameterValue",
      `Value (${name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name`,
    );
  return name;
}

const metadataTags = (state: Ec2State, { MetadataOptions }: sdk.RunInstancesCommandInput): string =>
  MetadataOptions?.InstanceMetadataTags ?? state.metadataTags;

/** What metadata shows is a path there: EC2's guide, "View tags for your EC2 instances using instance metadata". */
function checkTagKeys(keys: Iterable<string>): void {
  for (const key of keys)
    if (!/^[0-9a-zA-Z\-_+=,.@:]{1,255}$/.test(key) || [".", "..", "_index"].includes(key))
      throw fault(
        "ec2",
        "InvalidParameterValue",
        `'${key}' is not a valid tag key. Tag keys must match pattern ([0-9a-zA-Z\\-_+=,.@:]{1,255}), and must not be a reserved name ('.', '..', '_index')`,
      );
}

function checkUserData(userData: string): string {
  if (Buffer.from(userData, "base64").length > 16_384)
    throw fault("ec2", "InvalidParameterValue", "User data is limited to 16384 bytes");
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(userData))
    throw fault("ec2", "InvalidParameterValue", "Invalid BASE64 encoding of user data.");
  return userData;
}

/** A disk is made from the image's snapshot, and is no smaller (EC2 API reference, error codes). */
function checkDisks(image: Image, mappings: readonly sdk.BlockDeviceMapping[] = []): void {
  const size = mappings.find(({ DeviceName }) => DeviceName === image.rootDeviceName)?.Ebs?.VolumeSize;
  if (size !== undefined && size < image.volumeGiB)
    throw fault(
      "ec2",
      "InvalidBlockDeviceMapping",
      `Volume of size ${size}GB is smaller than snapshot of ${image.id}, expect size >= ${image.volumeGiB}GB`,
    );
}

function addDisks(state: Ec2State, instance: Instance, image: Image, input: sdk.RunInstancesCommandInput): void {
  const root: sdk.BlockDeviceMapping = { DeviceName: image.rootDeviceName };
  const mappings = input.BlockDeviceMappings ?? [];
  const all = mappings.some(({ DeviceName }) => DeviceName === image.rootDeviceName) ? mappings : [root, ...mappings];
  for (const { DeviceName = "", Ebs } of all) {
    state.volumes.add({
      id: state.newId("vol"),
      type: "volume",
      tags: tagsAtBirth("volume", input.TagSpecifications, ["instance", "network-interface"]),
      born: instance.born,
      zone: instance.zone,
      size: Ebs?.VolumeSize ?? image.volumeGiB,
      volumeType: Ebs?.VolumeType ?? "gp2",
      isEncrypted: Ebs?.Encrypted ?? false,
      state: "in-use",
      isDetaching: false,
      attachment: {
        instanceId: instance.id,
        device: DeviceName,
        goesWithInstance: Ebs?.DeleteOnTermination ?? true,
        at: instance.born,
      },
    });
  }
}

/** Replicas share a name; their addresses, seeded by it, tell them apart. */
export const subjectOf = ({ tags, address }: Instance): string => `${tags.get("Name") ?? ""}/${address}`;

/** Between `pending` and `running`; a listener learns of it at the very instant. */
function start(state: Ec2State, instance: Instance): void {
  const { clock, chance } = state.universe;
  clock.after(chance.seconds("ec2.instance.running", subjectOf(instance)), () => {
    if (instance.state !== "pending") return;
    instance.state = "running";
    for (const listener of state.runningListeners) listener(instance);
  });
}

export const nodeName = (region: string, address: string): string => {
  // us-east-1 alone has its own domain: facts 2.5.
  const domain = region === "us-east-1" ? "ec2.internal" : `${region}.compute.internal`;
  return `ip-${address.replaceAll(".", "-")}.${domain}`;
};

function build(
  state: Ec2State,
  input: sdk.RunInstancesCommandInput,
  facts: { readonly image: Image; readonly type: InstanceType; readonly profile: string | null; readonly own: NetworkInterface },
  reservation: { readonly id: string; readonly index: number },
): Instance {
  const { image, type, profile, own } = facts;
  const options = input.MetadataOptions ?? {};
  return {
    id: state.newId("i"),
    type: "instance",
    tags: tagsAtBirth("instance", input.TagSpecifications, ["volume", "network-interface"]),
    born: state.universe.clock.now(),
    reservationId: reservation.id,
    index: reservation.index,
    imageId: image.id,
    instanceType: type.name,
    vpcId: own.vpcId,
    subnetId: own.subnetId,
    zone: own.zone,
    interfaceId: own.id,
    address: own.address,
    privateDnsName: nodeName(state.universe.region, own.address),
    profile,
    lifecycle: null,
    userData: checkUserData(input.UserData ?? ""),
    metadata: {
      tokens: options.HttpTokens ?? "optional",
      hopLimit: options.HttpPutResponseHopLimit ?? 1,
      endpoint: options.HttpEndpoint ?? "enabled",
      tags: metadataTags(state, input),
    },
    token: input.ClientToken ?? "",
    state: "pending",
    terminatedAt: null,
    stateReason: null,
  };
}

export function runInstances(state: Ec2State, input: sdk.RunInstancesCommandInput): Launch {
  const image = state.images.get(input.ImageId);
  if (image.state !== "available")
    throw fault("ec2", "InvalidAMIID.Unavailable", `The image ID '[${image.id}]' is no longer available`);
  const where = place(state, input);
  const type = typeFor(state, input.InstanceType ?? "", image, where.subnet.zone);
  const profile = profileFor(state, input.IamInstanceProfile);
  checkUserData(input.UserData ?? "");
  checkDisks(image, input.BlockDeviceMappings);
  const tags = tagsAtBirth("network-interface", input.TagSpecifications, ["instance", "volume"]);
  const own = tagsAtBirth("instance", input.TagSpecifications, ["volume", "network-interface"]);
  const name = own.get("Name");
  if (metadataTags(state, input) === "enabled") checkTagKeys(own.keys());
  if (where.address !== undefined && (input.MaxCount ?? 0) > 1)
    throw fault("ec2", "InvalidParameterCombination", "An address may be given to one instance only");
  if (state.freeAddresses(where.subnet) < (input.MinCount ?? 0))
    throw fault("ec2", "InsufficientFreeAddressesInSubnet", `There are not enough free addresses in subnet '${where.subnet.id}'`);
  // Before anything is taken from the stock: a refused launch takes nothing.
  if (where.address !== undefined) state.checkAddress(where.subnet, where.address);
  const count = countFor(state, input, type, where.subnet.zone);
  const reservationId = state.newId("r");
  const instances = Array.from({ length: count }, (_, index) => {
    const subject = `${name ?? "instance"}/${index}`;
    const shared = { subnetId: where.subnet.id, groupIds: where.groupIds, address: where.address, tags: new Map(tags) };
    const own = state.newInterface({ ...shared, description: "", subject, requester: null, kind: "interface" });
    if (where.isPublic) own.publicAddress = `198.51.100.${1 + (state.interfaces.all().length % 250)}`;
    const instance = state.instances.add(build(state, input, { image, type, profile, own }, { id: reservationId, index }));
    own.instanceId = instance.id;
    addDisks(state, instance, image, input);
    start(state, instance);
    return instance;
  });
  return { instances };
}
