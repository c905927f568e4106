import { connect, createServer } from "node:net";
import { join } from "node:path";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import type { HistoryEvent } from "../world/asl/history.ts";
import type { Outcome } from "../world/asl/host.ts";
import { checkCluster, type LabCheck } from "./checks.ts";
import type { Run } from "./cloud/engine.ts";
import { messageIn } from "./failure.ts";
import { inventory } from "./inventory.ts";
import { Lab, type LabOptions } from "./lab.ts";
import { MemoryGauge } from "./memory.ts";
import { forLab } from "./request.ts";
import { traces } from "./sweep.ts";

export interface Access {
  readonly kubeconfig: string;
  /** The program to use it with, built with the rest. */
  readonly kubectl: string;
}

export interface CourseOptions extends Pick<LabOptions, "scale" | "patience" | "engine" | "kubernetes" | "bundle" | "say"> {
  /** null: the lab's own. */
  readonly request: unknown;
  /** Before the build: what somebody plants. */
  readonly prepare?: (lab: Lab) => void;
  /** What else is to be asked of the ready cluster, after everything that always is. */
  readonly further?: (lab: Lab, tell: (check: LabCheck) => void) => Promise<void>;
  /** Where the logs go when something failed. */
  readonly logs: string;
  readonly onEvent: (event: HistoryEvent) => void;
  /** A part of the course begins. */
  readonly onPart: (part: string) => void;
  readonly onCheck?: (check: LabCheck) => void;
  /** The cluster is ready and stays until the signal to end. */
  readonly onKept?: (access: Access) => Promise<void>;
}

export interface LabResult {
  readonly checks: readonly LabCheck[];
  readonly seconds: Readonly<Record<string, number>>;
  /** How much shorter the chosen waits were. */
  readonly scale: number;
  /** What the whole machine used at the most, more than before. */
  readonly peakMegabytes: number;
}

/** How long each part took, and what it took of the machine. */
export function figures({ seconds, scale, peakMegabytes }: LabResult): string {
  const times = Object.entries(seconds).map(([what, took]) => `${what} ${took} s`);
  return `${times.join(", ")}; waits divided by ${scale}; ${peakMegabytes} MB at the peak`;
}

/** One run of the lab: open, build, check, destroy, close. Closed it is in any case, whatever happens on the way. */
export async function runLab(options: CourseOptions): Promise<LabResult> {
  const checks: LabCheck[] = [];
  const tell = (...made: LabCheck[]): void => {
    checks.push(...made);
    for (const check of made) options.onCheck?.(check);
  };
  const seconds: Record<string, number> = {};
  const memory = new MemoryGauge();
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const began = performance.now();
    try {
      return await work();
    } finally {
      seconds[what] = Math.round((performance.now() - began) / 100) / 10;
    }
  };
  const before = await traces();
  const interruption = new Interruption();
  let opened: Lab | null = null;
  const onEvent = (event: HistoryEvent) => {
    options.onEvent(event);
    // Before the roll-back ends the hosts, which take their journals with them.
    if (event.type === "TaskStateEntered" && event.details["name"] === "RecordFailure")
      void opened?.saveLogs(join(options.logs, "build"));
  };
  try {
    const lab = await timed("open", () => Lab.open({ ...options, onEvent }));
    opened = lab;
    try {
      await course(lab, options, tell, timed, interruption);
    } finally {
      // A host that is gone says nothing any more: what is to be found out is kept before the lab is closed.
      if (checks.some(({ passed }) => !passed)) await lab.saveLogs(join(options.logs, "end"));
      await timed("close", () => lab.close());
    }
  } finally {
    interruption.off();
    memory.stop();
  }
  const left = (await traces()).filter((trace) => !before.includes(trace));
  tell({
    name: "the machine is as it was",
    passed: left.length === 0,
    evidence: left.join("; ") || "no namespace, mount, cgroup, process or folder is left",
  });
  return { checks, seconds, scale: options.scale, peakMegabytes: memory.peakMegabytes };
}

type Timed = <T>(what: string, work: () => Promise<T>) => Promise<T>;

