/** What a machine image holds; a virtual AMI is this description beside its EC2 facts. */
export interface NodeImage {
  readonly kubernetes: string;
  readonly containerd: string;
  readonly agentVersion: string;
  /** The pause image in containerd's configuration. */
  readonly sandboxImage: string;
  /** Images that are on the disk from the start. */
  readonly preloaded: readonly string[];
  /** The images `kubeadm config images list` names for the image's version. */
  readonly kubeadmImages: readonly string[];
  /** How it keeps authorities: Debian's kin as a file in /etc/ssl/certs, Fedora's (AL2023) as links into /etc/pki. */
  readonly trustStore: "debian" | "fedora";
  /** Whether AWS's certificates are from an authority that this image knows and others do not: in some partitions, and in the lab. */
  readonly isAuthorityPrivate: boolean;
  /** Whether /etc/crictl.yaml says where the runtime listens. */
  readonly hasCrictlConfig: boolean;
  /** Whether the agent starts at boot by itself. Ours does not: the guard starts it. */
  readonly isAgentEnabled: boolean;
}
