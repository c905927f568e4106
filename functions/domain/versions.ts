import * as z from "zod";
import type { ClusterRequest } from "./cluster-request.ts";
import type { Role } from "./ids.ts";
import catalogue from "./versions.json" with { type: "json" };

/** `registry/name:tag`. */
export const ImageRef = z.string().regex(/^[a-z0-9][a-z0-9._/-]{0,199}:[\w][\w.-]{0,127}$/);

export const VersionRow = z.strictObject({
  kubernetes: z.string().regex(/^1\.\d+\.\d+$/),
  containerdMin: z.string(),
  /** The pause image: kubeadm's, containerd's and the bundle's must be one reference (facts 5.2). */
  sandboxImage: ImageRef,
  /** What `kubeadm config images list` gives. */
  core: z.array(ImageRef).length(7),
  ccmImage: ImageRef,
  ebsCsi: z.strictObject({
    driver: ImageRef,
    provisioner: ImageRef,
    attacher: ImageRef,
    resizer: ImageRef,
    registrar: ImageRef,
  }),
  calico: z.strictObject({ version: z.string(), images: z.array(ImageRef).min(1) }),
  smokeImage: ImageRef,
});
export type VersionRow = z.infer<typeof VersionRow>;

const rows: ReadonlyMap<string, VersionRow> = new Map(
  catalogue.versions.map((raw) => {
    const row = VersionRow.parse(raw);
    return [row.kubernetes, row];
  }),
);

/** The supported versions, oldest first: adding one is a row of versions.json. */
export const supportedVersions = (): string[] => [...rows.keys()];

/** The images that go with a version. A version without a row is a RangeError: the request was not validated. */
export function versionRow(kubernetes: string): VersionRow {
  const row = rows.get(kubernetes);
  if (row === undefined) throw new RangeError(`${kubernetes} is not in the version catalogue`);
  return row;
}

/** Whether a dotted version is the minimum or later; anything that is no number counts as 0. */
export function atLeast(version: string, minimum: string): boolean {
  const numbers = (text: string) => text.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const [have, need] = [numbers(version), numbers(minimum)];
  for (let place = 0; place < Math.max(have.length, need.length); place++) {
    const difference = (have[place] ?? 0) - (need[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** Control-plane components run nowhere else (facts 5.9); CoreDNS may land on any node (lab-real.md, 2). */
const controlPlaneOnly =
  /\/(?:kube-apiserver|kube-controller-manager|kube-scheduler|etcd|cloud-controller-manager|csi-provisioner|csi-attacher|csi-resizer):/;

/** Whether an image runs on control planes alone; one that nobody here knows may run anywhere. */
export const isForControlPlanesOnly = (image: string): boolean => controlPlaneOnly.test(image);

/** Every image that nodes of a role must hold before they are used, for these choices of the request. */
export function requiredImages(
  row: VersionRow,
  choices: Pick<ClusterRequest, "cni"> & { readonly storage: string },
  role: Role,
): string[] {
  const all = [
    ...row.core,
    row.ccmImage,
    row.smokeImage,
    ...(choices.cni === "calico" ? row.calico.images : []),
    ...(choices.storage === "ebs-csi" ? Object.values(row.ebsCsi) : []),
  ];
  return role === "control-plane" ? all : all.filter((image) => !isForControlPlanesOnly(image));
}
