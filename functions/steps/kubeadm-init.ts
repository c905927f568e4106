import { Api, defineCommandStep } from "../command-step.ts";
import { toFirstControlPlane } from "../domain/deliveries.ts";
import { clusterId } from "../domain/lock.ts";
import { DefectError } from "../errors.ts";

/** kubeadm init on the first control plane, whose address was planned before it existed. */
export const kubeadmInit = defineCommandStep({
  name: "kubeadm-init",
  document: "kubeadm-init",
  extra: { api: Api },
  delivery: toFirstControlPlane,
  parameters({ lock, request, plan, api }) {
    const [first] = plan.controlPlanes;
    if (first === undefined) throw new DefectError("a plan without control planes");
    return {
      clusterName: clusterId(lock),
      kubernetesVersion: request.kubernetesVersion,
      apiEndpoint: api.endpoint,
      address: first.address,
      podCidr: request.network.podCidr,
      serviceCidr: request.network.serviceCidr,
    };
  },
});

export const { handler } = kubeadmInit;
