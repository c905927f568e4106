import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import {
  DeleteTagsCommand,
  DescribeInstancesCommand,
  DescribeSecurityGroupsCommand,
  DescribeVpcEndpointsCommand,
  type IpPermission,
  ModifyVpcEndpointCommand,
  RevokeSecurityGroupIngressCommand,
} from "@aws-sdk/client-ec2";
import { readBundle } from "../../bundle.ts";
import type { Host } from "../hosts/host.ts";
import type { Lab } from "../lab.ts";
import { publicElsewhere } from "../network/fabric.ts";

/**
 * What is taken away, and where and how the build must stop: by the error and in the state that the virtual rehearsal has for the
 * same row (test/workflow/ablations-*.test.ts), or for its nearest.
 */
export interface LabAblation {
  readonly without: string;
  readonly error: string;
  readonly state: string;
  readonly words: RegExp;
  /** The suite's when absent. */
  readonly scale?: number;
  /** What the machine's waits are multiplied by where one has to run out. */
  readonly patience?: number;
  /** It takes minutes, because what it shows is a wait. */
  readonly isSlow?: true;
  /** Changes a copy of the bundle's folder before the lab is opened. */
  bundle?(folder: string): void;
  plant?(lab: Lab): void;
}

/** Something is done when a step has ended well, and its output may be another afterwards. */
const after =
  (step: string, work: (lab: Lab, output: unknown) => Promise<unknown>) =>
  (lab: Lab): void => {
    lab.stage.afterStep.set(step, async (output) => (await work(lab, output)) ?? output);
  };

const hostsOf = (lab: Lab, role: string): Host[] =>
  lab.site
    .hosts()
    .filter(({ instance }) => instance.tags.get("cloister:role") === role)
    .map(({ host }) => host);

/** A file of the lab's node image. */
const image = (path: string): URL => new URL(`../hosts/image${path}`, import.meta.url);

/** Where they are to run out, the patience of a script's own is cut short too. */
const script = (document: string, from: string, to: string) => (lab: Lab) => {
  const registered = lab.stage.commands.documents.get(`cloister-${document}`);
  if (registered === undefined || !registered.script.includes(from)) throw new RangeError(`${document} has no ${from}`);
  const changed = { ...registered, script: registered.script.replaceAll(from, to) };
  lab.stage.commands.documents.set(registered.name, changed);
};

/** In a VPC a registry's packets are lost, and whoever pulls waits for minutes; a refusal says the same sooner. */
const refuseRegistry = `ip route replace unreachable ${publicElsewhere}`;

/** A script begins by losing an image: between two commands there is no moment for it. */
const loseImage = (document: string, part: string, also: string) => (lab: Lab) => {
  const text = lab.stage.commands.documents.get(`cloister-${document}`)?.script ?? "";
  const first = text.split("\n").findLast((line) => line.startsWith("need SSM_")) ?? "need";
  const remove = `{ ctr -n k8s.io images ls -q | grep ${part} | xargs -r ctr -n k8s.io images rm >/dev/null; } || true`;
  script(document, first, `${first}\n${remove}\n${also}`)(lab);
};

/** Takes rules out of the groups whose name matches. */
const closed = (group: RegExp, match: (rule: IpPermission) => boolean) =>
  after("create-network", async ({ aws: { ec2 } }) => {
    const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({}));
    for (const { GroupId, GroupName = "", IpPermissions = [] } of SecurityGroups) {
      const gone = group.test(GroupName) ? IpPermissions.filter(match) : [];
      if (gone.length > 0) await ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions: gone }));
    }
  });

/** Once the command of this document has ended well: the third look at least is after its effect. */
const afterCommand = (document: string, work: (lab: Lab) => Promise<unknown>) => (lab: Lab) => {
  lab.stage.afterStep.set("await-command", async (output, input) => {
    if ((input as { document: string }).document === document) await work(lab);
    return output;
  });
};

