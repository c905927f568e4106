import { defineCommandStep } from "../command-step.ts";
import { toControlPlanes, toWorkers } from "../domain/deliveries.ts";
import { Role } from "../domain/ids.ts";
import { bundleScalars } from "../domain/scalars.ts";

/** Images from the bundle into containerd, on all nodes of one role. */
export const preloadImages = defineCommandStep({
  name: "preload-images",
  document: "preload-images",
  extra: { role: Role },
  delivery: (input) => (input.role === "worker" ? toWorkers(input) : toControlPlanes(input)),
  parameters: ({ request, plan, role }) => ({ ...bundleScalars(plan), role, kubernetesVersion: request.kubernetesVersion }),
});

export const { handler } = preloadImages;
