import { type Difference, known } from "./difference.ts";

/** moto answers what AWS refuses. "wire 2" is the table of facts, wire, part 2, and its recheck with 5.2.5. */
const lenient = (step: string, refusal: string, why: string): Difference =>
  known(step, "refused", `${refusal} 400 | -`, "world", why);

export const accepted: readonly Difference[] = [
  lenient("CreateSecurityGroup in an unknown VPC", "InvalidVpcID.NotFound", "EC2 API Reference, error codes; facts 8.3"),
  lenient(
    "DeleteSecurityGroup that another names",
    "DependencyViolation",
    "wire 2: DeleteSecurityGroup referenced by another group",
  ),
  lenient("DeleteSecurityGroup of an endpoint", "DependencyViolation", "wire 2: DeleteSecurityGroup used by an endpoint"),
  lenient("DeleteSecurityGroup of a machine", "DependencyViolation", "wire 2: DeleteSecurityGroup used by an instance"),
  lenient("DeleteSubnet of an endpoint", "DependencyViolation", "wire 2: DeleteSubnet, the same with an endpoint in it"),
  lenient("DeleteSubnet of a machine", "DependencyViolation", "wire 2: DeleteSubnet with instances"),
  lenient("DeleteVpc with a group", "DependencyViolation", "wire, recheck 3: DeleteVpc deletes with a security group in it"),
  lenient(
    "CreateVpcEndpoint with private names in a VPC without host names",
    "InvalidParameter",
    "wire 2: accepted; facts 8.2: the two attributes must be on",
  ),
  lenient(
    "CreateVpcEndpoint with private names that are taken",
    "InvalidParameter",
    "wire 2: same service again with private DNS",
  ),
  lenient("CreateVpcEndpoint of an unknown service", "InvalidServiceName", "wire 2: CreateVpcEndpoint unknown service"),
  lenient("DescribeVpcEndpoints once deleted", "InvalidVpcEndpointId.NotFound", "wire 2: DeleteVpcEndpoints, then Describe"),
  lenient(
    "DeleteNetworkInterface of a machine",
    "InvalidParameterValue",
    "facts 7.3: an interface that is in use; moto deletes it",
  ),
  lenient("CreateVolume in an unknown zone", "InvalidZone.NotFound", "EC2 API Reference, error codes"),
  lenient("AttachVolume again", "VolumeInUse", "EC2 API Reference, AttachVolume: a volume is attached to one instance"),
  lenient(
    "CreateLoadBalancer with a bad name",
    "ValidationError",
    "ELBv2 API Reference, CreateLoadBalancer: no hyphen first or last",
  ),
  lenient("DescribeTags of an unknown balancer", "LoadBalancerNotFoundException", "ELBv2 API Reference, DescribeTags: errors"),
  lenient("PutParameter that is too long", "ValidationException", "wire 2: PutParameter 5 KB standard tier"),
];

export const refusedOtherwise: readonly Difference[] = [
  known(
    "RunInstances of an unknown type",
    "refused",
    "InvalidParameterValue 400 | InvalidInstanceType.NotFound 400",
    "world",
    "getmoto/moto#1695 quotes AWS: Invalid value 't3.nano' for InstanceType",
  ),
  known(
    "RunInstances with an unknown profile",
    "refused",
    "InvalidParameterValue 400 | NoSuchEntity 404",
    "world",
    "wire 2: RunInstances unknown instance profile; facts 8.3",
  ),
  known(
    "RunInstances at an address that is taken",
    "refused",
    "InvalidIPAddress.InUse 400 | Error 500",
    "world",
    "wire 2: RunInstances same PrivateIpAddress twice",
  ),
  known(
    "RunInstances with other settings and the same token",
    "refused",
    "IdempotentParameterMismatch 400 | Error 500",
    "world",
    "wire 2: moto knows no tokens, and stumbles over the address; facts 8.1",
  ),
  known(
    "DetachVolume again",
    "refused",
    "IncorrectState 400 | InvalidAttachment.NotFound 400",
    "unproved",
    "EC2 API Reference, error codes, has both: IncorrectState for a volume that is available",
  ),
  known(
    "CreateLoadBalancer in an unknown subnet",
    "refused",
    "SubnetNotFoundException 400 | InvalidSubnetID.NotFound 400",
    "world",
    "ELBv2 API Reference, CreateLoadBalancer: errors; InvalidSubnetID.NotFound is EC2's",
  ),
  known(
    "Classic.CreateLoadBalancer in an unknown subnet",
    "refused",
    "SubnetNotFoundException 400 | InvalidSubnetID.NotFound 400",
    "world",
    "the SDK's model of classic load balancing has SubnetNotFoundException; InvalidSubnetID.NotFound is EC2's",
  ),
  known(
    "DeleteTargetGroup again",
    "refused",
    "- | TargetGroupNotFoundException 400",
    "unproved",
    "the SDK's model gives DeleteTargetGroup the error ResourceInUse alone; the product takes either answer",
  ),
];
