import { defineCommandStep } from "../command-step.ts";
import { toFirstControlPlane } from "../domain/deliveries.ts";
import { parameterName } from "../domain/naming.ts";

/** The node mints a client certificate for one day into the kubeconfig parameter; admin.conf never leaves it. */
export const publishAccess = defineCommandStep({
  name: "publish-access",
  document: "publish-access",
  extra: {},
  delivery: toFirstControlPlane,
  parameters: ({ lock }) => ({ kubeconfigParameter: parameterName(lock, "kubeconfig") }),
});

export const { handler } = publishAccess;
