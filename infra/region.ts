/**
 * The partitions `aws` and `aws-us-gov` alone: in China, in the isolated Regions and in the European Sovereign Cloud services, hosts and principals
 * have names that nothing here knows, so that a deployment there could build no cluster.
 */
export function checkPartition(region: string): void {
  if (/^(?:cn|eusc)-|-iso[a-z]?-/.test(region))
    throw new RangeError(`${region}: Cloister knows the Regions of the partitions aws and aws-us-gov alone`);
}
