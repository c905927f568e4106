import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

interface Need {
  readonly what: string;
  readonly how: string;
  isMet(): boolean;
}

const isOnPath = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** A program, and the Debian package that has it. */
const program = (name: string, from: string): Need => ({
  what: name,
  how: `apt-get install --no-install-recommends ${from}`,
  isMet: () => isOnPath(name),
});

const needs: readonly Need[] = [
  { what: "Linux", how: "a Linux machine, or a virtual one", isMet: () => process.platform === "linux" },
  { what: "an x86-64 processor", how: "such a machine", isMet: () => process.arch === "x64" },
  { what: "root", how: "sudo, or a machine of its own", isMet: () => process.getuid?.() === 0 },
  {
    what: "leave to make namespaces and mounts",
    how: "a machine, or a container with all privileges",
    isMet: () => process.getuid?.() !== 0 || spawnSync("unshare", ["--mount", "--net", "--pid", "--fork", "true"]).status === 0,
  },
  { what: "go", how: "Go 1.26 from go.dev", isMet: () => isOnPath("go") },
  program("python3", "python3 python3-venv"),
  program("systemd-nspawn", "systemd-container"),
  program("mmdebstrap", "mmdebstrap"),
  program("ip", "iproute2"),
  program("nft", "nftables"),
  program("dnsmasq", "dnsmasq-base"),
  program("openssl", "openssl"),
  program("zstd", "zstd"),
  { ...program("xtables-nft-multi", "iptables"), isMet: () => existsSync("/usr/sbin/xtables-nft-multi") },
  { ...program("CNI plugins", "containernetworking-plugins"), isMet: () => existsSync("/usr/lib/cni/bridge") },
];

/** What this machine lacks for a lab, one line each, with the way to get it. */
export const lacking = (): string[] =>
  needs.filter((need) => !need.isMet()).map(({ what, how }) => `The lab needs ${what}, which is not here: ${how}.`);
