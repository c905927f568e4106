import type { ClusterRequest } from "./cluster-request.ts";
import type { DocumentParameters } from "./documents.ts";
import { endpointHost } from "./endpoint-hosts.ts";
import type { Role } from "./ids.ts";
import { clusterId, type Lock } from "./lock.ts";
import { parameterName } from "./naming.ts";
import type { Plan } from "./plan.ts";
import { versionRow } from "./versions.ts";

/** Where a script finds the bundle, and the hash by which it trusts it. */
export const bundleScalars = ({ bundle }: Plan) => ({
  bucket: bundle.bucket,
  bundleKey: bundle.key,
  bundleSha256: bundle.sha256,
});

/** The names that must answer, and the subnets inside which their addresses must lie. */
export const reachScalars = ({ interfaceEndpoints, region, zones }: Plan) => ({
  hosts: interfaceEndpoints.map((service) => endpointHost(service, region)).join(","),
  subnets: zones.map(({ privateCidr }) => privateCidr).join(","),
});

export const joinScalars = (lock: Lock, role: Role, apiEndpoint: string, caCertHash: string) => ({
  role,
  joinParameter: parameterName(lock, "join"),
  apiEndpoint,
  caCertHash,
});

/** What install-manifests needs beside the set it is to install. */
export function manifestScalars(
  lock: Lock,
  request: ClusterRequest,
  plan: Plan,
): Omit<DocumentParameters<"install-manifests">, "fence" | "region" | "set"> {
  const { ccmImage, ebsCsi } = versionRow(request.kubernetesVersion);
  const storage = request.storage.driver === "none" ? null : ebsCsi;
  return {
    ...bundleScalars(plan),
    clusterName: clusterId(lock),
    cni: request.cni,
    publicLoadBalancers: String(request.network.publicSubnets),
    ccmImage,
    ebsCsiImage: storage?.driver ?? "none",
    provisionerImage: storage?.provisioner ?? "none",
    attacherImage: storage?.attacher ?? "none",
    resizerImage: storage?.resizer ?? "none",
    registrarImage: storage?.registrar ?? "none",
  };
}
