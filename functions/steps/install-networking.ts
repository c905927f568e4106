import { defineCommandStep } from "../command-step.ts";
import { toFirstControlPlane } from "../domain/deliveries.ts";
import { manifestScalars } from "../domain/scalars.ts";

/** Cloud controller manager, network plugin and the policy that keeps load balancers internal. */
export const installNetworking = defineCommandStep({
  name: "install-networking",
  document: "install-manifests",
  extra: {},
  delivery: toFirstControlPlane,
  parameters: ({ lock, request, plan }) => ({ ...manifestScalars(lock, request, plan), set: "networking" }),
});

export const { handler } = installNetworking;
