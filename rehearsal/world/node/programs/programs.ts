import type { VirtualNode } from "../node.ts";
import type { Program } from "../shell.ts";
import { awsCli } from "./aws-cli.ts";
import { containerd, crictl, ctr } from "./containers.ts";
import { kubeadm } from "./kubeadm.ts";
import type { KubeadmWorld } from "./kubeadm-config.ts";
import { kubectl } from "./kubectl.ts";
import { curl, getent } from "./network.ts";
import { systemPrograms } from "./system.ts";

export interface ProgramsWorld extends KubeadmWorld {
  /** What an object of S3 weighs on AWS. */
  sizeOf(bucket: string, key: string): number;
  startAgent(): void;
}

/** Every modelled program of a node, by its name. */
export function programsOf(node: VirtualNode, world: ProgramsWorld): Readonly<Record<string, Program>> {
  const { fabric, aws, sizeOf, startAgent } = world;
  return {
    ...systemPrograms(node, startAgent),
    aws: awsCli(node, aws, sizeOf),
    containerd: containerd(node),
    crictl: crictl(node),
    ctr: ctr(node),
    curl: curl(node, fabric),
    getent: getent(node, fabric),
    kubeadm: kubeadm(node, world),
    kubectl: kubectl(node),
  };
}
