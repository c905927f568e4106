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
  const key = digest(["hosts/node.sh", "hosts/image"], debian, bin, authority, sandboxImage);
  const folder = await made("node", key, say, async (growing) => {
    const root = join(growing, "root");
    mkdirSync(root);
    await run(script("node.sh"), [root, join(debian, "root"), bin, authority, sandboxImage]);
  });
  return join(folder, "root");
}
