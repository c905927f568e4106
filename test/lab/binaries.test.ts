import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { supportedVersions, versionRow } from "../../functions/domain/versions.ts";
import { labVersions, minorOf, pinned } from "../../rehearsal/lab/binaries.ts";

/** `registry.k8s.io/etcd:3.6.8-0` -> `v3.6.8`. */
const versionIn = (ref: string | undefined): string => `v${/:v?([\d.]+)/.exec(ref ?? "")?.[1]}`;

describe("the lab's programs", () => {
  test("are there for the newest supported version and for an older minor", () => {
    const versions = labVersions();
    assert.ok(versions.length >= 2);
    assert.equal(versions.at(-1), supportedVersions().at(-1));
  });

  test("of every supported minor have at least its kubeadm", () => {
    for (const version of supportedVersions()) {
      const minor = minorOf(version);
      assert.ok(pinned(`kubernetes/${minor}`, "k8s.io/kubernetes").startsWith(`v${minor}.`));
    }
  });

  for (const version of labVersions())
    test(`of ${version} are the catalogue's to the last number, since its images are named so`, () => {
      const minor = minorOf(version);
      const { core, ccmImage } = versionRow(version);
      const ref = (name: string) => core.find((one) => one.includes(`/${name}:`));
      assert.equal(pinned(`kubernetes/${minor}`, "k8s.io/kubernetes"), `v${version}`);
      assert.equal(pinned(`etcd/${minor}`, "go.etcd.io/etcd/server/v3"), versionIn(ref("etcd")));
      assert.equal(pinned(`coredns/${minor}`, "github.com/coredns/coredns"), versionIn(ref("coredns")));
      assert.equal(pinned(`cloud-controller-manager/${minor}`, "k8s.io/cloud-provider-aws"), versionIn(ccmImage));
    });
});
