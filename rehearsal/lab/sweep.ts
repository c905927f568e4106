import { existsSync, globSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder, type Say } from "./cache.ts";
import { clearHost, stopHost } from "./hosts/host.ts";
import { run, tryRun } from "./shell.ts";

/** Every lab has a folder `run-<pid>x<count>`, and every name that it gives begins with `clab<pid>x<count>-`. */
const runs = (): { readonly folder: string; readonly run: string; readonly pid: string }[] =>
  globSync("run-*", { cwd: cacheFolder() }).map((name) => {
    const run = name.slice("run-".length);
    return { folder: join(cacheFolder(), name), run, pid: run.split("x")[0] ?? "" };
  });

const isAlive = (pid: string): boolean =>
  existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("node");

async function namespaces(): Promise<string[]> {
  const listed = await run("ip", ["netns", "list"]);
  return listed.split("\n").flatMap((line) => line.split(" ")[0] || []);
}

/** Takes away what a run left that was killed and could not end itself. Nothing of a living one is touched. */
export async function sweepDeadRuns(say: Say): Promise<void> {
  for (const { folder, run: name, pid } of runs()) {
    if (isAlive(pid)) continue;
    say(`clearing what run ${name} left behind`);
    for (const host of globSync(join(folder, "hosts", "*"))) {
      await stopHost(host);
      await clearHost(host);
    }
    for (const namespace of await namespaces()) {
      if (!namespace.startsWith(`clab${name}-`)) continue;
      const pids = await run("ip", ["netns", "pids", namespace]);
      if (pids.trim() !== "") await tryRun("kill", ["-9", ...pids.trim().split("\n")]);
      await tryRun("ip", ["netns", "delete", namespace]);
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Who started a process. */
const parentOf = (pid: string): string => /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";

function processes(others: readonly string[]): string[] {
  return globSync("/proc/[0-9]*").flatMap((folder) => {
    const pid = basename(folder);
    try {
      const command = readFileSync(join(folder, "cmdline"), "utf8").replaceAll("\0", " ");
      const isLabs =
        /moto_lab\.py|network\/(?:gateway|internet)\.ts|systemd-nspawn .*clab/.test(command) ||
        command.includes(`${cacheFolder()}/run-`);
      if (!isLabs || others.includes(parentOf(pid)) || isNamed(command, others)) return [];
      return [`process ${pid} ${command.slice(0, 80)}`];
    } catch {
      return [];
    }
  });
}

/** Whether a text names a run of one of these processes. */
export const isNamed = (text: string, pids: readonly string[]): boolean =>
  pids.some((pid) => new RegExp(`\\b(?:clab|run-)${pid}x\\d`).test(text));

/** What a lab can leave on the machine: two looks, before and after, must be alike. Other labs may come and go meanwhile. */
export async function traces(): Promise<string[]> {
  const others = runs()
    .map(({ pid }) => pid)
    .filter((pid) => pid !== String(process.pid) && isAlive(pid));
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(cacheFolder()))
    .map((line) => `mount ${line.split(" ")[1]}`);
  const cgroups = (await run("find", ["/sys/fs/cgroup", "-type", "d", "-name", "clab*"])).split("\n").filter(Boolean);
  const links = (await run("ip", ["-o", "link"])).split("\n").flatMap((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? []);
  const places = [
    ...(await namespaces()).map((name) => `namespace ${name}`),
    ...mounts,
    ...cgroups.map((cgroup) => `cgroup ${cgroup}`),
    ...links.map((link) => `link ${link}`),
    ...runs().map(({ folder }) => `folder ${folder}`),
  ];
  return [...places.filter((place) => !isNamed(place, others)), ...processes(others)].sort();
}
