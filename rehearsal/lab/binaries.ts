import { readFileSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { supportedVersions } from "../../functions/domain/versions.ts";
import { digest, made, type Say } from "./cache.ts";
import { run } from "./shell.ts";

/** A Go module in binaries/ whose tool dependencies pin a product, and what of it is built. What goes with Kubernetes has one for each minor. */
interface Product {
  readonly folder: string;
  readonly programs: Readonly<Record<string, string>>;
  /** The module whose version the programs are to call their own, and the variables that hold it. */
  readonly version?: { readonly module: string; flags(version: string): readonly string[] };
}

const commands = (module: string, ...programs: readonly string[]): Record<string, string> =>
  Object.fromEntries(programs.map((program) => [program, `${module}/cmd/${program}`]));

/** Without these kubeadm calls itself v0.0.0 (lab-real.md, 11). */
const kubernetesVersion: NonNullable<Product["version"]> = {
  module: "k8s.io/kubernetes",
  flags: (version) =>
    ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((place) => [
      `${place}.gitVersion=${version}`,
      `${place}.gitMajor=1`,
      `${place}.gitMinor=${version.split(".")[1]}`,
      `${place}.gitTreeState=clean`,
      `${place}.buildDate=2026-01-01T00:00:00Z`,
    ]),
};

const kubernetes = (minor: string): Product => ({
  folder: `kubernetes/${minor}`,
  programs: {
    ...commands("k8s.io/kubernetes", "kubeadm", "kubelet", "kubectl"),
    ...commands("k8s.io/kubernetes", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"),
    agnhost: "k8s.io/kubernetes/test/images/agnhost",
  },
  version: kubernetesVersion,
});

const containerd: Product = {
  folder: "containerd",
  programs: commands("github.com/containerd/containerd/v2", "containerd", "ctr", "containerd-shim-runc-v2"),
  version: {
    module: "github.com/containerd/containerd/v2",
    flags: (version) => [`github.com/containerd/containerd/v2/version.Version=${version.slice(1)}`],
  },
};

const products = (minor: string): readonly Product[] => [
  kubernetes(minor),
  { folder: `etcd/${minor}`, programs: { etcd: "go.etcd.io/etcd/server/v3" } },
  containerd,
  { folder: "cri-tools", programs: commands("sigs.k8s.io/cri-tools", "crictl") },
  { folder: `coredns/${minor}`, programs: { coredns: "github.com/coredns/coredns" } },
  {
    folder: `cloud-controller-manager/${minor}`,
    programs: commands("k8s.io/cloud-provider-aws", "aws-cloud-controller-manager"),
  },
  { folder: "lab", programs: { pause: "./pause", routes: "./routes" } },
];

const source = (folder: string): string => fileURLToPath(new URL(`binaries/${folder}`, import.meta.url));

/** The version of a module that one of the folders pins: `v1.37.2`. */
export function pinned(folder: string, module: string): string {
  const text = readFileSync(join(source(folder), "go.mod"), "utf8");
  const version = text
    .split("\n")
    .map((line) => line.trim().replace(/^require /, ""))
    .find((line) => line.startsWith(`${module} v`))
    ?.split(" ")[1];
  if (version === undefined) throw new RangeError(`binaries/${folder} does not pin ${module}`);
  return version;
}

/** `1.37.2` -> `1.37`. */
export const minorOf = (version: string): string => version.split(".").slice(0, 2).join(".");

/** The supported versions whose programs are pinned here, oldest first. Of 1.35 it is a kubeadm of an older patch alone. */
export const labVersions = (): string[] =>
  supportedVersions().filter(
    (version) => pinned(kubernetes(minorOf(version)).folder, kubernetesVersion.module) === `v${version}`,
  );

let asked: Promise<string> | null = null;
/** A lab asks for every program, and a suite opens twenty labs: Go itself is asked once. */
function goVersion(): Promise<string> {
  asked ??= run("go", ["env", "GOVERSION"]);
  return asked;
}

/** One program, made once: whoever is interrupted goes on where it was, and minors share what does not go with them. */
async function build({ folder, programs, version }: Product, program: string, say: Say): Promise<string> {
  const path = programs[program] ?? "";
  const flags = version?.flags(pinned(folder, version.module)) ?? [];
  const ldflags = ["-s", "-w", ...flags.map((flag) => `-X ${flag}`)].join(" ");
  const key = digest([`binaries/${folder}`], await goVersion(), path, ldflags);
  // Static, so that an image needs nothing else; at the machine's leisure.
  const env = { CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" };
  const home = await made(`${folder.replace("/", "-")}-${program}`, key, say, async (growing) => {
    const args = ["-n", "10", "go", "build", "-trimpath", "-ldflags", ldflags, "-o", join(growing, program), path];
    await run("nice", args, { cwd: source(folder), env });
  });
  return join(home, program);
}

/** Every program that a host or an image of a version needs, as one folder. Cold this takes a quarter of an hour, afterwards nothing. */
export async function buildBinaries(version: string, say: Say): Promise<string> {
  const minor = minorOf(version);
  const files: string[] = [];
  for (const product of products(minor))
    for (const program of Object.keys(product.programs)) files.push(await build(product, program, say));
  return made(`programs-${minor}`, digest([], ...files), say, async (folder) => {
    for (const file of files) symlinkSync(file, join(folder, basename(file)));
  });
}

/** kubeadm alone, of any supported minor: two minutes cold. */
export const buildKubeadm = (version: string, say: Say): Promise<string> => build(kubernetes(minorOf(version)), "kubeadm", say);
