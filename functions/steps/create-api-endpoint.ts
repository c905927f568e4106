import * as z from "zod";
import { type ApiPort, apiPort, elbApi } from "../aws/elb-api.ts";
import { Api } from "../command-step.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
import { clusterId, Lock } from "../domain/lock.ts";
import { Network } from "../domain/network.ts";
import { Plan } from "../domain/plan.ts";
import { isOwned, ownerTags } from "../domain/tags.ts";
import { ConflictError, DefectError, TransientError } from "../errors.ts";
import { defineStep } from "../step.ts";

const raise = (): never => {
  throw new DefectError("a plan without a control plane");
};

/**
 * The internal load balancer in front of three or five control planes. Their addresses are planned, so the first one is a target here,
 * before its machine exists and kubeadm calls itself through it. It alone: while no target is healthy each of them is tried (facts 3.7),
 * and the others have no API server before they join. RevokeJoin adds them.
 */
export const createApiEndpoint = defineStep({
  name: "create-api-endpoint",
  mutates: true,
  input: z.strictObject({ lock: Lock, request: ClusterRequest, plan: Plan, network: Network }),
  output: Api,
  deps: (aws) => ({ api: elbApi(aws) }),
  async run({ lock, request, plan, network }, { api }: { api: ApiPort }, log) {
    const group = network.securityGroups.api;
    if (group === null) throw new DefectError("a load balancer for the API without its security group");
    const tags = ownerTags(lock, "api", `${clusterId(lock)}-api`, request.tags);

    /** Found by name; a name that is taken by something without our tags is a conflict, and one that does not show yet a matter of time. */
    async function made<T>(
      what: string,
      find: () => Promise<T | null>,
      arnOf: (found: T) => string,
      create: () => Promise<unknown>,
    ) {
      const present = await find();
      if (present === null) await create();
      const found = present ?? (await find());
      if (found === null) throw new TransientError(`the ${what} of the API does not show yet`);
      if (!isOwned(await api.tags(arnOf(found)), lock))
        throw new ConflictError(`${arnOf(found)} has our name and is not this cluster's`);
      log.info(`${what} in place`, { arn: arnOf(found), reused: present !== null });
      return found;
    }

    const subnets = network.privateSubnets.map(({ subnetId }) => subnetId);
    const balancer = await made(
      "load balancer",
      () => api.find(lock),
      ({ arn }) => arn,
      () => api.create(lock, subnets, group, tags),
    );
    const targetGroup = await made(
      "target group",
      () => api.findTargetGroup(lock),
      (arn) => arn,
      () => api.createTargetGroup(lock, network.vpcId, tags),
    );
    await api.keepOwnAddress(targetGroup);
    await api.crossZones(balancer.arn);
    const first = plan.controlPlanes[0] ?? raise();
    await api.register(targetGroup, [first.address]);
    if (!(await api.hasListener(balancer.arn))) await api.listen(balancer.arn, targetGroup, tags);
    return { endpoint: `${balancer.dnsName}:${apiPort}` };
  },
});

export const { handler } = createApiEndpoint;
