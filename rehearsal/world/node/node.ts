import type { InstanceView } from "../ec2/ec2.ts";
import type { Universe } from "../service.ts";
import type { Cluster } from "./cluster.ts";
import type { NodeImage } from "./image.ts";
import type { NodeShell } from "./shell.ts";

/** One machine: its disk and shell, its container images, and what runs on it. */
export interface VirtualNode {
  readonly universe: Universe;
  readonly instance: InstanceView;
  /** Stable over designs: the Name tag and the address. */
  readonly subject: string;
  readonly image: NodeImage;
  readonly shell: NodeShell;
  /** Image reference -> whether it is pinned. */
  readonly images: Map<string, boolean>;
  /** Imported a moment ago: containerd's CRI does not list them yet. */
  readonly unlisted: Set<string>;
  /** The cluster it belongs to, once its kubelet is configured. */
  cluster: Cluster | null;
  hasApiServer: boolean;
  hasKubelet: boolean;
  isUp: boolean;
  /** When it died, milliseconds since the epoch. */
  downAt: number | null;
  /** How many times its agent was started. */
  agentRuns: number;
  /** When what stands on the pods' network here is reached, milliseconds since the epoch: the plugin's routes come after the kubelet's word. */
  podsAnswerAt: number;
  /** When the last of what is being written to its volume is there, milliseconds since the epoch. */
  diskFreeAt: number;
}
