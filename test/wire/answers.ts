import { type Difference, known } from "./difference.ts";

/** What moto does at once, and AWS takes its time for or does otherwise. */
export const lifelike: readonly Difference[] = [
  ...Object.entries({
    CreateSubnetCidrReservation: "SubnetCidrReservation.Tags[]",
    GetSubnetCidrReservations: "SubnetIpv4CidrReservations[].Tags[]",
    DeleteSubnetCidrReservation: "DeletedSubnetCidrReservation.Tags[]",
  }).map(([step, field]) => known(step, field, "group | -", "world", "EC2 API Reference, SubnetCidrReservation: tags")),
  known(
    "PutEvents of AWS's own",
    "Entries[].ErrorCode Entries[].ErrorMessage",
    "* | -",
    "world",
    "aws-samples/serverless-patterns#3089 shows AWS's answer",
  ),
  known("PutEvents of AWS's own", "Entries[].EventId", "- | text", "world", "the same"),
  known("CreateVpc", "Vpc.State", "pending | available", "world", "wire 2: state available at once"),
  known(
    "RunInstances",
    "Instances[].StateReason.Code",
    "pending | text",
    "world",
    "AWS CLI Reference, run-instances: example output; moto's is empty",
  ),
  known("CreateSubnet", "Subnet.State", "pending | available", "world", "EC2 API Reference, Subnet: pending, then available"),
  known(
    "CreateSnapshot",
    "State",
    "pending | completed",
    "world",
    "EC2 API Reference, Snapshot: pending until its data is copied",
  ),
  known("CreateVpcEndpoint", "VpcEndpoint.State", "pending | available", "world", "wire 2: State available at once"),
  known(
    "DescribeVpcEndpoints by VPC once deleted",
    "VpcEndpoints[]",
    "- | group",
    "world",
    "wire 2: still described, State deleted",
  ),
  known(
    "DeleteVpcEndpoints of an unknown id",
    "Unsuccessful[]",
    "group | -",
    "world",
    "wire, recheck 3: Delete Unsuccessful []; facts 7.2",
  ),
  known(
    "DescribeNetworkInterfaces of an endpoint",
    "NetworkInterfaces[].InterfaceType",
    "vpc_endpoint | interface",
    "world",
    "wire 2: DescribeNetworkInterfaces of an endpoint",
  ),
  known(
    "DescribeNetworkInterfaces of an endpoint",
    "NetworkInterfaces[].Status",
    "in-use | available",
    "world",
    "EC2 API Reference, NetworkInterface: in-use while it is attached, as an endpoint's always is",
  ),
  known(
    "DescribeTargetHealth",
    "TargetHealthDescriptions[].TargetHealth.State",
    "unhealthy | healthy",
    "world",
    "wire 2: healthy at once, whatever the target",
  ),
  known(
    "DescribeInstances once terminated",
    "NetworkInterfaces[] SecurityGroups[] PrivateIpAddress SourceDestCheck SubnetId VpcId".replaceAll(
      /\S+/g,
      "Reservations[].Instances[].$&",
    ),
    "- | *",
    "world",
    "EC2 User Guide, terminated instances: the interface is gone with the machine; wire, recheck 3: its ENI stays",
  ),
  known("DescribeInstances by VPC once terminated", "Reservations[]", "- | group", "world", "the same: it is in no VPC any more"),
];

export const fields: readonly Difference[] = [
  known("CreateVpc", "Vpc.DhcpOptionsId", "id dopt- | text", "world", "EC2 API Reference, Vpc: the id of a set of DHCP options"),
  known("DescribeVpcs", "Vpcs[].DhcpOptionsId", "id dopt- | text", "world", "the same"),
  known(
    "CreateRouteTable",
    "RouteTable.PropagatingVgws",
    "list | -",
    "world",
    "AWS CLI Reference, create-route-table: example output",
  ),
  known(
    "DescribeRouteTables",
    "RouteTables[].PropagatingVgws",
    "list | -",
    "world",
    "AWS CLI Reference, describe-route-tables: example output",
  ),
  known("CreateSecurityGroup", "Tags", "list | -", "world", "wire, recheck 3: Security group: stored, not in the answer"),
  known(
    "DescribeSecurityGroups by VPC",
    "SecurityGroups[].IpPermissions[].IpProtocol",
    "-1|tcp | tcp",
    "world",
    "VPC User Guide, default security groups: a default group lets its own members in",
  ),
  ...["AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "DescribeSecurityGroupRules"].map((step) =>
    known(step, "SecurityGroupRules[].GroupOwnerId", "text | -", "world", "EC2 API Reference, SecurityGroupRule: groupOwnerId"),
  ),
  known(
    "GetManagedPrefixListEntries",
    "Entries[].Description",
    "- | text",
    "unproved",
    "AWS's own lists: no example output found",
  ),
  known(
    "CreateVpcEndpoint",
    "ClientToken",
    "text | -",
    "world",
    "EC2 API Reference, CreateVpcEndpoint: clientToken in the answer",
  ),
  known(
    "CreateVpcEndpoint",
    "VpcEndpoint.RequesterManaged",
    "boolean | -",
    "world",
    "EC2 API Reference, VpcEndpoint: requesterManaged",
  ),
  known("DescribeVpcEndpoints", "VpcEndpoints[].RequesterManaged", "boolean | -", "world", "the same"),
  known(
    "DescribeAvailabilityZones",
    "AvailabilityZones[].OptInStatus",
    "text | -",
    "world",
    "AWS CLI Reference, describe-availability-zones: example output",
  ),
  known(
    "DescribeImages by id",
    "Images[].Architecture Images[].EnaSupport Images[].VirtualizationType",
    "* | -",
    "world",
    "EC2 API Reference, Image; moto's RegisterImage forgets what it was told",
  ),
  known(
    "Classic.DescribeLoadBalancers",
    "LoadBalancerDescriptions[].AvailabilityZones[]",
    "text | -",
    "world",
    "ELB API Reference, LoadBalancerDescription: the zones of its subnets",
  ),
  known("CreateVolume", "Throughput", "number | -", "world", "EC2 API Reference, Volume: throughput of a gp3 volume"),
  known("DescribeVolumes", "Volumes[].Throughput", "number | -", "world", "the same"),
  known("AttachVolume", "DeleteOnTermination", "boolean | -", "world", "EC2 API Reference, VolumeAttachment"),
  known("DetachVolume", "DeleteOnTermination", "boolean | -", "world", "the same"),
  known("DescribeVolumes", "Volumes[].Attachments[].DeleteOnTermination", "boolean | -", "world", "the same"),
  known(
    "CreateTargetGroup",
    "TargetGroups[].LoadBalancerArns",
    "list | -",
    "world",
    "AWS CLI Reference, create-target-group: example output",
  ),
  known(
    "DescribeExecution",
    "inputDetails",
    "group | -",
    "world",
    "Step Functions API Reference, DescribeExecution: inputDetails",
  ),
];

