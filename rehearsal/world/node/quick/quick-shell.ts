import type { SimClock } from "../../clock.ts";
import { SimulationGap } from "../../service.ts";
import type { ScriptResult } from "../../ssm/command.ts";
import { Processes } from "../processes.ts";
import type { NodeShell, Program } from "../shell.ts";
import { publishAccess, revokeJoin } from "./access.ts";
import { type Guard, standGuard } from "./boothook.ts";
import { installManifests } from "./install-manifests.ts";
import { captureJoin, join, kubeadmInit } from "./kubeadm.ts";
import { checkDns, probeIsolation } from "./looks.ts";
import { preloadImages } from "./preload-images.ts";
import { releaseResources } from "./release-resources.ts";
import { Exit, type QuickScript, Script } from "./script.ts";
import { verifyCluster } from "./verify-cluster.ts";

const scripts: Readonly<Record<string, QuickScript>> = {
  "check-dns": checkDns,
  "preload-images": preloadImages,
  "kubeadm-init": kubeadmInit,
  "capture-join": captureJoin,
  join,
  "install-manifests": installManifests,
  "verify-cluster": verifyCluster,
  "probe-isolation": probeIsolation,
  "revoke-join": revokeJoin,
  "publish-access": publishAccess,
  "release-resources": releaseResources,
};

/** What the product ships, told from outside: the world shares no code with it. */
export interface Shipped {
  /** The document whose script this is, to the last letter. */
  documentOf(text: string): string | null;
  /** What the guard of an instance's user data names, if this is one. */
  guardOf(text: string): Guard | null;
  /** Our own manifests by name. */
  readonly manifests: Readonly<Record<string, string>>;
}

/** A node's disk as a map, and the shipped scripts without their shell: what each says and does is written down beside this. */
export class QuickShell implements NodeShell {
  readonly #files = new Map<string, string>();
  readonly #processes: Processes;

  readonly #shipped: Shipped;

  constructor(clock: SimClock, programs: Readonly<Record<string, Program>>, isUp: () => boolean, shipped: Shipped) {
    this.#processes = new Processes(clock, programs, isUp);
    this.#shipped = shipped;
  }

  async run(text: string, environment: Readonly<Record<string, string>>, kill?: AbortSignal): Promise<ScriptResult> {
    const { documentOf, guardOf, manifests } = this.#shipped;
    const script = scripts[documentOf(text) ?? ""];
    const guard = script === undefined ? guardOf(text) : null;
    if (script === undefined && guard === null)
      throw new SimulationGap(`no quick script says what this one does; it must be interpreted: ${text.slice(0, 200)}`);
    const process = this.#processes.begin(kill);
    const limit = Number(/^limit=(\d+)$/m.exec(text)?.[1]);
    const sh = new Script({ environment, process, limit, files: this.#files, manifests });
    try {
      if (guard !== null) await standGuard(sh, guard);
      const said = script === undefined ? "" : `${JSON.stringify(await carryOut(script, sh))}\n`;
      return { exitCode: 0, stdout: said, stderr: sh.stderr };
    } catch (error) {
      if (!(error instanceof Exit)) throw error;
      return { exitCode: 1, stdout: "", stderr: sh.stderr };
    } finally {
      process.end();
    }
  }

  read(path: string): Promise<string | null> {
    return Promise.resolve(this.#files.get(path) ?? null);
  }

  write(path: string, text: string): Promise<void> {
    this.#files.set(path, text);
    return Promise.resolve();
  }

  remove(path: string): Promise<void> {
    for (const file of [...this.#files.keys()]) if (file === path || file.startsWith(`${path}/`)) this.#files.delete(file);
    return Promise.resolve();
  }

  /** A map has no folders. */
  makeFolder(): Promise<void> {
    return Promise.resolve();
  }
}

async function carryOut(script: QuickScript, sh: Script): ReturnType<QuickScript["run"]> {
  await sh.begin(script);
  return script.run(sh);
}
