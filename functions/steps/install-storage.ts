import { defineCommandStep } from "../command-step.ts";
import { toFirstControlPlane } from "../domain/deliveries.ts";
import { manifestScalars } from "../domain/scalars.ts";

/** EBS CSI driver and the default StorageClass, which nobody else creates. */
export const installStorage = defineCommandStep({
  name: "install-storage",
  document: "install-manifests",
  extra: {},
  delivery: toFirstControlPlane,
  parameters: ({ lock, request, plan }) => ({ ...manifestScalars(lock, request, plan), set: "storage" }),
});

export const { handler } = installStorage;
