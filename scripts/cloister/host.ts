import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline/promises";
import { setTimeout as pause } from "node:timers/promises";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { EC2Client } from "@aws-sdk/client-ec2";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { SFNClient } from "@aws-sdk/client-sfn";
import { SSMClient } from "@aws-sdk/client-ssm";
import { STSClient } from "@aws-sdk/client-sts";
import type { Screen } from "../../rehearsal/report/live.ts";
import { screen } from "../options.ts";

/** What a command may ask AWS by. */
export interface Clients {
  readonly cloudFormation: CloudFormationClient;
  readonly ec2: EC2Client;
  readonly lambda: LambdaClient;
  readonly quotas: ServiceQuotasClient;
  readonly s3: S3Client;
  readonly sfn: SFNClient;
  readonly ssm: SSMClient;
  readonly sts: STSClient;
}

/** Everything outside of a command: AWS, time, the terminal, other programs. A test gives one over a virtual account. */
export interface Host {
  readonly clients: Clients;
  /** Standard output. */
  readonly screen: Screen;
  /** One line to standard error. */
  warn(line: string): void;
  now(): Date;
  sleep(seconds: number): Promise<void>;
  /** The answer of a person, or null where there is none to ask. */
  ask(question: string): Promise<string | null>;
  /** Whether a program can be started. */
  has(program: string): boolean;
  /** Runs a program in the foreground to its end; gives its exit code. Its standard output goes where it is told to. */
  run(program: string, args: readonly string[], stdout: "inherit" | "stderr"): Promise<number>;
}

const windows = process.platform === "win32";

function runProgram(program: string, args: readonly string[], stdout: "inherit" | "stderr"): Promise<number> {
  // On Windows npm's programs are scripts, which only a shell starts.
  const child = spawn(program, [...args], {
    stdio: ["inherit", stdout === "stderr" ? 2 : "inherit", "inherit"],
    shell: windows,
  });
  // Ctrl-C is for the program in the foreground: it ends as it likes, and then so does the command.
  const wait = () => {};
  process.on("SIGINT", wait);
  return new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  }).finally(() => process.off("SIGINT", wait));
}

async function askPerson(question: string): Promise<string | null> {
  if (process.stdin.isTTY !== true) return null;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}

/** The machine that the command was started on, with the credentials and the Region that the SDK finds there. */
export function ownHost(): Host {
  // The SDK gives up at once where nothing is configured; a command that a person waits for tries no longer than a step.
  const config = { maxAttempts: 3 };
  return {
    clients: {
      cloudFormation: new CloudFormationClient(config),
      ec2: new EC2Client(config),
      lambda: new LambdaClient(config),
      quotas: new ServiceQuotasClient(config),
      s3: new S3Client(config),
      sfn: new SFNClient(config),
      ssm: new SSMClient(config),
      sts: new STSClient(config),
    },
    screen: screen(),
    warn: (line) => console.error(line),
    now: () => new Date(),
    sleep: (seconds) => pause(seconds * 1000),
    ask: askPerson,
    has: (program) => spawnSync(windows ? "where" : "which", [program], { stdio: "ignore" }).status === 0,
    run: runProgram,
  };
}
