import { spawn } from "node:child_process";

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const shownMax = 2_000;

/** Runs a program to its end and gives what it printed; one that fails throws with its last words. */
export function run(program: string, args: readonly string[], { input = "", cwd, env }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const text = Buffer.concat(out).toString();
      if (code === 0) return resolve(text);
      const said = (Buffer.concat(err).toString().trim() || text.trim()).slice(-shownMax);
      reject(new Error(`${program} ${args.slice(0, 4).join(" ")} ended with ${code ?? signal}: ${said}`));
    });
    // A program that ends without reading is judged by its exit code.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** The same, for what may fail because it is done already: true when it went well. */
export async function tryRun(program: string, args: readonly string[]): Promise<boolean> {
  return run(program, args).then(
    () => true,
    () => false,
  );
}
