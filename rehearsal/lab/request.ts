type Fields = Readonly<Record<string, unknown>>;

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

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** A request for the lab's own bundle: what it leaves open is the lab's and not AWS's, so that the shipped examples can be built here. */
export function forLab(request: unknown, kubernetesVersion: string): unknown {
  const own = labRequest(kubernetesVersion);
  if (request === null) return own;
  if (!isFields(request)) return request;
  const merged = Object.entries({ ...own, ...request }).map(([key, value]) => {
    const mine = own[key];
    return [key, isFields(value) && isFields(mine) ? { ...mine, ...value } : value];
  });
  return Object.fromEntries(merged);
}
