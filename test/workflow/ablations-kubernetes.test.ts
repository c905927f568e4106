import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { rehearse } from "../../rehearsal/rehearse.ts";
import type { Rehearsal } from "../../rehearsal/result.ts";
import {
  type Ablation,
  after,
  demandFailures,
  loseImage,
  orchid,
  script,
  seed,
  threePlanes,
  withLoadBalancer,
} from "./ablation.ts";

const ablations: readonly Ablation[] = [
  {
    without: "an image that the node's kubeadm wants",
    source: "facts 3.4",
    plant: (account) => account.onImage({ kubeadmImages: [...account.row.core, "registry.k8s.io/coredns/coredns:v9.9.9"] }),
    error: "CommandFailedError",
    state: "AwaitCommandPreloadImagesControlPlane",
    words: /kubeadm needs .*coredns:v9\.9\.9.*which the bundle does not have/,
  },
  {
    without: "a whole archive",
    source: "lab.md",
    plant: after("validate-request", ({ world: { s3 } }) => {
      const [, bucket = "", key = ""] =
        /^([^/]+)\/([^/]+\/images\/.*etcd.*)$/m.exec(
          s3
            .inventory()
            .map(({ id }) => id)
            .join("\n"),
        ) ?? [];
      s3.put(bucket, key, "cut off");
    }),
    error: "CommandFailedError",
    state: "AwaitCommandPreloadImagesControlPlane",
    words: /does not have the SHA-256 it was planned with/,
  },
  {
    without: "the workers' CoreDNS image",
    source: "lab-real.md",
    plant: after("join-workers", loseImage("worker", "/coredns:")),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /coredns-\S+: (?:ErrImagePull|ImagePullBackOff)/,
  },
  {
    without: "one kube image in the store",
    source: "facts 3.5, lab-real.md",
    // Between the two scripts, of which the second begins as the first one ends.
    rewrites: true,
    plant: (account) => {
      script("kubeadm-init", "\nhealthy() {", "\nsleep 15\nhealthy() {")(account);
      after("capture-join", loseImage("control-plane", "/kube-apiserver:"))(account);
    },
    error: "CommandFailedError",
    state: "AwaitCommandKubeadmInit",
    words: /\[ERROR ImagePull\]: failed to pull image registry\.k8s\.io\/kube-apiserver/,
  },
  {
    without: "the network plugin's image on the workers",
    source: "article, facts 4.1",
    plant: after("join-workers", loseImage("worker", "/calico/node:")),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /is not Ready/,
  },
  {
    without: "containerd's right pause image",
    source: "facts 5.2",
    plant: (account) => account.onImage({ sandboxImage: "registry.k8s.io/pause:3.8" }),
    error: "CommandFailedError",
    state: "AwaitCommandPreloadImagesControlPlane",
    words: /containerd's sandbox image is registry\.k8s\.io\/pause:3\.8/,
  },
  {
    without: "the right pause image and our check of it",
    source: "facts 5.2",
    rewrites: true,
    plant(account) {
      account.onImage({ sandboxImage: "registry.k8s.io/pause:3.8" });
      script("preload-images", '[ "$sandbox" = "$wanted" ] ||', "true ||")(account);
    },
    error: "CommandFailedError",
    state: "AwaitCommandKubeadmInit",
    words: /failed to get sandbox image "registry\.k8s\.io\/pause:3\.8"/,
  },
  {
    without: "an API server free of the cloud-provider flag",
    source: "facts 2.1",
    rewrites: true,
    plant: script(
      "kubeadm-init",
      "imageRepository: registry.k8s.io",
      "apiServer: {extraArgs: [{name: cloud-provider, value: external}]}",
    ),
    error: "CommandFailedError",
    state: "AwaitCommandKubeadmInit",
    words: /unknown flag: --cloud-provider/,
  },
  {
    without: "v1beta4 on 1.37",
    source: "facts 3.1",
    request: { ...orchid, kubernetesVersion: "1.37.2" },
    rewrites: true,
    plant: script("kubeadm-init", "kubeadm.k8s.io/v1beta4", "kubeadm.k8s.io/v1beta3"),
    error: "CommandFailedError",
    state: "AwaitCommandKubeadmInit",
    words: /old API spec: "kubeadm\.k8s\.io\/v1beta3"/,
  },
  {
    without: "the kubelet's node-ip",
    source: "facts 2.4",
    rewrites: true,
    plant: script("kubeadm-init", "    - {name: node-ip, value: $address}\n", ""),
    error: "CommandFailedError",
    state: "AwaitCommandInstallNetworking",
    words: /host IP unknown/,
  },
  {
    without: "the external cloud provider on a joining kubelet",
    source: "facts 1.2, article of 2018-09-28",
    rewrites: true,
    plant: script("join", "    - {name: cloud-provider, value: external}\n", ""),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /has no providerID/,
  },
  {
    without: "the right CA hash",
    source: "facts 3.6",
    rewrites: true,
    plant: script("join", '"$SSM_caCertHash"]', `"sha256:${"0".repeat(64)}"]`),
    error: "CommandFailedError",
    state: "AwaitCommandJoinWorkers",
    words: /none of the public keys .* are pinned/,
  },
  {
    without: "a live token",
    source: "facts 3.8",
    plant: after("join-workers", (account) => {
      for (const cluster of account.world.nodes.clusters.values()) {
        for (const [id, token] of cluster.tokens) cluster.tokens.set(id, { ...token, expiresAt: cluster.now() });
      }
    }),
    error: "CommandFailedError",
    state: "AwaitCommandJoinWorkers",
    words: /could not find a JWS signature in the cluster-info ConfigMap for token ID/,
  },
  {
    without: "the EBS controller's host network",
    source: "facts 2.11",
    rewrites: true,
    plant: script(
      "install-manifests",
      "hostNetwork: true\n      dnsPolicy: Default\n      priorityClassName: system-cluster-critical",
      "priorityClassName: system-cluster-critical",
    ),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /no EC2 IMDS role found/,
  },
  {
    without: "VXLAN always, with the source/destination check on",
    source: "facts 4.1",
    request: { ...orchid, network: { zones: 1 } },
    rewrites: true,
    plant: script(
      "install-manifests",
      '    apply "$state/cni.yaml"',
      `    text=$(cat "$state/cni.yaml"); printf '%s\\n' "\${text//Always/CrossSubnet}" >"$state/cni.yaml"\n    apply "$state/cni.yaml"`,
    ),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /cannot reach the pod at/,
  },
  {
    without: "client-IP preservation off",
    source: "facts 3.7",
    request: threePlanes,
    plant: after("create-api-endpoint", (account) => {
      for (const group of account.world.elb.targetGroups.values()) group.attributes.set("preserve_client_ip.enabled", "true");
    }),
    error: "CommandFailedError",
    state: "AwaitCommandKubeadmInit",
    words: /i\/o timeout: context deadline exceeded/,
  },
  {
    without: "the CCM's own address of the API",
    source: "facts 2.3",
    rewrites: true,
    plant: script("install-manifests", "valueFrom: { fieldRef: { fieldPath: status.hostIP } }", "value: 127.0.0.1"),
    error: "CommandFailedError",
    state: "AwaitCommandInstallNetworking",
    words: /certificate is valid for 10\.96\.0\.1, not 127\.0\.0\.1/,
  },
];

