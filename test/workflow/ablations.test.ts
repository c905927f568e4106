import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import type { Plan } from "../../functions/domain/plan.ts";
import { rehearse } from "../../rehearsal/rehearse.ts";
import type { Rehearsal } from "../../rehearsal/result.ts";
import type { VirtualAccount } from "../../rehearsal/virtual-account.ts";

const seed = 7;
const orchid = { name: "orchid" };
const withLoadBalancer = { ...orchid, verify: { loadBalancer: true } };
const threePlanes = { name: "orchid", network: { zones: 3 }, controlPlane: { count: 3 }, workers: { count: 3 } };

/** What is taken away, and the failure that the article or the fact sheet describes for it. */
interface Ablation {
  readonly without: string;
  readonly source: string;
  readonly request?: unknown;
  plant(account: VirtualAccount): void;
  readonly error: string;
  readonly state: string;
  readonly words: RegExp;
}

const withoutEndpoint = (service: string) => (account: VirtualAccount) => {
  account.afterStep.set("validate-request", (output) => {
    const { plan, ...rest } = output as { plan: Plan };
    return { ...rest, plan: { ...plan, interfaceEndpoints: plan.interfaceEndpoints.filter((name) => name !== service) } };
  });
};
const after = (step: string, plant: (account: VirtualAccount) => void) => (account: VirtualAccount) => {
  account.afterStep.set(step, () => plant(account));
};
const ec2 = (account: VirtualAccount) => account.world.ec2.state;
const rulesGo = (match: (rule: { from: number; to: number; groupId: string }, account: VirtualAccount) => boolean) =>
  after("create-network", (account) => {
    for (const rule of ec2(account)
      .rules.all()
      .filter((candidate) => match(candidate, account)))
      ec2(account).rules.remove(rule.id);
  });
const groupId = (account: VirtualAccount, role: RegExp) =>
  ec2(account)
    .groups.all()
    .find(({ tags }) => role.test(tags.get("Name") ?? ""))?.id ?? assert.fail(`no group ${role}`);
const instances = (account: VirtualAccount, role: string) =>
  ec2(account)
    .instances.all()
    .filter(({ tags }) => tags.get("cloister:role") === role);
const clusterTag = "kubernetes.io/cluster/orchid-g1";
const loseImage = (role: string, part: string) => (account: VirtualAccount) => {
  for (const node of account.world.nodes.nodes.values()) {
    if (node.instance.tags.get("cloister:role") !== role) continue;
    for (const ref of [...node.images.keys()]) if (ref.includes(part)) node.images.delete(ref);
  }
};
/** Replaces a part of a shipped script; a part that is not there would make the ablation empty. */
const script = (name: Parameters<VirtualAccount["document"]>[0], from: string, to: string) => (account: VirtualAccount) =>
  account.document(name, (text) => {
    assert.ok(text.includes(from), `${name} does not hold ${from}`);
    return text.replaceAll(from, to);
  });
const policyWithout = (action: string) => (account: VirtualAccount) => {
  const role = account.deployment.controlPlaneProfile;
  const policies = JSON.stringify(account.world.aws.roles.get(role)?.[0]);
  assert.ok(policies.includes(action));
  account.policy(role, policies.replaceAll(`"${action}",`, ""));
};

