import { defineCommandStep } from "../command-step.ts";
import { toFirstControlPlane } from "../domain/deliveries.ts";
import { versionRow } from "../domain/versions.ts";

/** Judges the cluster by effect, from its first control plane. */
export const verifyCluster = defineCommandStep({
  name: "verify-cluster",
  document: "verify-cluster",
  extra: {},
  delivery: toFirstControlPlane,
  parameters: ({ request }) => ({
    controlPlanes: String(request.controlPlane.count),
    workers: String(request.workers.count),
    volume: String(request.verify.volume && request.storage.driver !== "none"),
    loadBalancer: String(request.verify.loadBalancer),
    smokeImage: versionRow(request.kubernetesVersion).smokeImage,
    vpcCidr: request.network.vpcCidr,
  }),
});

export const { handler } = verifyCluster;
