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
  /** Whether /etc/crictl.yaml says where the runtime listens. */
  readonly hasCrictlConfig: boolean;
  /** Whether the agent starts at boot by itself. Ours does not: the guard starts it. */
  readonly isAgentEnabled: boolean;
}