const ablations: readonly Ablation[] = [
  {
    without: "the ec2 endpoint",
    source: "article, facts 2.8",
    plant: withoutEndpoint("ec2"),
    error: "CommandFailedError",
    state: "AwaitCommandInstallNetworking",
    words: /cloud controller manager did not initialise the node.*Connect timeout on endpoint URL: "https:\/\/ec2\./,
  },
  {
    without: "the elasticloadbalancing endpoint",
    source: "article, facts 2.8",
    request: withLoadBalancer,
    plant: withoutEndpoint("elasticloadbalancing"),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /no load balancer.*Connect timeout on endpoint URL: "https:\/\/elasticloadbalancing\./,
  },
  ...["ssm", "ssmmessages"].map((service) => ({
    without: `the ${service} endpoint`,
    source: "facts 5.7",
    plant: withoutEndpoint(service),
    error: "NotReadyError",
    state: "WaitForNodes",
    words: /0 of 3 agents/,
  })),
  {
    without: "the S3 gateway",
    source: "facts 2.8",
    plant: after("wait-for-dns", (account) => {
      const gateway = ec2(account)
        .endpoints.all()
        .find(({ kind }) => kind === "Gateway");
      for (const table of ec2(account).routeTables.all())
        table.routes.splice(0, table.routes.length, ...table.routes.filter(({ target }) => target !== gateway?.id));
    }),
    error: "CommandFailedError",
    state: "AwaitCommandCheckDns",
    words: /cannot read s3:\/\/.*Connect timeout/,
  },
  {
    without: "private DNS",
    source: "article",
    plant: after("create-endpoints", (account) => {
      for (const endpoint of ec2(account).endpoints.all()) Object.assign(endpoint, { hasPrivateDns: false });
    }),
    error: "NotReadyError",
    state: "WaitForDns",
    words: /waiting for/,
  },
  {
    without: "DNS hostnames",
    source: "facts 8.2",
    plant: after("create-network", (account) => {
      for (const vpc of ec2(account).vpcs.all()) vpc.dnsHostnames = false;
    }),
    error: "DefectError",
    state: "CreateEndpoints",
    words: /enableDnsHostnames/,
  },
  {
    without: "an open endpoint security group",
    source: "facts 6.1",
    plant: rulesGo((rule, account) => rule.groupId === groupId(account, /endpoints$/)),
    error: "NotReadyError",
    state: "WaitForNodes",
    words: /0 of 3 agents/,
  },
  {
    without: "the subnet tags",
    source: "facts 2.6",
    request: withLoadBalancer,
    plant: after("create-network", (account) => {
      for (const subnet of ec2(account).subnets.all()) subnet.tags.delete("kubernetes.io/role/internal-elb");
    }),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /could not find any suitable subnets for creating the ELB/,
  },
  {
    without: "a single cluster tag on the security groups",
    source: "facts 2.6",
    request: withLoadBalancer,
    plant: after(
      "create-network",
      (account) =>
        void ec2(account)
          .groups.find(groupId(account, /worker$/))
          ?.tags.set(clusterTag, "owned"),
    ),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /Multiple tagged security groups found for instance/,
  },
  {
    without: "the workers' instance profile",
    source: "facts 8.3",
    plant: (account) => void ec2(account).profiles.delete(account.deployment.workerProfile),
    error: "TransientError",
    state: "LaunchNodes",
    words: /IAM Instance Profile/i,
  },
  {
    without: "the CCM's DescribeAvailabilityZones",
    source: "facts 2.4",
    plant: policyWithout("ec2:DescribeAvailabilityZones"),
    error: "CommandFailedError",
    state: "AwaitCommandInstallNetworking",
    words: /not authorized to perform ec2:DescribeAvailabilityZones/,
  },
  {
    without: "an image that the node's kubeadm wants",
    source: "facts 3.4",
    plant: (account) => account.onImage({ kubeadmImages: [...account.row.core, "registry.k8s.io/coredns/coredns:v9.9.9"] }),
    error: "CommandFailedError",
    state: "AwaitCommandPreloadImagesControlPlane",
    words: /kubeadm needs .*coredns:v9\.9\.9.*which the bundle does not have/,
  },
  {
    without: "one kube image in the store",
    source: "facts 3.5, lab-real.md",
    plant: after("kubeadm-init", loseImage("control-plane", "/kube-apiserver:")),
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
    plant: script("kubeadm-init", "kubeadm.k8s.io/v1beta4", "kubeadm.k8s.io/v1beta3"),
    error: "CommandFailedError",
    state: "AwaitCommandKubeadmInit",
    words: /old API spec: "kubeadm\.k8s\.io\/v1beta3"/,
  },
  {
    without: "the kubelet's node-ip",
    source: "facts 2.4",
    plant: script("kubeadm-init", "    - {name: node-ip, value: $address}\n", ""),
    error: "CommandFailedError",
    state: "AwaitCommandInstallNetworking",
    words: /host IP unknown/,
  },
  {
    without: "an open overlay port",
    source: "facts 4.1, 6.1",
    plant: rulesGo(({ from }) => from === 4789),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /cannot reach the pod at .* is UDP 4789 open/,
  },
  {
    without: "the right CA hash",
    source: "facts 3.6",
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
    plant: script(
      "install-manifests",
      "hostNetwork: true\n      dnsPolicy: Default\n      priorityClassName: system-cluster-critical",
      "priorityClassName: system-cluster-critical",
    ),
    error: "CommandFailedError",
    state: "AwaitCommandInstallStorage",
    words: /no EC2 IMDS role found/,
  },
  {
    without: "VXLAN always, with the source/destination check on",
    source: "facts 4.1",
    request: { ...orchid, network: { zones: 1 } },
    plant: script(
      "install-manifests",
      '    apply "$state/cni.yaml"',
      '    text=$(cat "$state/cni.yaml"); printf \'%s\\n\' "${text//Always/CrossSubnet}" >"$state/cni.yaml"\n    apply "$state/cni.yaml"',
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
    without: "cross-zone balancing",
    source: "facts 3.7",
    request: threePlanes,
    plant: after("create-api-endpoint", (account) => {
      for (const front of account.world.elb.loadBalancers.values())
        front.attributes.set("load_balancing.cross_zone.enabled", "false");
    }),
    error: "CommandFailedError",
    state: "AwaitCommandKubeadmInit",
    words: /context deadline exceeded/,
  },
  {
    without: "the cluster tag on a worker, with CCM 1.36",
    source: "facts 2.5",
    plant: after("launch-nodes", (account) => void instances(account, "worker")[0]?.tags.delete(clusterTag)),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /is uninitialized|has no providerID/,
  },
  {
    without: "the cluster tag on a worker, with CCM 1.37",
    source: "facts 2.5",
    request: { ...orchid, kubernetesVersion: "1.37.2" },
    plant: after("launch-nodes", (account) => void instances(account, "worker")[0]?.tags.delete(clusterTag)),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /2 of 3 nodes are in the cluster/,
  },
  {
    without: "the CCM's own address of the API",
    source: "facts 2.3",
    plant: script("install-manifests", "valueFrom: { fieldRef: { fieldPath: status.hostIP } }", "value: 127.0.0.1"),
    error: "CommandFailedError",
    state: "AwaitCommandInstallNetworking",
    words: /certificate is valid for 10\.96\.0\.1, not 127\.0\.0\.1/,
  },
  {
    without: "an endpoint policy that names the account",
    source: "design 4",
    plant: after("create-endpoints", (account) => {
      const policy = JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }],
      });
      const open = ec2(account)
        .endpoints.all()
        .find(({ service }) => service === "ec2");
      Object.assign(open ?? {}, { policy });
    }),
    error: "NotIsolatedError",
    state: "CertifyIsolation",
    words: /endpoints-admit-own-account-only/,
  },
  {
    without: "hop limit 1",
    source: "design 4, facts 5.8",
    plant: after("launch-nodes", (account) => {
      for (const instance of instances(account, "worker"))
        Object.assign(instance, { metadata: { ...instance.metadata, hopLimit: 2 } });
    }),
    error: "NotIsolatedError",
    state: "CertifyIsolation",
    words: /instance-metadata-is-the-nodes-own/,
  },
];

