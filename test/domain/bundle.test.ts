import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { Bundle, type BundleNeeds, bundleProblems, calicoProblems } from "../../functions/domain/bundle.ts";
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

describe("a Calico manifest", () => {
  const manifest = (vxlan: string, ipip: string) => `kind: DaemonSet
spec: {template: {spec: {containers: [{env: [{name: CALICO_IPV4POOL_VXLAN, value: ${vxlan}}, {name: CALICO_IPV4POOL_IPIP, value: ${ipip}}]}]}}}
`;
  test("VXLAN always is taken", () => assert.deepEqual(calicoProblems(manifest("Always", "Never")), []));
  test("CrossSubnet is refused", () => assert.match(calicoProblems(manifest("CrossSubnet", "Never")).join(), /must be Always/));
  test("IPIP beside it is refused", () =>
    assert.match(calicoProblems(manifest("Always", "Always")).join(), /CALICO_IPV4POOL_IPIP/));
  test("a manifest without the variables is refused", () => assert.equal(calicoProblems("kind: ConfigMap\n").length, 2));
  test("what is no YAML is refused", () => assert.match(calicoProblems("a: [").join(), /no YAML/));
});
