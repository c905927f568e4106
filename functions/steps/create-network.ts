import * as z from "zod";
import { ec2Network } from "../aws/ec2-network.ts";
import type { NetworkPort } from "../aws/ports.ts";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
import type { VpcId } from "../domain/ids.ts";
import { Lock } from "../domain/lock.ts";
import { Network } from "../domain/network.ts";
import { Plan } from "../domain/plan.ts";
import {
  makeSubnets,
  makeVpc,
  removeSurplus,
  reserveControlPlanes,
  routePrivate,
  routePublic,
  type Site,
} from "../network-parts.ts";
import { makeSecurityGroups } from "../network-security.ts";
import { together } from "../side-by-side.ts";
import { defineStep } from "../step.ts";

interface Deps {
  readonly network: NetworkPort;
  readonly records: RecordsPort;
}

/** VPC, subnets, route tables and security groups. A rerun finds by owner tag what an earlier run made, and adds what is missing. */
export const createNetwork = defineStep({
  name: "create-network",
  mutates: true,
  input: z.strictObject({ lock: Lock, request: ClusterRequest, plan: Plan }),
  output: Network,
  deps: (aws): Deps => ({ network: ec2Network(aws), records: s3Records(aws) }),
  async run({ lock, request, plan }, { network, records }: Deps, log) {
    const site = { lock, request, plan, network, records, log };
    const vpcId = await makeVpc(site);
    const [places, securityGroups] = await together([
      makePlaces(site, vpcId),
      makeSecurityGroups(site, vpcId),
      enableDns(network, vpcId),
    ]);
    await removeSurplus(site, vpcId);
    return { vpcId, ...places, securityGroups };
  },
});

/** Both before any endpoint, or private DNS is refused; names only where there is resolution (facts 8.2). */
async function enableDns(network: NetworkPort, vpcId: VpcId): Promise<void> {
  await network.enable(vpcId, "dnsSupport");
  await network.enable(vpcId, "dnsHostnames");
}

async function makePlaces(site: Site, vpcId: VpcId): Promise<Pick<Network, "privateSubnets" | "privateRouteTableId">> {
  const subnets = await makeSubnets(site, vpcId);
  const privateSubnets = subnets.filter(({ isPublic }) => !isPublic).map(({ zone, subnetId }) => ({ zone, subnetId }));
  const publicSubnets = subnets.filter(({ isPublic }) => isPublic);
  const [privateRouteTableId] = await together([
    routePrivate(site, vpcId, privateSubnets),
    reserveControlPlanes(site, privateSubnets),
  ]);
  if (publicSubnets.length > 0) await routePublic(site, vpcId, publicSubnets);
  return { privateSubnets, privateRouteTableId };
}

export const { handler } = createNetwork;