const secondsIn = ({ history }: Rehearsal, state: string): number => {
  const at = (type: string) =>
    history.find((event) => event.type === type && event.details["name"] === state)?.timestamp ??
    assert.fail(`${state} was not entered`);
  return (at("TaskStateExited") - at("TaskStateEntered")) / 1000;
};

describe("the world is causal", () => {
  test("there are as many ablations as the issue asks for", () => assert.ok(ablations.length >= 25));

  for (const { without, source, request = orchid, plant, error, state, words } of ablations) {
    test(`without ${without} the build fails as ${source} says`, async () => {
      const result = await rehearse({ request, seed, prepare: plant });
      assert.equal(result.status, "failed");
      assert.deepEqual([result.error?.name, result.error?.state], [error, state], result.error?.cause);
      assert.match(result.error?.cause ?? "", words);
      assert.deepEqual(result.audit.secretLeaks, []);
    });
  }

  test("with nothing taken away the same requests end well", async () => {
    for (const request of [orchid, withLoadBalancer, threePlanes])
      assert.equal((await rehearse({ request, seed })).status, "ready");
  });

  test("kubernetesVersion: stable costs kubeadm its ten seconds without an answer (facts 3.5)", async () => {
    const plain = await rehearse({ request: orchid, seed });
    const stable = await rehearse({
      request: orchid,
      seed,
      prepare: script("kubeadm-init", "kubernetesVersion: v$SSM_kubernetesVersion", "kubernetesVersion: stable"),
    });
    const difference = secondsIn(stable, "AwaitCommandKubeadmInit") - secondsIn(plain, "AwaitCommandKubeadmInit");
    assert.ok(difference >= 7, `only ${difference} s`);
  });

  test("without the guard the agent that boots before its endpoints hibernates for five minutes (facts 5.7)", async () => {
    const plain = await rehearse({ request: orchid, seed });
    const unguarded = await rehearse({ request: orchid, seed, prepare: (account) => account.onImage({ isAgentEnabled: true }) });
    const difference = secondsIn(unguarded, "WaitForNodes") - secondsIn(plain, "WaitForNodes");
    assert.ok(difference > 60, `only ${difference} s`);
  });
});
