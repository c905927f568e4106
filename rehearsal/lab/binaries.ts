import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digest, made, type Say } from "./cache.ts";
import { run } from "./shell.ts";

/** A Go module in binaries/ whose tool dependencies pin a product, and what of it is built. */
interface Product {
  readonly folder: string;
  readonly programs: Readonly<Record<string, string>>;
  /** The module whose version the programs are to call their own, and the variables that hold it. */
  readonly version?: { readonly module: string; flags(version: string): readonly string[] };
}

const kubernetes = (...programs: readonly string[]): Record<string, string> =>
  Object.fromEntries(programs.map((program) => [program, `k8s.io/kubernetes/cmd/${program}`]));

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

const products: readonly Product[] = [
  {
    folder: "kubernetes",
    programs: {
      ...kubernetes("kubeadm", "kubelet", "kubectl", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"),
      agnhost: "k8s.io/kubernetes/test/images/agnhost",
    },
    version: kubernetesVersion,
  },
  { folder: "etcd", programs: { etcd: "go.etcd.io/etcd/server/v3" } },
  {
    folder: "containerd",
    programs: Object.fromEntries(
      ["containerd", "ctr", "containerd-shim-runc-v2"].map((program) => [
        program,
        `github.com/containerd/containerd/v2/cmd/${program}`,
      ]),
    ),
    version: {
      module: "github.com/containerd/containerd/v2",
      flags: (version) => [`github.com/containerd/containerd/v2/version.Version=${version.slice(1)}`],
    },
  },
  { folder: "cri-tools", programs: { crictl: "sigs.k8s.io/cri-tools/cmd/crictl" } },
  { folder: "coredns", programs: { coredns: "github.com/coredns/coredns" } },
  {
    folder: "cloud-controller-manager",
    programs: { "aws-cloud-controller-manager": "k8s.io/cloud-provider-aws/cmd/aws-cloud-controller-manager" },
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

async function build({ folder, programs, version }: Product, into: string, say: Say): Promise<void> {
  const flags = version === undefined ? [] : version.flags(pinned(folder, version.module));
  const ldflags = ["-s", "-w", ...flags.map((flag) => `-X ${flag}`)].join(" ");
  // Static, so that an image needs nothing else; at the machine's leisure.
  const env = { CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" };
  for (const [program, path] of Object.entries(programs)) {
    const began = performance.now();
    const args = ["-n", "10", "go", "build", "-trimpath", "-ldflags", ldflags, "-o", join(into, program), path];
    await run("nice", args, { cwd: source(folder), env });
    say(`  built ${program} in ${Math.round((performance.now() - began) / 1000)} s`);
  }
}

/** Every program that a host or an image needs, as one folder. Cold this takes a quarter of an hour, afterwards nothing. */
export async function buildBinaries(say: Say): Promise<string> {
  const go = await run("go", ["env", "GOVERSION"]);
  const recipe = JSON.stringify(products.map(({ programs, version }) => [programs, version?.flags("v0.0.0") ?? []]));
  const key = digest(["binaries"], go, recipe);
  return made("binaries", key, say, async (folder) => {
    mkdirSync(folder, { recursive: true });
    for (const product of products) await build(product, folder, say);
  });
}

/** kubeadm alone of an older minor, which has a module of its own beside those of the lab's binaries: two minutes cold. */
export async function buildKubeadm(minor: string, say: Say): Promise<string> {
  const product: Product = { folder: `../kubeadm/${minor}`, programs: kubernetes("kubeadm"), version: kubernetesVersion };
  const key = digest([`kubeadm/${minor}`], await run("go", ["env", "GOVERSION"]));
  return join(await made(`kubeadm-${minor}`, key, say, (folder) => build(product, folder, say)), "kubeadm");
}
