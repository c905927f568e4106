import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { Bundle, type BundleNeeds, bundleProblems } from "../../functions/domain/bundle.ts";
import { manifestProblems } from "../../functions/domain/manifests.ts";
import { atLeast, requiredImages, supportedVersions, versionRow } from "../../functions/domain/versions.ts";

const needs: BundleNeeds = { kubernetes: "1.36.3", arch: "amd64", cni: "calico", storage: "ebs-csi" };
const row = versionRow(needs.kubernetes);

function bundle(change: Partial<Bundle> = {}): Bundle {
  const files = requiredImages(row, needs, "control-plane").map((ref, index) => ({
    key: `images/${index}.tar`,
    sha256: "0".repeat(64),
    bytes: 1,
    refs: [ref],
    roles: ["control-plane", "worker"] as const,
  }));
  const manifests = [{ key: "calico.yaml", sha256: "0".repeat(64), kind: "calico" as const }];
  const { kubernetes, arch } = needs;
  return Bundle.parse({
    kubernetes,
    arch,
    containerdMin: row.containerdMin,
    sandboxImage: row.sandboxImage,
    files,
    manifests,
    ...change,
  });
}

describe("the version catalogue", () => {
  test("the three supported minors are there, each with the pause image among its own", () => {
    assert.deepEqual(
      supportedVersions().map((version) => version.split(".")[1]),
      ["35", "36", "37"],
    );
    for (const version of supportedVersions()) assert.ok(versionRow(version).core.includes(versionRow(version).sandboxImage));
  });

  test("workers hold CoreDNS and no control-plane component", () => {
    const images = requiredImages(row, needs, "worker");
    assert.ok(images.some((image) => image.includes("/coredns:")));
    assert.ok(!images.some((image) => /kube-apiserver|etcd|cloud-controller/.test(image)));
  });

  test("versions compare by number, not by letter", () => {
    assert.ok(atLeast("3.3.2746.0", "3.3.2746.0"));
    assert.ok(atLeast("3.3.10000.0", "3.3.2746.0"));
    assert.ok(!atLeast("3.3.40.0", "3.3.2746.0"));
    assert.ok(!atLeast("1.7.34", "2.0.0"));
  });
});

describe("a bundle", () => {
  test("one that holds everything has no problem", () => assert.deepEqual(bundleProblems(bundle(), needs), []));

  test("a missing image is named with the role that lacks it", () => {
    const whole = bundle();
    const files = whole.files.map((file) => (file.refs[0]?.includes("/etcd:") ? { ...file, roles: ["worker" as const] } : file));
    assert.match(
      bundleProblems({ ...whole, files }, needs).join(),
      /no archive for control-plane nodes of registry\.k8s\.io\/etcd/,
    );
  });

  test("another architecture, another pause image and a missing manifest are all named", () => {
    const problems = bundleProblems(bundle({ arch: "arm64", sandboxImage: "registry.k8s.io/pause:3.8", manifests: [] }), needs);
    assert.equal(problems.length, 3, problems.join("; "));
  });

  test("an unknown field is refused", () => assert.throws(() => Bundle.parse({ ...bundle(), extra: 1 })));
});

/** A bundle of one archive, on workers alone unless a test says otherwise, and of these manifests. */
function manifests(cni: "calico" | "manifests", texts: Readonly<Record<string, string | null>>, roles = ["worker"]) {
  const files = [{ key: "images/a.tar", sha256: "0".repeat(64), bytes: 1, refs: ["example.org/net:v1"], roles }];
  const named = Object.keys(texts).map((key) => ({ key, sha256: "0".repeat(64), kind: cni }));
  return manifestProblems(Bundle.parse({ ...bundle(), files, manifests: named }), { cni }, new Map(Object.entries(texts)));
}

