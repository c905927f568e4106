import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digest, made, type Say } from "../cache.ts";
import { run } from "../shell.ts";

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The root file system that every host is an overlay of. */
export async function makeRoot(bin: string, authority: string, sandboxImage: string, say: Say): Promise<string> {
  const debian = await made("debian", digest(["hosts/root.sh"]), say, async (growing) => {
    mkdirSync(join(growing, "root"));
    await run(script("root.sh"), [join(growing, "root")]);
  });
  // A machine can come back with the other hierarchy, and its cache is still there.
  const cgroups = (await run("stat", ["-fc", "%T", "/sys/fs/cgroup"])).trim();
  const key = digest(["hosts/node.sh", "hosts/image"], debian, bin, authority, sandboxImage, cgroups);
  const folder = await made("node", key, say, async (growing) => {
    const root = join(growing, "root");
    mkdirSync(root);
    await run(script("node.sh"), [root, join(debian, "root"), bin, authority, sandboxImage, cgroups]);
  });
  return join(folder, "root");
}

/** containerd's folder with every image of a bundle, for hosts whose image was made with them. In mounts of its own, should it be killed. */
export const makeStore = (bin: string, bundle: string, say: Say): Promise<string> =>
  made("store", digest(["hosts/store.sh"], bin, bundle), say, async (root) => {
    await run("unshare", ["--mount", script("store.sh"), root, bin, join(bundle, "images")]);
  });