const instanceFields = (step: string, prefix: string): Difference[] => {
  const at = (names: string) => names.replaceAll(/\S+/g, `${prefix}$&`);
  return [
    known(step, at("Architecture"), "text | -", "world", "as in DescribeImages: moto's image has none"),
    known(
      step,
      at("CpuOptions Placement.AvailabilityZoneId HibernationOptions.Configured"),
      "* | -",
      "world",
      "EC2 API Reference, Instance",
    ),
    known(step, at("SriovNetSupport"), "- | text", "unproved", "of Nitro machines, which have no such option, it says nothing"),
  ];
};

/** Fields that moto has too many. */
export const inventions: readonly Difference[] = [
  ...instanceFields("RunInstances", "Instances[]."),
  ...instanceFields("DescribeInstances", "Reservations[].Instances[]."),
  ...[
    ["RunInstances", "Instances[]"],
    ["DescribeInstances", "Reservations[].Instances[]"],
  ].map(([step = "", prefix]) =>
    known(
      step,
      `${prefix}.NetworkInterfaces[].Association`,
      "- | group",
      "world",
      "EC2 API Reference, InstanceNetworkInterfaceAssociation: of a public address, and the subnet gives none",
    ),
  ),
  known(
    "DescribeInstances by id",
    "Reservations[].Instances[].StateReason",
    "- | group",
    "world",
    "EC2 API Reference, Instance: the reason for the latest state change, which a running machine has none of",
  ),
  known(
    "DescribeInstances once terminated",
    "Reservations[].Instances[].IamInstanceProfile",
    "group | -",
    "unproved",
    "no example output of a terminated machine with a profile found",
  ),
  known(
    "DescribeNetworkInterfaces of a machine",
    "NetworkInterfaces[].RequesterId",
    "- | text",
    "unproved",
    "of the launching principal",
  ),
  known(
    "CreateListener",
    "Listeners[].AlpnPolicy Listeners[].SslPolicy",
    "- | *",
    "world",
    "ELBv2 API Reference, Listener: of TLS listeners",
  ),
  known("DescribeListeners", "Listeners[].AlpnPolicy Listeners[].SslPolicy", "- | *", "world", "the same"),
];

/** What AWS says too and the world leaves out: nothing here reads it, and the world invents nothing. */
const unmodelled = (step: string, paths: string, why: string): Difference => known(step, paths, "- | *", "moto", why);

export const left: readonly Difference[] = [
  unmodelled(
    "DescribeInstanceTypes",
    [
      ...["AutoRecoverySupported", "BareMetal", "BurstablePerformanceSupported", "DedicatedHostsSupported", "EbsInfo"],
      ...["FreeTierEligible", "HibernationSupported", "Hypervisor", "InstanceStorageSupported", "NetworkInfo"],
      ...["NitroEnclavesSupport", "NitroTpmInfo", "NitroTpmSupport", "PhcSupport", "PlacementGroupInfo"],
      ...["ProcessorInfo.Manufacturer", "ProcessorInfo.SupportedFeatures", "ProcessorInfo.SustainedClockSpeedInGhz"],
      ...["RebootMigrationSupport", "SupportedBootModes", "SupportedInRegion", "SupportedRootDeviceTypes"],
      ...["SupportedUsageClasses", "SupportedVirtualizationTypes", "VCpuInfo.DefaultCores", "VCpuInfo.DefaultThreadsPerCore"],
      ...["VCpuInfo.ValidCores", "VCpuInfo.ValidThreadsPerCore"],
    ]
      .map((name) => `InstanceTypes[].${name}`)
      .join(" "),
    "a data sheet of every type; the plan reads virtual CPUs and architectures",
  ),
  unmodelled(
    "DescribeImages by id",
    "Images[].BlockDeviceMappings[].Ebs.SnapshotId Images[].BootMode Images[].Description Images[].ProductCodes",
    "an image's making, which the preflight does not judge",
  ),
  unmodelled(
    "Classic.DescribeLoadBalancers",
    ["BackendServerDescriptions", "CanonicalHostedZoneName", "Policies", "SourceSecurityGroup"]
      .map((name) => `LoadBalancerDescriptions[].${name}`)
      .join(" "),
    "a destroy asks which there are and whose, and takes them away",
  ),
  unmodelled("PutObject", "ChecksumCRC32", "checksums are the SDK's own doing, below the door at which the world stands in"),
  unmodelled("GetObject", "ChecksumCRC32", "the same"),
  unmodelled("ListObjectsV2", "Contents[].ChecksumAlgorithm", "the same"),
];
