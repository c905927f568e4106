import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** A start took 0.4 to 5 s where it was measured (facts, wire). */
const startSeconds = 60;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A moto server of our own on loopback. */
export class Moto {
  readonly endpoint: string;
  readonly #process: ChildProcess;
  #said = "";

  private constructor(endpoint: string, child: ChildProcess) {
    this.endpoint = endpoint;
    this.#process = child;
    child.stderr?.on("data", (text: Buffer) => {
      this.#said = `${this.#said}${text}`.slice(-4000);
    });
  }

  static async start(python: string): Promise<Moto> {
    const port = await freePort();
    // Without these two it starts machines of any image and type (facts, wire 2).
    const strict = { MOTO_ENABLE_AMI_VALIDATION: "1", MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION: "1" };
    const child = spawn(python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], {
      env: { PATH: process.env["PATH"] ?? "", MOTO_PORT: String(port), ...strict },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const moto = new Moto(`http://127.0.0.1:${port}`, child);
    for (let waited = 0; !(await moto.#answers()); waited += 0.2) {
      if (waited >= startSeconds || child.exitCode !== null) throw new Error(`moto does not start: ${moto.#said}`);
      await pause(200);
    }
    // Machines run, instead of a canned history (facts, wire 1.2).
    await moto.post("/moto-api/config", JSON.stringify({ stepfunctions: { execute_state_machine: true } }), "application/json");
    return moto;
  }

  async #answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.endpoint}/moto-api/config`)).ok;
    } catch {
      return false;
    }
  }

  async post(path: string, body: string, type: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const response = await fetch(`${this.endpoint}${path}`, {
      method: "POST",
      headers: { "content-type": type, ...headers },
      body,
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${(await response.text()).slice(0, 300)}`);
  }

  /** IAM, of which the product has no client: profiles are the stack's. */
  iam(action: string, parameters: Readonly<Record<string, string>>): Promise<void> {
    const body = new URLSearchParams({ Action: action, Version: "2010-05-08", ...parameters }).toString();
    const scope = "AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0";
    return this.post("/", body, "application/x-www-form-urlencoded", { authorization: scope });
  }

  /** The last of what it said, for a failure's message. */
  get said(): string {
    return this.#said;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill();
    await ended;
  }
}
