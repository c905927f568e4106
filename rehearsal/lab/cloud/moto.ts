import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** How long endpoints are pending: minutes on AWS (facts 8.2), and long enough here that nobody may count on none. */
const pendingSeconds = 2;
const startSeconds = 60;

export interface Moto {
  readonly port: number;
  stop(): Promise<void>;
}

export interface MotoOptions {
  readonly python: string;
  /** A file with the one image that the account has. */
  readonly images: string;
  readonly profiles: readonly string[];
  /** A file's descriptor. */
  readonly log: number;
  /** The port on which moto's own interpreter is to call AWS; null: it stays asleep. */
  readonly engine: number | null;
}

/** Starts moto on a loopback port of its own choice. It ends with us, however we end: it reads our end of a pipe. */
export async function startMoto({ python, images, profiles, log, engine }: MotoOptions): Promise<Moto> {
  const script = fileURLToPath(new URL("moto_lab.py", import.meta.url));
  const child = spawn(python, [script, ...profiles], {
    stdio: ["pipe", "pipe", log],
    // Nothing of the machine's own AWS configuration may reach it, nor send it anywhere.
    env: {
      PATH: process.env["PATH"] ?? "",
      LAB_PENDING_SECONDS: String(pendingSeconds),
      MOTO_AMIS_PATH: images,
      MOTO_ENABLE_AMI_VALIDATION: "1",
      ...(engine === null ? {} : { MOTO_PORT: String(engine), LAB_ENGINE: "1" }),
    },
    detached: true,
  });
  return { port: await readyPort(child), stop: () => stop(child) };
}

async function readyPort(child: ChildProcess): Promise<number> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const signal = AbortSignal.timeout(startSeconds * 1000);
  const exit = once(child, "exit", { signal }).then(() => {
    throw new Error("moto did not start; see moto.log");
  });
  const [line] = (await Promise.race([once(lines, "line", { signal }), exit])) as [string];
  return Number(/^ready (\d+)$/.exec(line)?.[1]);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.stdin?.end();
  await gone;
}
