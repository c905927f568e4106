import { strict as assert } from "node:assert";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { bundleProblems } from "../../functions/domain/bundle.ts";
import { requiredImages, versionRow } from "../../functions/domain/versions.ts";
import { BundleError, packBundle } from "../../rehearsal/bundle.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cloister-bundle-"));
  mkdirSync(join(folder, "images"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** An archive as far as its description goes: docker's or OCI's. */
function archive(name: string, description: object, member = "manifest.json"): void {
  writeFileSync(join(folder, member), JSON.stringify(description));
  execFileSync("tar", ["-cf", join(folder, "images", name), "-C", folder, member]);
  rmSync(join(folder, member));
}
const docker = (name: string, ...refs: string[]) => archive(name, [{ RepoTags: refs }]);
const wanted = { kubernetes: "1.36.3", arch: "amd64" } as const;

describe("a folder becomes a bundle", () => {
  test("every archive is named by what it holds, with its hash and the roles that need it", async () => {
    docker("a.tar", "registry.k8s.io/kube-apiserver:v1.36.3");
    archive(
      "b.tar",
      { manifests: [{ annotations: { "io.containerd.image.name": "registry.k8s.io/pause:3.10.2" } }] },
      "index.json",
    );
    mkdirSync(join(folder, "manifests"));
    writeFileSync(join(folder, "manifests/10-network.yaml"), "kind: DaemonSet\n");
    const bundle = await packBundle(folder, wanted);
    assert.deepEqual(
      bundle.files.map(({ key, refs, roles }) => [key, refs, roles]),
      [
        ["images/a.tar", ["registry.k8s.io/kube-apiserver:v1.36.3"], ["control-plane"]],
        ["images/b.tar", ["registry.k8s.io/pause:3.10.2"], ["control-plane", "worker"]],
      ],
    );
    const hash = createHash("sha256")
      .update(readFileSync(join(folder, "images/a.tar")))
      .digest("hex");
    assert.equal(bundle.files[0]?.sha256, hash);
    assert.deepEqual(
      bundle.manifests.map(({ key, kind }) => [key, kind]),
      [["manifests/10-network.yaml", "manifests"]],
    );
    assert.deepEqual(JSON.parse(readFileSync(join(folder, "bundle.json"), "utf8")), bundle);
  });

  test("a folder with every image is complete for its request, and without one it is not", async () => {
    const needs = { ...wanted, cni: "manifests", storage: "none" } as const;
    const refs = requiredImages(versionRow("1.36.3"), needs, "control-plane");
    for (const [index, ref] of refs.entries()) docker(`${index}.tar`, ref);
    mkdirSync(join(folder, "manifests"));
    writeFileSync(join(folder, "manifests/network.yaml"), "kind: DaemonSet\n");
    assert.deepEqual(bundleProblems(await packBundle(folder, wanted), needs), []);
    rmSync(join(folder, "images/0.tar"));
    assert.match(
      bundleProblems(await packBundle(folder, wanted), needs).join(),
      /has no archive for control-plane nodes of .*kube-apiserver/,
    );
  });

  test("npm run bundle says which image of a manifest no archive holds, and ends with 1", () => {
    docker("a.tar", "registry.k8s.io/pause:3.10.2");
    mkdirSync(join(folder, "manifests"));
    const workload = "kind: DaemonSet\nspec: {template: {spec: {containers: [{image: example.org/net:v1}]}}}\n";
    writeFileSync(join(folder, "manifests/10-network.yaml"), workload);
    const { stdout, status } = spawnSync(process.execPath, ["scripts/bundle.ts", folder], { encoding: "utf8" });
    assert.match(stdout, /manifest manifests\/10-network\.yaml that runs example\.org\/net:v1, of which it has no archive/);
    assert.equal(status, 1);
  });

  test("no archives, or a file that is none, is refused by name", async () => {
    await assert.rejects(packBundle(folder, wanted), BundleError);
    writeFileSync(join(folder, "images/x.tar"), "not a tar");
    await assert.rejects(packBundle(folder, wanted), /x\.tar is no archive of images/);
  });
});
