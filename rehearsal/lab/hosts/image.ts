import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digest, made, type Say } from "../cache.ts";
import { run } from "../shell.ts";

/** The root file system that every host is an overlay of: `root` in the folder that it gives. */
export async function makeRoot(bin: string, authority: string, sandboxImage: string, say: Say): Promise<string> {
  const key = digest(["hosts/root.sh", "hosts/image", "hosts/image.ts"], bin, authority, sandboxImage);
  const folder = await made("root", key, say, async (growing) => {
    const root = join(growing, "root");
    mkdirSync(root);
    await run(fileURLToPath(new URL("root.sh", import.meta.url)), [root, bin, sandboxImage]);
    mkdirSync(join(root, "usr/local/share/ca-certificates"), { recursive: true });
    cpSync(join(authority, "ca.crt"), join(root, "usr/local/share/ca-certificates/cloister-lab.crt"));
    await run("chroot", [root, "update-ca-certificates"]);
  });
  return join(folder, "root");
}
