import {
  DescribeAvailabilityZonesCommand,
  DescribeImagesCommand,
  DescribeInstanceTypesCommand,
  DescribeVpcEndpointServicesCommand,
  paginateDescribeInstances,
  paginateDescribeInstanceTypeOfferings,
  paginateDescribeVpcs,
} from "@aws-sdk/client-ec2";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { GetServiceQuotaCommand } from "@aws-sdk/client-service-quotas";
import { type ImageFacts, isStandard } from "../domain/preflight.ts";
import type { Aws, Deployment } from "./aws.ts";

/** A read-only look at the account before anything is made. */
export interface PreflightPort {
  zones(): Promise<readonly string[]>;
  image(id: string): Promise<ImageFacts | null>;
  /** Architectures and virtual CPUs of instance types; a type that does not exist is left out. */
  instanceTypes(
    types: readonly string[],
  ): Promise<ReadonlyMap<string, { readonly architectures: readonly string[]; readonly vcpus: number }>>;
  /** Instance type -> zones that offer it. */
  offerings(types: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>>;
  /** Short service name -> zones in which an interface endpoint of it can stand. */
  endpointZones(services: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>>;
  vpcCount(): Promise<number>;
  /** Virtual CPUs that the account's running and starting On-Demand instances of the Standard families have. */
  vcpusInUse(): Promise<number>;
  /** The quota's value, or null where the account has no such quota. */
  quota(service: string, code: string): Promise<number | null>;
  /** An object as text, or null when it is not there. */
  object(bucket: string, key: string): Promise<string | null>;
}

const isNamed = (error: unknown, ...names: readonly string[]): boolean => error instanceof Error && names.includes(error.name);

export const awsPreflight = ({
  ec2,
  s3,
  quotas,
  deployment,
}: Pick<Aws, "ec2" | "s3" | "quotas"> & { readonly deployment: Pick<Deployment, "region"> }): PreflightPort => ({
  async zones() {
    const filters = [
      { Name: "state", Values: ["available"] },
      { Name: "zone-type", Values: ["availability-zone"] },
    ];
    const { AvailabilityZones = [] } = await ec2.send(new DescribeAvailabilityZonesCommand({ Filters: filters }));
    return AvailabilityZones.map(({ ZoneName = "" }) => ZoneName).sort();
  },

  async image(id) {
    try {
      const { Images = [] } = await ec2.send(new DescribeImagesCommand({ ImageIds: [id] }));
      const [image] = Images;
      if (image === undefined) return null;
      return {
        id,
        owner: image.OwnerId ?? "",
        architecture: image.Architecture ?? "",
        state: image.State ?? "",
        rootDeviceName: image.RootDeviceName ?? "",
        rootVolumeGiB:
          image.BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === image.RootDeviceName)?.Ebs?.VolumeSize ?? 0,
        tags: Object.fromEntries((image.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value])),
      };
    } catch (error) {
      if (isNamed(error, "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")) return null;
      throw error;
    }
  },

  async instanceTypes(types) {
    const filters = [{ Name: "instance-type", Values: [...types] }];
    const { InstanceTypes = [] } = await ec2.send(new DescribeInstanceTypesCommand({ Filters: filters }));
    return new Map(
      InstanceTypes.map((type) => [
        String(type.InstanceType),
        { architectures: type.ProcessorInfo?.SupportedArchitectures ?? [], vcpus: type.VCpuInfo?.DefaultVCpus ?? 0 },
      ]),
    );
  },

  async offerings(types) {
    const zonesOf = new Map<string, Set<string>>(types.map((type) => [type, new Set()]));
    const filters = [{ Name: "instance-type", Values: [...types] }];
    const pages = paginateDescribeInstanceTypeOfferings({ client: ec2 }, { LocationType: "availability-zone", Filters: filters });
    for await (const page of pages) {
      for (const { InstanceType = "", Location = "" } of page.InstanceTypeOfferings ?? [])
        zonesOf.get(InstanceType)?.add(Location);
    }
    return zonesOf;
  },

  async endpointZones(services) {
    const prefix = `com.amazonaws.${deployment.region}.`;
    const filters = [{ Name: "service-name", Values: services.map((service) => `${prefix}${service}`) }];
    const { ServiceDetails = [] } = await ec2.send(new DescribeVpcEndpointServicesCommand({ Filters: filters }));
    const interfaces = ServiceDetails.filter(({ ServiceType = [] }) =>
      ServiceType.some((type) => type.ServiceType === "Interface"),
    );
    return new Map(
      interfaces.map(({ ServiceName = "", AvailabilityZones = [] }) => [
        ServiceName.slice(prefix.length),
        new Set(AvailabilityZones),
      ]),
    );
  },

  async vpcCount() {
    let count = 0;
    for await (const page of paginateDescribeVpcs({ client: ec2 }, {})) count += page.Vpcs?.length ?? 0;
    return count;
  },

  async vcpusInUse() {
    let vcpus = 0;
    const filters = [{ Name: "instance-state-name", Values: ["pending", "running"] }];
    for await (const page of paginateDescribeInstances({ client: ec2 }, { Filters: filters })) {
      const instances = page.Reservations?.flatMap(({ Instances = [] }) => Instances) ?? [];
      const counted = instances.filter(
        ({ InstanceLifecycle, InstanceType = "" }) => InstanceLifecycle === undefined && isStandard(InstanceType),
      );
      for (const { CpuOptions } of counted) vcpus += (CpuOptions?.CoreCount ?? 0) * (CpuOptions?.ThreadsPerCore ?? 0);
    }
    return vcpus;
  },

  async quota(service, code) {
    try {
      const { Quota } = await quotas.send(new GetServiceQuotaCommand({ ServiceCode: service, QuotaCode: code }));
      return Quota?.Value ?? null;
    } catch (error) {
      if (isNamed(error, "NoSuchResourceException")) return null;
      throw error;
    }
  },

  async object(bucket, key) {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return (await Body?.transformToString()) ?? null;
    } catch (error) {
      if (isNamed(error, "NoSuchKey", "NoSuchBucket")) return null;
      throw error;
    }
  },
});
