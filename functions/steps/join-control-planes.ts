import { elbApi } from "../aws/elb-api.ts";
import { Api, defineCommandStep, Join } from "../command-step.ts";
import { toJoiningControlPlanes } from "../domain/deliveries.ts";
import { joinScalars } from "../domain/scalars.ts";
import { DefectError } from "../errors.ts";

/** The other control planes, one after another, as etcd takes its members. From now on they are targets of the API's load balancer. */
export const joinControlPlanes = defineCommandStep({
  name: "join-control-planes",
  document: "join",
  extra: { api: Api, join: Join },
  delivery: toJoiningControlPlanes,
  parameters: ({ lock, api, join }) => joinScalars(lock, "control-plane", api.endpoint, join.caCertHash),
  async before({ lock, plan }, aws) {
    const balancer = elbApi(aws);
    const targetGroup = await balancer.findTargetGroup(lock);
    if (targetGroup === null) throw new DefectError("the API's target group is gone");
    await balancer.register(
      targetGroup,
      plan.controlPlanes.map(({ address }) => address),
    );
  },
});

export const { handler } = joinControlPlanes;