const secondsIn = ({ history }: Rehearsal, state: string): number => {
  const at = (type: string) =>
    history.find((event) => event.type === type && event.details["name"] === state)?.timestamp ??
    assert.fail(`${state} was not entered`);
  return (at("TaskStateExited") - at("TaskStateEntered")) / 1000;
};

describe("what a node and Kubernetes need", () => {
  demandFailures(ablations);

  test("with nothing taken away the same requests end well", async () => {
    for (const request of [orchid, withLoadBalancer, threePlanes])
      assert.equal((await rehearse({ request, seed, scripts: "quick" })).status, "ready");
  });

  test("kubernetesVersion: stable costs kubeadm its ten seconds without an answer (facts 3.5)", async () => {
    const plain = await rehearse({ request: orchid, seed, scripts: "quick" });
    const stable = await rehearse({
      request: orchid,
      seed,
      prepare: script("kubeadm-init", "kubernetesVersion: v$SSM_kubernetesVersion", "kubernetesVersion: stable"),
    });
    const difference = secondsIn(stable, "AwaitCommandKubeadmInit") - secondsIn(plain, "AwaitCommandKubeadmInit");
    assert.ok(difference >= 7, `only ${difference} s`);
  });

  test("without cross-zone balancing kubeadm init waits until DNS leaves out the zones that have no healthy target (facts 3.7)", async () => {
    const request = threePlanes;
    const plant = after("create-api-endpoint", (account) => {
      for (const front of account.world.elb.loadBalancers.values())
        front.attributes.set("load_balancing.cross_zone.enabled", "false");
    });
    const tell = (prepare?: typeof plant) => rehearse({ request, seed, scripts: "quick", ...(prepare && { prepare }) });
    const [plain, ablated] = [await tell(), await tell(plant)];
    const difference = secondsIn(ablated, "AwaitCommandKubeadmInit") - secondsIn(plain, "AwaitCommandKubeadmInit");
    assert.ok(difference >= 5, `only ${difference} s`);
  });

  test("without the guard the agent that boots before its endpoints hibernates for five minutes (facts 5.7)", async () => {
    const told = { request: orchid, seed, scripts: "quick" } as const;
    const plain = await rehearse(told);
    const unguarded = await rehearse({ ...told, prepare: (account) => account.onImage({ isAgentEnabled: true }) });
    const difference = secondsIn(unguarded, "WaitForNodes") - secondsIn(plain, "WaitForNodes");
    assert.ok(difference > 60, `only ${difference} s`);
  });
});
