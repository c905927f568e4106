import { type QuickScript, state } from "./script.ts";

interface Bundle {
  readonly sandboxImage: string;
  readonly files: readonly {
    readonly key: string;
    readonly sha256: string;
    readonly refs: readonly string[];
    readonly roles: readonly string[];
  }[];
}

/** preload-images.sh */
export const preloadImages: QuickScript = {
  hold: "alone",
  needs: ["role", "kubernetesVersion", "bucket", "bundleKey", "bundleSha256"],
  async run(sh) {
    const bundle = JSON.parse(await sh.fetch(sh.get("bundleKey"), sh.get("bundleSha256"), `${state}/bundle.json`)) as Bundle;
    const prefix = sh.get("bundleKey").replace(/bundle\.json$/, "");
    const wanted = bundle.sandboxImage;
    const [, , sandbox = ""] = /^ *sandbox(_image)? *= *['"]([^'"]+)['"]/m.exec(await sh.must("containerd config dump")) ?? [];
    if (sandbox !== wanted)
      sh.die(`containerd's sandbox image is ${sandbox}, the bundle's and kubeadm's is ${wanted}: pods would wait for ever`);
    const listed = await sh.must(`kubeadm config images list --kubernetes-version v${sh.get("kubernetesVersion")}`);
    const held = new Set(bundle.files.flatMap(({ refs }) => refs));
    const lacking = spaced(
      listed
        .trimEnd()
        .split("\n")
        .filter((ref) => !held.has(ref)),
    );
    if (lacking !== "") sh.die(`the node's kubeadm needs ${lacking}- which the bundle does not have`);
    const present = async () => {
      const { images } = JSON.parse(await sh.must("crictl images -o json")) as { images: readonly { repoTags?: string[] }[] };
      return new Set(images.flatMap(({ repoTags = [] }) => repoTags));
    };
    const stored = await present();
    const own = bundle.files.filter(({ roles }) => roles.includes(sh.get("role")));
    const absent = own.filter(({ refs }) => refs.some((ref) => !stored.has(ref)));
    for (const { key, sha256, refs } of absent) {
      await sh.fetch(`${prefix}${key}`, sha256, `${state}/image.tar`);
      await sh.run(`ctr -n k8s.io images import ${state}/image.tar`);
      for (const ref of refs) await sh.run(`ctr -n k8s.io images label ${ref} io.cri-containerd.pinned=pinned`);
    }
    sh.files.delete(`${state}/image.tar`);
    const now = await present();
    const lost = spaced(own.flatMap(({ refs }) => refs).filter((ref) => !now.has(ref)));
    if (lost !== "") sh.die(`the container runtime does not have ${lost}after the import`);
    sh.finished("preload-images");
    return { imported: absent.length, present: own.length - absent.length };
  },
};

/** `sort | tr '\n' ' '` */
const spaced = (refs: readonly string[]): string =>
  [...refs]
    .sort()
    .map((ref) => `${ref} `)
    .join("");
