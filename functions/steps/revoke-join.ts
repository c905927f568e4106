import { ssmParameters } from "../aws/parameters.ts";
import { defineCommandStep } from "../command-step.ts";
import { toFirstControlPlane } from "../domain/deliveries.ts";
import { parameterName } from "../domain/naming.ts";

/** Ends every way to join: the parameter from here, tokens and uploaded certificates from the control plane. */
export const revokeJoin = defineCommandStep({
  name: "revoke-join",
  document: "revoke-join",
  extra: {},
  delivery: toFirstControlPlane,
  parameters: () => ({}),
  async before({ lock }, aws) {
    await ssmParameters(aws).remove(parameterName(lock, "join"));
  },
});

export const { handler } = revokeJoin;
