import { parseAllDocuments } from "yaml";
import type { Fabric } from "../../fabric-types.ts";
import { SimulationGap } from "../../service.ts";
import type { NodeAws } from "../aws-access.ts";
import type { Cluster } from "../cluster.ts";
import { minorOf } from "../kube.ts";
import type { VirtualNode } from "../node.ts";

export interface KubeadmWorld {
  readonly fabric: Fabric;
  readonly aws: NodeAws;
  /** By VPC and API endpoint: two generations in VPCs of their own share the names of their addresses. */
  readonly clusters: Map<string, Cluster>;
}

/** Where a joiner finds the cluster behind `host:6443`. */
export const clusterKey = ({ instance }: VirtualNode, endpoint: string): string => `${instance.vpcId} ${endpoint}`;

export interface ExtraArg {
  readonly name: string;
  readonly value: string;
}
export interface Config {
  readonly apiVersion: string;
  readonly kind: string;
  readonly [field: string]: unknown;
}

export const paths = {
  admin: "/etc/kubernetes/admin.conf",
  kubelet: "/etc/kubernetes/kubelet.conf",
  ca: "/etc/kubernetes/pki/ca.crt",
  apiserver: "/etc/kubernetes/manifests/kube-apiserver.yaml",
} as const;
/** kubeadm waits four minutes for a control plane that does not come (facts 3.2), and looks ten seconds for a version (3.5). */
export const controlPlaneTimeout = 240;
export const versionTimeout = 10;
/** An image that is not there: five tries of two dials of 30 s, where the registry's packets are lost (in the lab one to four dials, 357 s in all). */
export const pullTimeout = 300;
/** The kinds and their fields that are modelled, or that change nothing here; the components' own documents pass unread. */
const kinds: Readonly<Record<string, readonly string[] | null>> = {
  InitConfiguration: ["bootstrapTokens", "certificateKey", "localAPIEndpoint", "nodeRegistration", "timeouts"],
  ClusterConfiguration: [
    ...["apiServer", "clusterName", "controlPlaneEndpoint", "controllerManager"],
    ...["imageRepository", "kubernetesVersion", "networking"],
  ],
  JoinConfiguration: ["controlPlane", "discovery", "nodeRegistration", "timeouts"],
  KubeletConfiguration: null,
  KubeProxyConfiguration: null,
};

/** The one preflight error that a lab's image may ask to be left out (lab-real.md, 4). */
export const ignoring = "--ignore-preflight-errors=SystemVerification";

export async function configOf(node: VirtualNode, path: string | undefined): Promise<Config[]> {
  const text = await node.shell.read(path ?? "");
  if (text === null) throw new SimulationGap(`kubeadm was given no readable --config: ${path}`);
  return parseAllDocuments(text).map((document) => document.toJS() as Config);
}

/** What `kubeadm config validate` and every command that reads a file find wrong with it (facts 3.1). */
export function problemOf(node: VirtualNode, documents: readonly Config[]): string | null {
  const minor = minorOf(node.image.kubernetes);
  for (const { apiVersion, kind, ...fields } of documents) {
    const known = kinds[kind];
    if (known === undefined) throw new SimulationGap(`kubeadm's ${kind} is not modelled`);
    const strange = Object.keys(fields).find((field) => known?.includes(field) === false);
    if (strange !== undefined) throw new SimulationGap(`the field ${strange} of kubeadm's ${kind} is not modelled`);
    if (!apiVersion.startsWith("kubeadm.k8s.io/")) continue;
    if (apiVersion === "kubeadm.k8s.io/v1")
      return 'error: experimental API spec: "kubeadm.k8s.io/v1" is not allowed. You can use the --allow-experimental-api flag';
    const isOld = apiVersion === "kubeadm.k8s.io/v1beta2" || (apiVersion === "kubeadm.k8s.io/v1beta3" && minor >= 37);
    if (isOld)
      return `error: your configuration file uses an old API spec: "${apiVersion}" (kind: "${kind}"), which is no longer supported`;
  }
  return null;
}

export const part = (documents: readonly Config[], kind: string): Readonly<Record<string, unknown>> | undefined =>
  documents.find((document) => document.kind === kind);
export const extraArgs = (value: unknown): readonly ExtraArg[] =>
  ((value as { extraArgs?: ExtraArg[] } | undefined)?.extraArgs ?? []) as ExtraArg[];
export interface Registration {
  readonly name: string;
  readonly kubeletExtraArgs?: readonly ExtraArg[];
  readonly imagePullPolicy?: string;
}
export const argument = (args: readonly ExtraArg[] | undefined, name: string): string | null =>
  args?.find((arg) => arg.name === name)?.value ?? null;