/** A wait that is to run out does so after half a minute, and looks no more often than on AWS: the machine is the other lane's. */
const waiting = { scale: 1, patience: 0.04 } as const;

/** From those that build the most to those that only wait: what is done in two lanes begins at both ends (ablation.ts). */
export const ablations: readonly LabAblation[] = [
  {
    without: "the workers' CoreDNS image",
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /coredns-\S+: (?:ErrImagePull|ImagePullBackOff)/,
    plant(lab) {
      script("verify-cluster", "settle 180", "settle 10")(lab);
      // Where CoreDNS lands is the scheduler's choice (lab-real.md, 2): here the workers alone are left to it.
      script("install-manifests", '"$SSM_set"\n', 'kubectl cordon "$name" >/dev/null\n"$SSM_set"\n')(lab);
      loseImage("join", "/coredns:", refuseRegistry)(lab);
    },
  },
  {
    without: "an open overlay port",
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /cannot reach the pod at .* is UDP 4789 open/,
    plant: closed(/./, ({ FromPort }) => FromPort === 4789),
  },
  {
    without: "the cluster tag on a worker, with CCM 1.37",
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /1 of 2 nodes are in the cluster/,
    plant(lab) {
      script("verify-cluster", "settle 180", "settle 5")(lab);
      after("launch-nodes", async ({ aws: { ec2 } }) => {
        const Filters = [{ Name: "tag:cloister:role", Values: ["worker"] }];
        const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ Filters }));
        const Resources = Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId = "" }) => InstanceId));
        await ec2.send(new DeleteTagsCommand({ Resources, Tags: [{ Key: "kubernetes.io/cluster/orchid-g1" }] }));
      })(lab);
    },
  },
  {
    without: "the right CA hash",
    error: "CommandFailedError",
    state: "AwaitCommandJoinWorkers",
    words: /none of the public keys .* are pinned/,
    plant: script("join", '"$SSM_caCertHash"]', `"sha256:${"0".repeat(64)}"]`),
  },
  {
    without: "a live token",
    error: "CommandFailedError",
    state: "AwaitCommandJoinWorkers",
    words: /could not find a JWS signature in the cluster-info ConfigMap for token ID/,
    plant(lab) {
      script("join", "discovery: 1m0s", "discovery: 15s")(lab);
      afterCommand("capture-join", async () => {
        const kubectl = ["--kubeconfig", "/etc/kubernetes/admin.conf", "-n", "kube-system"];
        const tokens = ["delete", "secrets", "--field-selector", "type=bootstrap.kubernetes.io/token"];
        for (const host of hostsOf(lab, "control-plane")) {
          await host.on("kubectl", ...kubectl, ...tokens);
          // The controller that signs takes its signature back a moment later.
          await host.on(
            "bash",
            "-c",
            "for i in {1..300}; do kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-public get cm cluster-info -o yaml | grep -q jws- || exit 0; sleep 0.2; done; exit 1",
          );
        }
      })(lab);
    },
  },
  {
    without: "an open API port",
    error: "CommandFailedError",
    state: "AwaitCommandJoinWorkers",
    words: /couldn't validate the identity of the API Server|i\/o timeout|deadline exceeded/,
    plant(lab) {
      script("join", "discovery: 1m0s", "discovery: 15s")(lab);
      closed(/control-plane$/, ({ FromPort }) => FromPort === 6443)(lab);
    },
  },
  {
    without: "one kube image in the store",
    error: "CommandFailedError",
    state: "AwaitCommandKubeadmInit",
    words: /\[ERROR ImagePull\]: failed to pull image registry\.k8s\.io\/kube-apiserver/,
    plant: loseImage("kubeadm-init", "/kube-apiserver:", refuseRegistry),
  },
  {
    without: "v1beta4 on 1.37",
    error: "CommandFailedError",
    state: "AwaitCommandKubeadmInit",
    words: /old API spec: "kubeadm\.k8s\.io\/v1beta3"/,
    plant: script("kubeadm-init", "kubeadm.k8s.io/v1beta4", "kubeadm.k8s.io/v1beta3"),
  },
  {
    without: "a whole archive",
    error: "CommandFailedError",
    state: "AwaitCommandPreloadImagesControlPlane",
    words: /does not have the SHA-256 it was planned with/,
    bundle(folder) {
      const archive = readdirSync(join(folder, "images")).find((name) => name.includes("_etcd_")) ?? "";
      truncateSync(join(folder, "images", archive), 1_000_000);
    },
  },
  {
    without: "containerd's right pause image",
    error: "CommandFailedError",
    state: "AwaitCommandPreloadImagesControlPlane",
    words: /containerd's sandbox image is registry\.k8s\.io\/pause:3\.8/,
    plant: after("wait-for-nodes", async (lab) => {
      const change = 's|sandbox = .*|sandbox = "registry.k8s.io/pause:3.8"|';
      for (const host of hostsOf(lab, "control-plane")) await host.on("sed", "-i", change, "/etc/containerd/config.toml");
    }),
  },
  {
    without: "an open endpoint security group",
    error: "NotReadyError",
    state: "WaitForNodes",
    words: /0 of 2 agents/,
    ...waiting,
    plant: closed(/endpoints$/, () => true),
  },
  {
    without: "the guard",
    error: "NotReadyError",
    state: "WaitForNodes",
    words: /0 of 2 agents/,
    // In the rehearsal the build waits five minutes for agents that hibernate: here it is given half a minute, and they are not hurried.
    ...waiting,
    plant(lab) {
      const units = "/etc/systemd/system";
      const agent = "amazon-ssm-agent.service";
      lab.site.files.set(`${units}/multi-user.target.wants/${agent}`, readFileSync(image(`${units}/${agent}`), "utf8"));
      // The guard would wake the agent: user data is not run.
      lab.site.files.set(`${units}/lab-user-data.service`, "[Service]\nType=oneshot\nExecStart=/bin/true\n");
    },
  },
  {
    without: "private DNS",
    error: "NotReadyError",
    state: "WaitForDns",
    words: /waiting for/,
    ...waiting,
    plant: after("create-endpoints", async ({ aws: { ec2 } }) => {
      const { VpcEndpoints = [] } = await ec2.send(new DescribeVpcEndpointsCommand({}));
      for (const { VpcEndpointId, VpcEndpointType } of VpcEndpoints)
        if (VpcEndpointType === "Interface")
          await ec2.send(new ModifyVpcEndpointCommand({ VpcEndpointId, PrivateDnsEnabled: false }));
    }),
  },
  {
    without: "the ssm endpoint",
    error: "NotReadyError",
    state: "WaitForNodes",
    words: /0 of 2 agents/,
    ...waiting,
    plant: after("validate-request", async (_, output) => {
      const { plan, ...rest } = output as { plan: { interfaceEndpoints: string[] } };
      return { ...rest, plan: { ...plan, interfaceEndpoints: plan.interfaceEndpoints.filter((name) => name !== "ssm") } };
    }),
  },
  {
    without: "one kube image in the store, the registry's packets being lost",
    error: "CommandFailedError",
    state: "AwaitCommandKubeadmInit",
    words: /\[ERROR ImagePull\]: failed to pull image registry\.k8s\.io\/kube-apiserver/,
    isSlow: true,
    plant: loseImage("kubeadm-init", "/kube-apiserver:", ""),
  },
];

/** A copy of a bundle in which an archive can be changed: the others are links. */
export function copyBundle(from: string, to: string): void {
  mkdirSync(join(to, "images"), { recursive: true });
  cpSync(join(from, "manifests"), join(to, "manifests"), { recursive: true });
  cpSync(join(from, "bundle.json"), join(to, "bundle.json"));
  for (const { key, refs } of readBundle(from).files) {
    if (refs.some((ref) => ref.includes("/etcd:"))) cpSync(join(from, key), join(to, key));
    else symlinkSync(join(from, key), join(to, key));
  }
}