async function course(
  lab: Lab,
  options: CourseOptions,
  tell: (...checks: LabCheck[]) => void,
  timed: Timed,
  interruption: Interruption,
): Promise<void> {
  const { signal } = interruption;
  const request = options.bundle === null ? forLab(options.request, lab.kubernetes) : options.request;
  const name = String((request as { name?: unknown }).name ?? "");
  const before = await inventory(lab.aws);
  options.prepare?.(lab);
  options.onPart("Build");
  const built = await timed("build", () => finish(lab.start("build-cluster", `lab-build-${Date.now()}`, request), signal));
  tell(ended("the build ends in a ready cluster", built.outcome));
  if (built.outcome.status === "SUCCEEDED") {
    tell(...(await timed("check", () => checkCluster(lab, name, built.execution))));
    if (options.further !== undefined) await timed("further", async () => options.further?.(lab, tell));
    if (options.onKept !== undefined) await keep(lab, name, options.onKept, interruption);
  }
  if (signal.aborted) return;
  options.onPart("Destroy");
  const destroyed = await timed("destroy", () =>
    finish(lab.start("destroy-cluster", `lab-destroy-${Date.now()}`, { name }), signal),
  );
  tell(ended("the destroy ends with nothing left", destroyed.outcome));
  const left = (await inventory(lab.aws)).filter((item) => !before.includes(item));
  tell({
    name: "the account is as it was",
    passed: left.length === 0,
    evidence: left.join(", ") || `${before.length} things, as before`,
  });
}

/** The end of an execution; an interrupted course does not wait for it. */
async function finish(execution: Run, signal: AbortSignal): Promise<{ readonly execution: Run; readonly outcome: Outcome }> {
  const stop = () => execution.stop("Interrupted", "the lab is being closed");
  signal.addEventListener("abort", stop);
  const outcome = await execution.done;
  signal.removeEventListener("abort", stop);
  return { execution, outcome };
}

function ended(name: string, { status, error, cause = "" }: Outcome): LabCheck {
  return { name, passed: status === "SUCCEEDED", evidence: status === "SUCCEEDED" ? status : `${error}: ${messageIn(cause)}` };
}

/** Leads a port of this machine to the cluster's API, and waits until somebody wants to end it. */
async function keep(
  lab: Lab,
  name: string,
  onKept: (access: Access) => Promise<void>,
  interruption: Interruption,
): Promise<void> {
  const socket = lab.site.apiSocket();
  if (socket === null) return;
  const asked = new GetParameterCommand({ Name: `/cloister/${name}/g1/kubeconfig`, WithDecryption: true });
  const { Parameter } = await lab.aws.ssm.send(asked);
  const server = createServer((client) => {
    const upstream = connect(socket);
    client.pipe(upstream).pipe(client);
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = address === null || typeof address === "string" ? 0 : address.port;
  // The certificate names the node; the address is this machine's.
  const kubeconfig = (Parameter?.Value ?? "").replace(
    /^( *)server: https:\/\/([^:]+):6443$/m,
    (_, indent: string, host: string) => `${indent}server: https://127.0.0.1:${port}\n${indent}tls-server-name: ${host}`,
  );
  await onKept({ kubeconfig, kubectl: join(lab.bin, "kubectl") });
  await interruption.kept();
  server.close();
}

/** Ctrl-C and the like: while a cluster is kept the first one ends that, any other ends the course; everything is cleared away either way. */
class Interruption {
  readonly #controller = new AbortController();
  readonly #names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  #unkeep: (() => void) | null = null;

  constructor() {
    for (const name of this.#names) process.on(name, this.#interrupt);
  }

  readonly #interrupt = (): void => {
    const unkeep = this.#unkeep;
    this.#unkeep = null;
    if (unkeep === null) this.#controller.abort();
    else unkeep();
  };

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Until somebody wants to go on. */
  kept(): Promise<void> {
    return new Promise((resolve) => {
      this.#unkeep = resolve;
    });
  }

  off(): void {
    for (const name of this.#names) process.off(name, this.#interrupt);
  }
}
