import * as z from "zod";
import { ec2Endpoints } from "../aws/ec2-endpoints.ts";
import type { Created, EndpointsPort, FoundEndpoint } from "../aws/ports.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
import { endpointService } from "../domain/endpoint-hosts.ts";
import { interfaceEndpointPolicy, s3GatewayPolicy } from "../domain/endpoint-policies.ts";
import { isLiving } from "../domain/endpoint-state.ts";
import { clusterId, Lock } from "../domain/lock.ts";
import { Network } from "../domain/network.ts";
import { Plan } from "../domain/plan.ts";
import { ownerTags, type Tags } from "../domain/tags.ts";
import { clientToken } from "../domain/tokens.ts";
import { ConflictError, TransientError } from "../errors.ts";
import { forEachInLanes, together } from "../side-by-side.ts";
import { defineStep } from "../step.ts";

type Create = (tags: Tags, token: string) => Promise<Created>;

/** An interface endpoint for each service that nodes call, in every private subnet, and S3's gateway. */
export const createEndpoints = defineStep({
  name: "create-endpoints",
  mutates: true,
  input: z.strictObject({ lock: Lock, plan: Plan, request: ClusterRequest, network: Network }),
  output: z.strictObject({ count: z.int().min(2).max(13) }),
  deps: (aws) => ({ endpoints: ec2Endpoints(aws) }),
  async run({ lock, plan, request, network }, { endpoints }: { endpoints: EndpointsPort }, log) {
    const { region, interfaceEndpoints } = plan;
    const { vpcId, privateSubnets, privateRouteTableId, securityGroups } = network;
    const present = await endpoints.find(lock);

    const ensure = async (short: string, create: Create): Promise<void> => {
      const service = endpointService(short, region);
      const earlier: readonly FoundEndpoint[] = present.filter((endpoint) => endpoint.service === service);
      const reused = earlier.some(isLiving);
      if (!reused) {
        const failed = earlier.filter(({ state }) => state === "failed").map(({ endpointId }) => endpointId);
        if (failed.length > 0) await endpoints.remove(failed);
        const tags = ownerTags(lock, "endpoint", `${clusterId(lock)}-${short}`, request.tags);
        const created = await create(tags, clientToken(lock, `endpoint/${short}`, "", earlier.length));
        if (created === "taken") await expectOurs(endpoints, lock, service);
      }
      log.info("endpoint in place", { service: short, reused });
    };

    const policy = (short: string) => JSON.stringify(interfaceEndpointPolicy(short, lock, plan));
    const subnetIds = privateSubnets.map(({ subnetId }) => subnetId);
    const ensureInterface = (short: string) => {
      const where = { vpcId, service: endpointService(short, region), subnetIds, groupId: securityGroups.endpoints };
      return ensure(short, (tags, token) => endpoints.createInterface({ ...where, policy: policy(short) }, tags, token));
    };
    const s3 = { vpcId, service: endpointService("s3", region), routeTableId: privateRouteTableId };
    await together([
      forEachInLanes(interfaceEndpoints, ensureInterface),
      ensure("s3", (tags, token) =>
        endpoints.createGateway({ ...s3, policy: JSON.stringify(s3GatewayPolicy(lock, plan)) }, tags, token),
      ),
    ]);
    return { count: interfaceEndpoints.length + 1 };
  },
});

/**
 * AWS says that the service has an endpoint here already: ours that a read did not show, ours that failed and is on its way out, or
 * one that somebody put into our VPC.
 */
async function expectOurs(endpoints: EndpointsPort, lock: Lock, service: string): Promise<void> {
  const ours = (await endpoints.find(lock)).filter((endpoint) => endpoint.service === service && endpoint.state !== "deleted");
  if (ours.some(isLiving)) return;
  if (ours.length > 0) throw new TransientError(`the failed endpoint of ${service} is still being removed`);
  throw new ConflictError(`the VPC has an endpoint of ${service} that is not this cluster's`);
}

export const { handler } = createEndpoints;
