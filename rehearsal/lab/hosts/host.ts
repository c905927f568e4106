import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { run, tryRun } from "../shell.ts";

export interface HostOptions {
  /** Unique on the machine: the machine's name and that of its cgroups. */
  readonly name: string;
  readonly folder: string;
  readonly base: string;
  /** What its containerd begins with; null: nothing. */
  readonly store: string | null;
  readonly namespace: string;
  readonly hostname: string;
  readonly address: string;
  readonly resolver: string;
  /** What this host has that its image has not, by path. */
  readonly files: Readonly<Record<string, string>>;
}

const bootSeconds = 60;
/** Time for the own shutdown of a host that is terminated, before its processes are ended. */
const shutdownMilliseconds = 4_000;
/** And for the kernel to let go of them. */
const clearMilliseconds = 30_000;
const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

const readNumber = (file: string): number | null => (existsSync(file) ? Number(readFileSync(file, "utf8")) : null);

const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}`);

/** One systemd host in the place of one instance. */
export class Host {
  readonly options: HostOptions;
  readonly #child: ChildProcess;
  /** Settles when systemd has booted, or rejects when it did not. */
  readonly up: Promise<void>;

  constructor(options: HostOptions) {
    this.options = options;
    mkdirSync(options.folder, { recursive: true });
    for (const [path, text] of Object.entries(options.files)) {
      mkdirSync(join(options.folder, "upper", dirname(path)), { recursive: true });
      writeFileSync(join(options.folder, "upper", path), text);
    }
    const log = openSync(join(options.folder, "host.log"), "a");
    const { name, folder, base, store, namespace, hostname, address, resolver } = options;
    const script = fileURLToPath(new URL("host.sh", import.meta.url));
    this.#child = spawn(script, [name, folder, base, namespace, hostname, address, resolver, store ?? ""], {
      stdio: ["ignore", "pipe", log],
      detached: true,
    });
    this.up = this.#booted();
    this.up.catch(() => {});
  }

  async #booted(): Promise<void> {
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    const signal = AbortSignal.timeout(bootSeconds * 1000);
    const booted = new Promise<void>((resolve) => lines.on("line", (line) => line.startsWith("up ") && resolve()));
    const ended = once(this.#child, "exit", { signal }).then(() => {
      throw new Error(`${this.options.name} did not boot; see host.log and console.log in ${this.options.folder}`);
    });
    await Promise.race([booted, ended]);
  }

  /** Runs a program on the host, as root there. */
  on(program: string, ...args: string[]): Promise<string> {
    const init = readNumber(join(this.options.folder, "init"));
    if (init === null) throw new Error(`${this.options.name} is not up`);
    return run("nsenter", ["-t", String(init), "-a", program, ...args]);
  }

  /** Puts a file of this machine on the host, below /root. */
  async copy(from: string, to: `/root/${string}`): Promise<void> {
    await run("cp", ["--reflink=auto", from, join(this.options.folder, "root", to)]);
  }

  /** As EC2 terminates an instance, which may shut down by itself; or at once, when nobody looks at it any more. */
  async stop(isTerminated: boolean): Promise<void> {
    await stopHost(this.options.folder, isTerminated ? shutdownMilliseconds : 0);
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await gone;
    }
    await clearHost(this.options.folder);
  }
}

/** Ends a host by what its folder knows of it, whoever started it. */
export async function stopHost(folder: string, graceMilliseconds = 0): Promise<void> {
  const init = readNumber(join(folder, "init"));
  const nspawn = readNumber(join(folder, "nspawn"));
  if (init !== null && isRunning(init)) {
    // systemd(1): the signal that powers off.
    if (graceMilliseconds > 0) signal(init, "SIGRTMIN+4");
    for (let waited = 0; waited < graceMilliseconds && isRunning(init); waited += 50) await pause(50);
    signal(init, "SIGKILL");
  }
  if (nspawn !== null && isRunning(nspawn)) {
    for (let waited = 0; waited < 1_000 && isRunning(nspawn); waited += 50) await pause(50);
    signal(nspawn, "SIGKILL");
  }
}

function signal(pid: number, name: string): void {
  try {
    // Node has no name for real-time signals: systemd's is 34 + 4.
    process.kill(pid, name === "SIGRTMIN+4" ? 38 : name);
  } catch {
    // It ended by itself meanwhile.
  }
}

/** Takes away what a host leaves: its mount, its cgroups and its files. */
export async function clearHost(folder: string): Promise<void> {
  const cgroups = join(folder, "cgroups");
  for (const cgroup of existsSync(cgroups) ? readFileSync(cgroups, "utf8").trim().split("\n") : []) await clearCgroup(cgroup);
  await tryRun("umount", [join(folder, "root")]);
  rmSync(folder, { recursive: true, force: true });
}

/** Whatever still runs in a cgroup belonged to its host. A process that is ended stays in it until the kernel has time for it. */
async function clearCgroup(cgroup: string): Promise<void> {
  for (let waited = 0; existsSync(cgroup); waited += 50) {
    if (waited > clearMilliseconds) throw new Error(`${cgroup} cannot be removed`);
    // Deepest first, since only an empty one can be removed.
    const listed = await run("find", [cgroup, "-depth", "-type", "d"]).catch(() => "");
    const folders = listed.trim().split("\n").filter(Boolean);
    for (const pid of folders.flatMap(processesIn)) signal(Number(pid), "SIGKILL");
    if (folders.length > 0) await tryRun("rmdir", ["--ignore-fail-on-non-empty", ...folders]);
    if (existsSync(cgroup)) await pause(50);
  }
}

function processesIn(cgroup: string): string[] {
  try {
    return readFileSync(join(cgroup, "cgroup.procs"), "utf8").trim().split("\n").filter(Boolean);
  } catch {
    return [];
  }
}
