import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digest, made, type Say } from "../cache.ts";
import { run } from "../shell.ts";

/** Who interprets the state machines: this project's interpreter, or moto's. */
export type Engine = "own" | "moto";

/** moto in a Python environment of its own; gives that environment's interpreter. */
export async function makeMotoHome(engine: Engine, say: Say): Promise<string> {
  const files = ["cloud/requirements.txt", ...(engine === "moto" ? ["cloud/engine-requirements.txt"] : [])];
  const key = digest(files, await run("python3", ["--version"]));
  const home = await made("moto", key, say, async (folder) => {
    await run("python3", ["-m", "venv", folder]);
    const wanted = files.flatMap((file) => ["-r", fileURLToPath(new URL(`../${file}`, import.meta.url))]);
    await run(join(folder, "bin/python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...wanted]);
  });
  return join(home, "bin/python");
}