describe("a manifest of a bundle", () => {
  const workload = (container: string, pod = "") => `kind: DaemonSet
spec: {template: {spec: {${pod} initContainers: [{image: "example.org/net:v1"}], containers: [{${container}}]}}}
`;
  const good = workload('image: "example.org/net:v1"');

  test("that runs nothing but what its nodes hold has no problem", () => {
    assert.deepEqual(manifests("manifests", { "10.yaml": "kind: ConfigMap\n", "20.yaml": good }), []);
  });

  test("is named with an image that no archive of its nodes has, whichever of several it is", () => {
    assert.deepEqual(manifests("manifests", { "10.yaml": good, "20.yaml": workload('image: "example.org/other:v1"') }), [
      "has a manifest 20.yaml that runs example.org/other:v1, of which it has no archive for worker nodes",
    ]);
  });

  test("wants its images where it runs: by its tolerations on control planes too, by its node selector there alone", () => {
    const everywhere = workload('image: "example.org/net:v1"', "tolerations: [{operator: Exists}],");
    assert.match(manifests("manifests", { "a.yaml": everywhere }).join(), /no archive for control-plane nodes/);
    const planes = workload('image: "example.org/net:v1"', 'nodeSelector: {node-role.kubernetes.io/control-plane: ""},');
    assert.deepEqual(manifests("manifests", { "a.yaml": planes }, ["control-plane"]), []);
  });

  test("is refused when it pulls whatever is there: by its policy, or by a tag that moves and no policy", () => {
    const pulls = (container: string) => manifests("manifests", { "a.yaml": workload(container) }).join();
    assert.match(pulls('image: "example.org/net:v1", imagePullPolicy: Always'), /a\.yaml that always pulls example\.org\/net:v1/);
    assert.match(pulls('image: "example.org/net:latest"'), /always pulls/);
    assert.match(pulls('image: "example.org:5000/net"'), /always pulls/);
    assert.doesNotMatch(pulls('image: "example.org/net:latest", imagePullPolicy: IfNotPresent'), /always pulls/);
  });

  test("that is no YAML, or not there, is refused by name", () => {
    assert.match(manifests("manifests", { "a.yaml": "a: [" }).join(), /a\.yaml that is no YAML/);
    assert.deepEqual(manifests("manifests", { "a.yaml": null }), ["names a manifest a.yaml that is not there"]);
  });
});

describe("Calico's manifests", () => {
  const settings = (backend: string) => `kind: ConfigMap\ndata: {calico_backend: ${backend}}\n---\n`;
  const node = (vxlan: string, ipip: string, probe = "-felix-ready") => `kind: DaemonSet
spec: {template: {spec: {containers: [{image: "example.org/net:v1",
  readinessProbe: {exec: {command: [/bin/calico-node, ${probe}]}},
  env: [{name: CALICO_IPV4POOL_VXLAN, value: ${vxlan}}, {name: CALICO_IPV4POOL_IPIP, value: ${ipip}}]}]}}}
`;
  const calico = (...texts: readonly string[]) =>
    manifests("calico", Object.fromEntries(texts.map((text, index) => [`${index}.yaml`, text]))).join();

  test("with VXLAN always are taken, in one file or in several", () => {
    assert.equal(calico(settings("vxlan") + node("Always", "Never")), "");
    assert.equal(calico(settings("vxlan"), node("Always", "Never")), "");
  });
  test("with CrossSubnet are refused", () =>
    assert.match(calico(settings("vxlan"), node("CrossSubnet", "Never")), /must be Always/));
  test("with IPIP beside it are refused", () =>
    assert.match(calico(settings("vxlan"), node("Always", "Always")), /CALICO_IPV4POOL_IPIP/));
  test("with BIRD as their backend, or asked for by a probe, are refused", () => {
    assert.match(calico(settings("bird"), node("Always", "Never")), /calico_backend is bird; it must be vxlan/);
    assert.match(calico(settings("vxlan"), node("Always", "Never", "-bird-ready")), /probes ask for BIRD/);
  });
  test("that say nothing of it are refused", () => assert.equal(calico("kind: ConfigMap\n").match(/not set/g)?.length, 3));
});
