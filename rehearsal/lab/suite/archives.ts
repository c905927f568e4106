import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ScriptResult } from "../../world/ssm/command.ts";
import { type Cluster, type Finding, found, type LabCheck } from "../checks.ts";
import type { Host } from "../hosts/host.ts";

/** Preloading on one worker, again and again: the image of the smoke test, which no node needs to stay in the cluster. */
export interface Bench {
  readonly cluster: Cluster;
  readonly worker: Host;
  readonly ref: string;
  /** The archive's key in the bundle. */
  readonly key: string;
  preload(): Promise<ScriptResult>;
}

interface Case {
  readonly name: string;
  /** Makes it so, and gives what ends it. */
  plant(bench: Bench): Promise<() => Promise<unknown>>;
  readonly words: RegExp;
}

const hide = (bench: Bench, file: string | null) => {
  const { hooks } = bench.cluster.lab;
  const { archiveOf } = hooks;
  hooks.archiveOf = (key, own) => (key === bench.key ? file : archiveOf(key, own));
  return async () => {
    hooks.archiveOf = archiveOf;
  };
};

const state = "/var/lib/cloister";

const cases: readonly Case[] = [
  {
    name: "an archive that is absent",
    words: /cannot read s3:.*(?:404|Not Found|does not exist)/,
    plant: async (bench) => hide(bench, null),
  },
  {
    name: "an archive that was tampered with",
    words: /does not have the SHA-256 it was planned with/,
    async plant(bench) {
      const file = join(bench.cluster.lab.folder, "tampered.tar");
      writeFileSync(file, "not what was planned");
      return hide(bench, file);
    },
  },
  {
    name: "a full disk",
    words: /No space left on device|cannot read s3:/,
    async plant({ worker }) {
      await worker.on(
        "bash",
        "-c",
        `cp -a ${state} /run/kept && mount -t tmpfs -o size=2m tmpfs ${state} && cp -a /run/kept/. ${state}/`,
      );
      return () => worker.on("bash", "-c", `umount ${state} && rm -rf /run/kept`);
    },
  },
];

const imported = async ({ worker, ref }: Bench): Promise<boolean> =>
  (await worker.on("bash", "-c", "crictl images -o json | jq -r '.images[].repoTags[]?'")).split("\n").includes(ref);

const lose = ({ worker, ref }: Bench): Promise<string> => worker.on("ctr", "-n", "k8s.io", "images", "rm", "--sync", ref);

async function refuses(bench: Bench, { plant, words }: Case): Promise<Finding> {
  await lose(bench);
  const end = await plant(bench);
  let refused: ScriptResult;
  try {
    refused = await bench.preload();
  } finally {
    await end();
  }
  const after = await bench.preload();
  const reason = refused.stderr.trim().split("\n").at(-1) ?? "";
  const isRight = refused.exitCode !== 0 && words.test(refused.stderr) && after.exitCode === 0 && (await imported(bench));
  return found(isRight, `${reason}; then ${after.exitCode === 0 ? after.stdout.trim() : after.stderr}`);
}

/** `ctr` without its namespace puts an image where the kubelet never looks, and says that all is well (lab.md, B). */
async function wrongNamespace(bench: Bench): Promise<Finding> {
  const { worker, ref, key } = bench;
  await lose(bench);
  const { lab } = bench.cluster;
  const archive = lab.hooks.archiveOf(key, join(lab.bundle, key)) ?? "";
  const inside = "/root/archive.tar";
  await worker.copy(archive, inside);
  await worker.on("ctr", "images", "import", inside);
  const before = await imported(bench);
  const result = await bench.preload();
  await worker.on("rm", inside);
  return found(!before && result.exitCode === 0 && (await imported(bench)), `${ref}: ${result.stdout.trim() || result.stderr}`);
}

export async function checkArchives(bench: Bench, tell: (check: LabCheck) => void): Promise<void> {
  const failed = (error: Error): Finding => found(false, error.message);
  for (const one of cases)
    tell({ name: `preload-images with ${one.name} fails, and runs well after`, ...(await refuses(bench, one).catch(failed)) });
  const finding = await wrongNamespace(bench).catch(failed);
  tell({ name: "an image in the wrong namespace does not count", ...finding });
}
