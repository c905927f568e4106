/** What the lab builds when nobody says otherwise: one control plane and two workers, with the lab's own network plugin. */
export const labRequest = (kubernetesVersion: string): Record<string, unknown> => ({
  name: "orchid",
  kubernetesVersion,
  controlPlane: { count: 1, instanceType: "m5.large" },
  workers: { count: 2, instanceType: "m5.large" },
  // Calico's and the EBS driver's images cannot be had where only Go modules can: this part is not proved here.
  cni: "manifests",
  storage: { driver: "none" },
  verify: { volume: false, loadBalancer: true },
});
