import { lastLine, type QuickScript, type Script, state } from "./script.ts";

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
      const { stdout } = await sh.call("crictl images -o json");
      const { images } = JSON.parse(stdout) as { images: readonly { repoTags?: string[] }[] };
      return new Set(images.flatMap(({ repoTags = [] }) => repoTags));
    };
    const stored = await present();
    const own = bundle.files.filter(({ roles }) => roles.includes(sh.get("role")));
    const absent = own.filter(({ refs }) => refs.some((ref) => !stored.has(ref)));
    const archiveOf = (index: number) => `${state}/images/${index}.tar`;
    const said = await download(
      sh,
      absent.map(({ key }, index) => ({ key: `${prefix}${key}`, path: archiveOf(index) })),
    );
    for (const [index, { key, sha256 }] of absent.entries()) {
      const archive = archiveOf(index);
      if (!sh.files.has(archive)) sh.die(`cannot read s3://${sh.get("bucket")}/${prefix}${key}: ${lastLine(said)}`);
      sh.intact(`${prefix}${key}`, sha256, archive);
      await sh.run(`ctr -n k8s.io images import ${archive}`);
      sh.files.delete(archive);
    }
    const expected = own.flatMap(({ refs }) => refs).sort();
    let lost = "";
    for (let looks = 0; looks < 50; looks++) {
      const now = await present();
      lost = spaced(expected.filter((ref) => !now.has(ref)));
      if (lost === "") break;
      await sh.sleep(0.2);
    }
    if (lost !== "") sh.die(`the container runtime does not have ${lost}after the import`);
    for (const ref of expected) await sh.run(`ctr -n k8s.io images label ${ref} io.cri-containerd.pinned=pinned`);
    sh.finished("preload-images");
    return { imported: absent.length, present: own.length - absent.length };
  },
};

/** So many at a time. xargs begins the next as one ends; the interpreter's waits for all four. */
const lanes = 4;

/** `xargs -n 2 -P 4 aws s3 cp`: gives what was said of those that did not come. */
async function download(sh: Script, objects: readonly { readonly key: string; readonly path: string }[]): Promise<string> {
  let said = "";
  for (let first = 0; first < objects.length; first += lanes) {
    const copies = objects.slice(first, first + lanes).map(({ key, path }) => {
      const copy = `aws s3 cp --region ${sh.get("region")} --only-show-errors s3://${sh.get("bucket")}/${key} ${path}`;
      return sh.call(copy);
    });
    for (const { stdout, stderr } of await Promise.all(copies)) said += `${stdout}${stderr}`;
  }
  return said;
}

/** `sort | tr '\n' ' '` */
const spaced = (refs: readonly string[]): string =>
  [...refs]
    .sort()
    .map((ref) => `${ref} `)
    .join("");
