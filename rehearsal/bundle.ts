import { createHash } from "node:crypto";
import { createReadStream, existsSync, globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Bundle } from "../functions/domain/bundle.ts";
import { Role } from "../functions/domain/ids.ts";
import { isForControlPlanesOnly, versionRow } from "../functions/domain/versions.ts";
import { run } from "./lab/shell.ts";

/** A folder that cannot become a bundle. */
export class BundleError extends Error {}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

const member = async (archive: string, name: string): Promise<unknown> =>
  run("tar", ["-xOf", archive, name]).then(
    (text) => JSON.parse(text) as unknown,
    () => null,
  );

/** The references that an archive gives its images: as `docker save` writes them, or as an OCI layout does. */
async function refsOf(archive: string): Promise<string[]> {
  const manifest = (await member(archive, "manifest.json")) as { RepoTags?: string[] }[] | null;
  const saved = (manifest ?? []).flatMap(({ RepoTags }) => RepoTags ?? []);
  if (saved.length > 0) return saved;
  const index = (await member(archive, "index.json")) as { manifests?: { annotations?: Record<string, string> }[] } | null;
  const named = (index?.manifests ?? []).flatMap(({ annotations = {} }) => annotations["io.containerd.image.name"] ?? []);
  if (named.length === 0) throw new BundleError(`${archive} is no archive of images, or its images have no names`);
  return named;
}

/** What a folder that is a bundle says of itself. */
export const readBundle = (folder: string): Bundle => Bundle.parse(JSON.parse(readFileSync(join(folder, "bundle.json"), "utf8")));

/**
 * Writes `bundle.json` into a folder that holds archives of images in `images/`, Calico's manifest in `calico/` or manifests of the
 * operator's own in `manifests/`, applied in the order of their names.
 */
export async function packBundle(folder: string, { kubernetes, arch }: Pick<Bundle, "kubernetes" | "arch">): Promise<Bundle> {
  const { sandboxImage, containerdMin } = versionRow(kubernetes);
  const archives = globSync("images/*.{tar,tar.gz}", { cwd: folder }).sort();
  if (archives.length === 0) throw new BundleError(`${join(folder, "images")} has no archives (*.tar, *.tar.gz)`);
  const files: Bundle["files"] = [];
  for (const key of archives) {
    const archive = join(folder, key);
    const refs = await refsOf(archive);
    const roles = refs.every(isForControlPlanesOnly) ? (["control-plane"] as const) : Role.options;
    files.push({ key, sha256: await sha256(archive), bytes: statSync(archive).size, refs, roles: [...roles] });
  }
  const manifests: Bundle["manifests"] = [];
  for (const kind of ["calico", "manifests"] as const) {
    if (!existsSync(join(folder, kind))) continue;
    for (const key of globSync(`${kind}/*.{yaml,yml}`, { cwd: folder }).sort())
      manifests.push({ key, sha256: await sha256(join(folder, key)), kind });
  }
  const bundle = Bundle.safeParse({ kubernetes, arch, containerdMin, sandboxImage, files, manifests });
  if (!bundle.success)
    throw new BundleError(bundle.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
  writeFileSync(join(folder, "bundle.json"), `${JSON.stringify(bundle.data, null, 2)}\n`);
  return bundle.data;
}
