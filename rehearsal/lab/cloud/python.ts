import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digest, made, type Say } from "../cache.ts";
import { run } from "../shell.ts";

/** moto in a Python environment of its own; gives that environment's interpreter. */
export async function makeMotoHome(say: Say): Promise<string> {
  const requirements = fileURLToPath(new URL("requirements.txt", import.meta.url));
  const key = digest(["cloud/requirements.txt"], await run("python3", ["--version"]));
  const home = await made("moto", key, say, async (folder) => {
    await run("python3", ["-m", "venv", folder]);
    await run(join(folder, "bin/python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]);
  });
  return join(home, "bin/python");
}
