import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where everything that is built once is kept: outside of the tree, and safe to delete. */
export const cacheFolder = (): string => join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "cloister-lab");

/** Over the content of files and folders beside this one, and whatever else a thing depends on. */
export function digest(paths: readonly string[], ...facts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) {
    const whole = fileURLToPath(new URL(path, import.meta.url));
    const files = statSync(whole).isDirectory() ? globSync("**/*", { cwd: whole, withFileTypes: false }).sort() : [""];
    for (const file of files) {
      const at = file === "" ? whole : join(whole, file);
      if (statSync(at).isFile()) hash.update(`${path}/${file}\n`).update(readFileSync(at));
    }
  }
  for (const fact of facts) hash.update(`${fact}\n`);
  return hash.digest("hex").slice(0, 16);
}

export type Say = (line: string) => void;

/** The folder of something that is made once for a digest: made elsewhere and moved there, so a half made one never counts. */
export async function made(name: string, key: string, say: Say, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), `${name}-${key}`);
  if (existsSync(folder)) return folder;
  const began = performance.now();
  say(`making ${name}, once`);
  const growing = join(cacheFolder(), `.${name}-${process.pid}`);
  rmSync(growing, { recursive: true, force: true });
  mkdirSync(growing, { recursive: true, mode: 0o755 });
  try {
    await make(growing);
    renameSync(growing, folder);
  } finally {
    rmSync(growing, { recursive: true, force: true });
  }
  say(`made ${name} in ${Math.round((performance.now() - began) / 1000)} s`);
  return folder;
}
