import type { Aws } from "../aws/aws.ts";
import { elbApi } from "../aws/elb-api.ts";
import { ssmParameters } from "../aws/parameters.ts";
import { defineCommandStep } from "../command-step.ts";
import { toFirstControlPlane } from "../domain/deliveries.ts";
import type { Lock } from "../domain/lock.ts";
import { parameterName } from "../domain/naming.ts";
import type { Plan } from "../domain/plan.ts";
import { DefectError } from "../errors.ts";
import { together } from "../side-by-side.ts";

/** Ends every way to join: the parameter from here, tokens and uploaded certificates from the control plane. Who joined is a target now. */
export const revokeJoin = defineCommandStep({
  name: "revoke-join",
  document: "revoke-join",
  extra: {},
  delivery: toFirstControlPlane,
  parameters: () => ({}),
  async before({ lock, plan }, aws) {
    await together([ssmParameters(aws).remove(parameterName(lock, "join")), balanceAll(lock, plan, aws)]);
  },
});

/**
 * The control planes that joined, beside the first one, become targets of the API's load balancer. Not earlier: while no target is
 * healthy yet each of them is tried (facts 3.7), and before its join a control plane refuses.
 */
async function balanceAll(lock: Lock, { controlPlanes }: Plan, aws: Aws): Promise<void> {
  if (controlPlanes.length === 1) return;
  const balancer = elbApi(aws);
  const targetGroup = await balancer.findTargetGroup(lock);
  if (targetGroup === null) throw new DefectError("the API's target group is gone");
  await balancer.register(
    targetGroup,
    controlPlanes.map(({ address }) => address),
  );
}

export const { handler } = revokeJoin;
