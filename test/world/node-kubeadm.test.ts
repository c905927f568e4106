import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { SimulationGap } from "../../rehearsal/world/service.ts";
import { hostname, images, initConfiguration, NodeMachine } from "./node-machine.ts";

describe("kubeadm", () => {
  const init = "kubeadm init --config /init.yaml --skip-token-print --skip-certificate-key-print";
  async function refusal(text: string, script: string, preloaded = images): Promise<string> {
    const machine = new NodeMachine(preloaded);
    await machine.node.shell.write("/init.yaml", text);
    return (await machine.run(script)).stderr;
  }

  test("names its own images for another version's add-ons (facts 3.4)", async () => {
    const { stdout } = await new NodeMachine().run("kubeadm config images list --kubernetes-version v1.35.4");
    assert.match(stdout, /kube-apiserver:v1\.35\.4\n/);
    assert.match(stdout, /coredns:v1\.14\.2\n/);
    assert.equal(await new NodeMachine().seconds("kubeadm config images list"), 10);
  });

  test("refuses a configuration of an old API, and init while an image is missing (facts 3.1, lab-real.md)", async () => {
    const old = initConfiguration.replaceAll("v1beta4", "v1beta2");
    assert.match(await refusal(old, "kubeadm config validate --config /init.yaml"), /old API spec: "kubeadm\.k8s\.io\/v1beta2"/);
    const lacking = images.filter((ref) => !ref.includes("kube-apiserver"));
    assert.match(await refusal(initConfiguration, init, lacking), /\[ERROR ImagePull\]: failed to pull image .*kube-apiserver/);
  });

  test("asks for a missing image until containerd has given up a lost registry five times (seen in the lab)", async () => {
    const machine = new NodeMachine(images.filter((ref) => !ref.includes("kube-apiserver")));
    await machine.node.shell.write("/init.yaml", initConfiguration);
    machine.names.set("registry.k8s.io", "203.0.113.9");
    machine.closed.set("203.0.113.9", "timeout");
    assert.equal(await machine.seconds(init), 300);
  });

  test("refuses a second init until it was reset", async () => {
    const machine = await new NodeMachine().withCluster();
    assert.match((await machine.run(init)).stderr, /FileAvailable.*already exists/);
    assert.equal(
      (await machine.run(`kubeadm reset -f --cri-socket unix:///run/containerd/containerd.sock && ${init}`)).exitCode,
      0,
    );
  });

  test("throws on a kind and on a field that nobody modelled", async () => {
    for (const text of [
      "skipPhases: [addon/kube-proxy]\n",
      "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: UpgradeConfiguration\n",
    ])
      await assert.rejects(refusal(initConfiguration + text, init), SimulationGap);
  });

  test("lets in who shows a live token and the right hash, and tells others why not (lab-real.md)", async () => {
    const machine = await new NodeMachine().withCluster();
    const { stdout: token } = await machine.run("kubeadm token create --ttl 1h");
    const joined = async (shown: string, hash: string) => {
      const discovery = `{bootstrapToken: {apiServerEndpoint: "${hostname}:6443", token: ${shown}, caCertHashes: ["${hash}"]}}`;
      await machine.node.shell.write(
        "/join.yaml",
        `apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery: ${discovery}\nnodeRegistration: {name: other}\n`,
      );
      return machine.run("kubeadm join --config /join.yaml");
    };
    const hash = machine.node.cluster?.caHash ?? "";
    assert.match((await joined(token.trim(), `sha256:${"0".repeat(64)}`)).stderr, /none of the public keys .* are pinned/);
    assert.match((await joined("aaaaaa.0123456789abcdef", hash)).stderr, /could not find a JWS signature .* token ID "aaaaaa"/);
    assert.equal((await joined(token.trim(), hash)).exitCode, 0);
    assert.ok(machine.node.cluster?.members.has("other"));
  });
});
