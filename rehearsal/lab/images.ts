import { createHash } from "node:crypto";
import { cpSync, createReadStream, globSync, mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { versionRow } from "../../functions/domain/versions.ts";
import { packBundle } from "../bundle.ts";
import { digest, made, type Say } from "./cache.ts";
import { run } from "./shell.ts";

/** An image of one layer: files by where they lie in it. */
interface ImageRecipe {
  readonly ref: string;
  readonly entrypoint: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

const networkImage = "lab.cloister/routes:1";

/** As `tar` writes the same bytes for the same files: sorted, with neither time nor owner. */
const plainTar = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"];

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** Packs an image as `docker save` does, which is what containerd imports. */
async function pack({ ref, entrypoint, files }: ImageRecipe, out: string): Promise<void> {
  const staging = `${out}.staging`;
  const tree = join(staging, "tree");
  for (const folder of ["tmp", "etc", "run", "var/lib"]) mkdirSync(join(tree, folder), { recursive: true });
  for (const [place, from] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, place)), { recursive: true });
    cpSync(realpathSync(from), join(tree, place));
  }
  await run("chmod", ["-R", "a+rX,u+w", tree]);
  const layer = join(staging, "layer.tar");
  await run("tar", [...plainTar, "-cf", layer, "-C", tree, "."]);
  const layerId = await sha256(layer);
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    created: "2026-01-01T00:00:00Z",
    config: { Entrypoint: entrypoint, Env: ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${layerId}`] },
    history: [{ created: "2026-01-01T00:00:00Z" }],
  });
  // A third of the bytes for what fetches, checks and stores them; the id above is that of what is inside.
  await run("zstd", ["-q", "-3", "-T0", "--rm", layer, "-o", `${layer}.zst`]);
  const configId = createHash("sha256").update(config).digest("hex");
  const image = join(staging, "image");
  mkdirSync(join(image, layerId), { recursive: true });
  renameSync(`${layer}.zst`, join(image, layerId, "layer.tar"));
  writeFileSync(join(image, `${configId}.json`), config);
  const manifest = [{ Config: `${configId}.json`, RepoTags: [ref], Layers: [`${layerId}/layer.tar`] }];
  writeFileSync(join(image, "manifest.json"), JSON.stringify(manifest));
  await run("tar", [...plainTar, "-cf", out, "-C", image, "manifest.json", `${configId}.json`, layerId]);
  rmSync(staging, { recursive: true });
}

/** iptables as this Debian has it, with every library that it and its extensions load; without libm, rules with two ends fail (lab-real.md, 9). */
async function iptables(): Promise<Record<string, string>> {
  const program = "/usr/sbin/xtables-nft-multi";
  const extensions = globSync("/usr/lib/*/xtables/*.so");
  const listed = await run("ldd", [program, ...extensions]);
  const libraries = [...listed.matchAll(/(\/\S+\.so\S*) \(0x|=> (\/\S+) \(/g)].map(
    ([, loader, library]) => library ?? loader ?? "",
  );
  const names = ["iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"];
  return Object.fromEntries([
    ...names.map((name) => [`usr/sbin/${name}`, program]),
    ...[...extensions, ...libraries].map((file) => [file.slice(1), file]),
  ]);
}

const plugins = ["bridge", "host-local", "loopback", "portmap"];

async function recipes(kubernetes: string, bin: string): Promise<ImageRecipe[]> {
  const row = versionRow(kubernetes);
  const ref = (name: string) => [...row.core, row.ccmImage, row.smokeImage].find((one) => one.includes(`/${name}:`)) ?? name;
  const single = (name: string, place: string, program = name): ImageRecipe => ({
    ref: ref(name),
    entrypoint: [`/${place}`],
    files: { [place]: join(bin, program) },
  });
  return [
    ...["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"].map((name) =>
      single(name, `usr/local/bin/${name}`),
    ),
    single("coredns", "coredns"),
    single("pause", "pause"),
    single("agnhost", "agnhost"),
    single("cloud-controller-manager", "bin/aws-cloud-controller-manager", "aws-cloud-controller-manager"),
    {
      ref: ref("kube-proxy"),
      entrypoint: ["/usr/local/bin/kube-proxy"],
      files: { "usr/local/bin/kube-proxy": join(bin, "kube-proxy"), ...(await iptables()) },
    },
    {
      ref: networkImage,
      entrypoint: ["/routes"],
      files: {
        routes: join(bin, "routes"),
        ...Object.fromEntries(plugins.map((name) => [`cni/${name}`, `/usr/lib/cni/${name}`])),
      },
    },
  ];
}

/** The lab's bundle: archives of the built programs and the lab's network plugin, packed as `npm run bundle` packs a folder. */
export async function makeBundle(kubernetes: string, bin: string, say: Say): Promise<string> {
  const key = digest(["images.ts", "manifests", "../bundle.ts"], bin, JSON.stringify(versionRow(kubernetes)));
  return made("bundle", key, say, async (folder) => {
    mkdirSync(join(folder, "images"));
    for (const recipe of await recipes(kubernetes, bin))
      await pack(recipe, join(folder, "images", `${recipe.ref.replaceAll(/[/:]/g, "_")}.tar`));
    cpSync(fileURLToPath(new URL("manifests", import.meta.url)), join(folder, "manifests"), { recursive: true });
    await packBundle(folder, { kubernetes, arch: "amd64" });
  });
}
