import { appendFileSync, copyFileSync, globSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import type { Aws } from "../../functions/aws/aws.ts";
import { versionRow } from "../../functions/domain/versions.ts";
import type { Written } from "../audit.ts";
import { machineNames, machineText, substitute } from "../lambdas.ts";
import type { HistoryEvent } from "../world/asl/history.ts";
import type { Json } from "../world/asl/paths.ts";
import { agentDesk } from "./agent/orders.ts";
import { makeAuthority } from "./authority.ts";
import { buildBinaries, labVersions, pinned } from "./binaries.ts";
import { cacheFolder, type Say } from "./cache.ts";
import { RealClock } from "./clock.ts";
import { bundles, furnish, writeImages } from "./cloud/account.ts";
import { archives } from "./cloud/archives.ts";
import { account, awsAt, deployment, region } from "./cloud/aws.ts";
import { lambdaDesk, secretsDesk, ssmDesk, statesDesk, topologyDesk } from "./cloud/desks.ts";
import { MotoEngine, type Run } from "./cloud/engine.ts";
import { startMoto } from "./cloud/moto.ts";
import { listenLoopback, proxyListener } from "./cloud/proxy.ts";
import { type Engine, makeMotoHome } from "./cloud/python.ts";
import { type Hooks, noHooks } from "./hooks.ts";
import { makeRoot, makeStore } from "./hosts/image.ts";
import { makeBundle } from "./images.ts";
import { Site } from "./site.ts";
import { openStage, type Stage } from "./stage.ts";
import { sweepDeadRuns } from "./sweep.ts";
import { hurried } from "./waits.ts";

export interface LabOptions {
  readonly scale: number;
  /** What a wait is multiplied by (stage.ts); 1 when absent. */
  readonly patience?: number;
  /** "own" when absent. */
  readonly engine?: Engine;
  /** One of labVersions(); the newest when absent. */
  readonly kubernetes?: string;
  /** A folder with a bundle.json for that version; null for the lab's own. */
  readonly bundle: string | null;
  /** The hosts' image holds the bundle's images already, as one that image-builder makes: preloading finds all of them there. */
  readonly isBaked?: boolean;
  readonly say: Say;
  readonly onEvent: (event: HistoryEvent) => void;
}

type Supplied = Pick<LabOptions, "bundle" | "engine" | "say" | "kubernetes" | "isBaked">;

function newest(): string {
  const version = labVersions().at(-1);
  if (version === undefined) throw new RangeError("no supported version is pinned here");
  return version;
}

/** What is made once and kept: programs, authority, images, root file system, moto's own Python. */
async function supplies({ bundle, engine = "own", say, kubernetes = newest(), isBaked = false }: Supplied) {
  mkdirSync(cacheFolder(), { recursive: true });
  const python = await makeMotoHome(engine, say);
  const bin = await buildBinaries(kubernetes, say);
  const authority = await makeAuthority(region, say);
  const bundleFolder = bundle ?? (await makeBundle(kubernetes, bin, say));
  const base = await makeRoot(bin, authority, versionRow(kubernetes).sandboxImage, say);
  const store = isBaked ? await makeStore(bin, bundleFolder, say) : null;
  return { kubernetes, python, bin, authority, bundleFolder, base, store };
}

/** The folder of the lab's own bundle, of the newest version unless another is wanted. */
export async function labBundle(options: Omit<Supplied, "bundle">): Promise<string> {
  return (await supplies({ ...options, bundle: null })).bundleFolder;
}

/** Several labs of one process can stand side by side. */
let opened = 0;

type Parts = Pick<Lab, "folder" | "kubernetes" | "bin" | "bundle" | "stage" | "site" | "aws" | "hooks" | "engine">;

/** One account on moto with its hosts on this machine, from its opening to its closing. */
export class Lab {
  readonly folder: string;
  readonly kubernetes: string;
  /** The folder of the built programs. */
  readonly bin: string;
  /** And of the bundle. */
  readonly bundle: string;
  readonly stage: Stage;
  readonly site: Site;
  /** As a function's clients: through the proxy. */
  readonly aws: Aws;
  readonly hooks: Hooks;
  /** moto's own interpreter, where it is wanted in the place of this project's. */
  readonly engine: MotoEngine | null;
  readonly #closers: (() => Promise<void>)[];

  private constructor(parts: Parts, closers: (() => Promise<void>)[]) {
    this.folder = parts.folder;
    this.kubernetes = parts.kubernetes;
    this.bin = parts.bin;
    this.bundle = parts.bundle;
    this.stage = parts.stage;
    this.site = parts.site;
    this.aws = parts.aws;
    this.hooks = parts.hooks;
    this.engine = parts.engine;
    this.#closers = closers;
  }

  static async open(options: LabOptions): Promise<Lab> {
    await sweepDeadRuns(options.say);
    const ready = await supplies(options);
    const run = `${process.pid}x${++opened}`;
    const folder = join(cacheFolder(), `run-${run}`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const closers: (() => Promise<void>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
    try {
      return await assemble(options, ready, { folder, prefix: `clab${run}` }, closers);
    } catch (error) {
      await closeAll(closers);
      throw error;
    }
  }

  static made(parts: Parts, closers: (() => Promise<void>)[]): Lab {
    return new Lab(parts, closers);
  }

  /** Starts an execution of a shipped machine; it runs on the machine's own time. */
  start(machine: string, name: string, input: unknown): Run {
    return this.engine?.start(machine, name, input) ?? this.stage.stepFunctions.start(machine, name, input as Json);
  }

  /** What functions and moto wrote down of this run. */
  logs(): Written[] {
    return ["functions.log", "moto.log"].map((file) => ({ place: file, text: readFileSync(join(this.folder, file), "utf8") }));
  }

  /** Copies every log of the run to a folder, with what each host's journal says. */
  async saveLogs(to: string): Promise<void> {
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to, { recursive: true });
    for (const file of globSync("{*.log,vpc-*/{*.log,hosts},hosts/*/*.log}", { cwd: this.folder }))
      copyFileSync(join(this.folder, file), join(to, file.replaceAll("/", "-")));
    for (const { host, instance } of this.site.hosts()) {
      const journal = await host.on("journalctl", "--no-pager", "--lines=2000").catch((error: Error) => error.message);
      writeFileSync(join(to, `${instance.name}.journal`), journal);
    }
  }

  /** Ends everything that the lab started, in the opposite order; safe to call again. */
  async close(): Promise<void> {
    await closeAll(this.#closers);
  }
}

async function closeAll(closers: (() => Promise<void>)[]): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
}

async function assemble(
  { scale, patience = 1, engine = "own", say, onEvent }: LabOptions,
  { kubernetes, python, bin, authority, bundleFolder, base, store }: Awaited<ReturnType<typeof supplies>>,
  { folder, prefix: own }: { readonly folder: string; readonly prefix: string },
  closers: (() => Promise<void>)[],
): Promise<Lab> {
  const images = join(folder, "images.json");
  const containerd = pinned("containerd", "github.com/containerd/containerd/v2").slice(1);
  writeImages(images, { kubernetes, containerd, agent: "3.3.3050.0" });
  const profiles = [deployment.controlPlaneProfile, deployment.workerProfile];
  // moto's interpreter calls back where everybody calls, so that door has its number before anybody stands behind it.
  let listener: RequestListener = () => {};
  const { server, port } = await listenLoopback((incoming, outgoing) => listener(incoming, outgoing));
  closers.push(() => closeServer(server));
  const callBack = engine === "moto" ? port : null;
  const moto = await startMoto({ python, images, profiles, log: openSync(join(folder, "moto.log"), "a"), engine: callBack });
  closers.push(() => moto.stop());
  const direct = awsAt(moto.port, "lab");
  const prefix = await furnish(direct, bundleFolder);

  let aws = direct;
  const hooks = noHooks();
  const log = logTo(join(folder, "functions.log"));
  const stage = await openStage({ clock: new RealClock(scale), patience, aws: () => aws, log, onEvent });
  const socket = join(folder, "aws.sock");
  const failed = (error: Error) => say(`lab: ${error.message}`);
  const files = new Map([["/etc/cloister-lab/scale", `${scale}\n`]]);
  const site = new Site({ aws: direct, prefix: own, folder, base, store, socket, failed, scale, files });
  closers.push(() => site.close());
  listener = proxyListener({
    motoPort: moto.port,
    desks: [
      agentDesk(
        (key) => site.instanceOf(key),
        (node) => stage.agents.register(node),
        hooks,
      ),
      secretsDesk(hooks.secrets),
      ssmDesk({ ...stage.commands.operations, ...stage.agents.operations }),
      ...(engine === "moto" ? [lambdaDesk(stage.functions)] : [statesDesk(stage.stepFunctions)]),
      topologyDesk,
    ],
    objects: archives(bundles, prefix, bundleFolder, (key, file) => hooks.archiveOf(key, file)),
    changed: () => site.changed(),
  });
  const pair = { key: readFileSync(join(authority, "aws.key")), cert: readFileSync(join(authority, "aws.crt")) };
  const secure: Server = createServer(pair, listener);
  await new Promise<void>((resolve) => secure.listen(socket, resolve));
  closers.push(() => closeServer(secure));
  aws = awsAt(port, "function");
  const parts = { folder, kubernetes, bin, bundle: bundleFolder, stage, site, aws, hooks };
  return Lab.made({ ...parts, engine: engine === "moto" ? await motoEngine(direct, scale, onEvent) : null }, closers);
}

async function motoEngine({ sfn }: Aws, scale: number, onEvent: (event: HistoryEvent) => void): Promise<MotoEngine> {
  const engine = new MotoEngine(sfn, onEvent);
  for (const name of machineNames)
    await engine.addMachine(name, hurried(substitute(machineText(name), { region, account }), scale));
  return engine;
}

async function closeServer(server: { close(done: () => void): unknown; closeAllConnections(): void }): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

/** What the functions log, a line each: kept with the run. */
function logTo(file: string) {
  const keep = (message: unknown, ...facts: unknown[]) =>
    appendFileSync(file, `${new Date().toISOString()} ${String(message)} ${facts.map((fact) => serialize(fact)).join(" ")}\n`);
  return { debug: () => {}, info: keep, warn: keep, error: keep };
}

const serialize = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (inner instanceof Error ? `${inner.name}: ${inner.message}` : inner));
