import * as z from "zod";
import { Role, Sha256 } from "./ids.ts";
import { ImageRef, requiredImages, versionRow } from "./versions.ts";

const Key = z.string().regex(/^[A-Za-z0-9][\w./-]{0,299}$/);

/**
 * `bundle.json`: every image archive and manifest a cluster is built from, with its hash. Keys are relative to the file's own folder.
 * One archive an image keeps a retry small and lets a node skip what it holds (facts 5.9).
 */
export const Bundle = z.strictObject({
  kubernetes: z.string().regex(/^1\.\d+\.\d+$/),
  arch: z.enum(["amd64", "arm64"]),
  containerdMin: z.string(),
  sandboxImage: ImageRef,
  files: z
    .array(
      z.strictObject({
        key: Key,
        sha256: Sha256,
        bytes: z.int().min(1).max(20_000_000_000),
        refs: z.array(ImageRef).min(1).max(20),
        /** The roles whose nodes load it. */
        roles: z.array(Role).min(1).max(2),
      }),
    )
    .min(1)
    .max(200),
  /** `calico`: projectcalico's own. `manifests`: the operator's, for `cni: "manifests"`; applied in this order. */
  manifests: z.array(z.strictObject({ key: Key, sha256: Sha256, kind: z.enum(["calico", "manifests"]) })).max(50),
});
export type Bundle = z.infer<typeof Bundle>;

export interface BundleNeeds {
  readonly kubernetes: string;
  readonly arch: "amd64" | "arm64";
  readonly cni: "calico" | "manifests";
  readonly storage: "ebs-csi" | "none";
}

/** What a bundle lacks for a cluster, one sentence each; none when it can be built from. */
export function bundleProblems(bundle: Bundle, needs: BundleNeeds): string[] {
  const problems: string[] = [];
  if (bundle.kubernetes !== needs.kubernetes) problems.push(`is for Kubernetes ${bundle.kubernetes}, not ${needs.kubernetes}`);
  if (bundle.arch !== needs.arch) problems.push(`is for ${bundle.arch}, not ${needs.arch}`);
  const row = versionRow(needs.kubernetes);
  if (bundle.kubernetes === needs.kubernetes) {
    if (bundle.sandboxImage !== row.sandboxImage)
      problems.push(`names the sandbox image ${bundle.sandboxImage}, not ${row.sandboxImage}`);
    for (const role of Role.options) {
      const held = new Set(bundle.files.filter(({ roles }) => roles.includes(role)).flatMap(({ refs }) => refs));
      const missing = requiredImages(row, needs, role).filter((image) => !held.has(image));
      if (missing.length > 0) problems.push(`has no archive for ${role} nodes of ${missing.join(", ")}`);
    }
  }
  if (!bundle.manifests.some(({ kind }) => kind === needs.cni))
    problems.push(`has no ${needs.cni === "calico" ? "Calico manifest" : "manifests of kind manifests"}`);
  return problems;
}
