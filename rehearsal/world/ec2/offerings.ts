import type * as sdk from "@aws-sdk/client-ec2";
import { fault } from "../fault.ts";
import { type Operations, reads } from "../operation.ts";
import { SimulationGap } from "../service.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import type { InstanceType } from "./model.ts";
import type { Ec2State } from "./state.ts";
import { zoneId } from "./subnets.ts";

const typeFacets: Facets<InstanceType> = {
  "instance-type": ({ name }) => [name],
  "processor-info.supported-architecture": ({ architecture }) => [architecture],
};

const offerFacets: Facets<{ readonly type: string; readonly zone: string }> = {
  "instance-type": ({ type }) => [type],
  location: ({ zone }) => [zone],
};

const zoneFacets = (state: Ec2State): Facets<string> => ({
  "zone-name": (zone) => [zone],
  "zone-id": (zone) => [zoneId(state, zone)],
  "region-name": () => [state.universe.region],
  "zone-type": () => ["availability-zone"],
  "opt-in-status": () => ["opt-in-not-required"],
  state: () => ["available"],
});

function types(state: Ec2State, input: sdk.DescribeInstanceTypesCommandInput): object {
  const wanted = (input.InstanceTypes ?? [...state.instanceTypes.keys()]).map((name) => {
    const type = state.instanceTypes.get(name);
    if (type === undefined)
      throw fault("ec2", "InvalidInstanceType", `The following supplied instance types do not exist: [${name}]`);
    return type;
  });
  const { page, ...rest } = paged(filtered(wanted, input.Filters, typeFacets), input, state.pageSize);
  const InstanceTypes = page.map(({ name, vcpus, memoryMiB, architecture }) => ({
    InstanceType: name,
    CurrentGeneration: true,
    VCpuInfo: { DefaultVCpus: vcpus },
    MemoryInfo: { SizeInMiB: memoryMiB },
    ProcessorInfo: { SupportedArchitectures: [architecture] },
  }));
  return { InstanceTypes, ...rest };
}

function offerings(state: Ec2State, input: sdk.DescribeInstanceTypeOfferingsCommandInput): object {
  if (input.LocationType !== "availability-zone") throw new SimulationGap(`offerings by ${input.LocationType}`);
  const all = [...state.instanceTypes.keys()].flatMap((type) => state.zones.map((zone) => ({ type, zone })));
  const offered = all.filter(({ type, zone }) => !state.notOffered.has(`${type}/${zone}`));
  const { page, ...rest } = paged(filtered(offered, input.Filters, offerFacets), input, state.pageSize);
  const shown = page.map(({ type, zone }) => ({ InstanceType: type, Location: zone, LocationType: "availability-zone" }));
  return { InstanceTypeOfferings: shown, ...rest };
}

function zones(state: Ec2State, input: sdk.DescribeAvailabilityZonesCommandInput): object {
  const named = input.ZoneNames ?? state.zones;
  const unknown = named.find((zone) => !state.zones.includes(zone));
  if (unknown !== undefined) throw fault("ec2", "InvalidParameterValue", `Invalid availability zone: [${unknown}]`);
  const AvailabilityZones = filtered(named, input.Filters, zoneFacets(state)).map((zone) => ({
    ZoneName: zone,
    ZoneId: zoneId(state, zone),
    ZoneType: "availability-zone",
    RegionName: state.universe.region,
    State: "available",
    OptInStatus: "opt-in-not-required",
    Messages: [],
  }));
  return { AvailabilityZones };
}

export const offeringOperations = (state: Ec2State): Operations => ({
  DescribeInstanceTypes: reads<sdk.DescribeInstanceTypesCommandInput>(
    ["InstanceTypes", "Filters", "MaxResults", "NextToken"],
    (input) => types(state, input),
  ),
  DescribeInstanceTypeOfferings: reads<sdk.DescribeInstanceTypeOfferingsCommandInput>(
    ["LocationType", "Filters", "MaxResults", "NextToken"],
    (input) => offerings(state, input),
  ),
  DescribeAvailabilityZones: reads<sdk.DescribeAvailabilityZonesCommandInput>(["ZoneNames", "Filters"], (input) =>
    zones(state, input),
  ),
});
