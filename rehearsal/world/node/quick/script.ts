import { createHash } from "node:crypto";
import type { Process } from "../processes.ts";
import type { Answer } from "../shell.ts";

/** One of scripts/node without its shell: the same programs, files and waits, and the same words at its end. */
export interface QuickScript {
  /** lib.sh: who changes the node holds it alone, who works through the API server shares it, who only looks holds nothing. */
  readonly hold: "alone" | "shared" | "none";
  /** lib.sh: the script after whose good end this one's turn is. */
  readonly follows?: string;
  /** Parameters, without `SSM_`, that must not be empty. */
  readonly needs: readonly string[];
  /** Gives what the last output line says. */
  run(sh: Script): Promise<Readonly<Record<string, unknown>>>;
}

/** The script has ended before its end: `die`, or a program that failed under `set -e`. */
export class Exit extends Error {}

/** What the scripts' variables of these names hold (lib.sh). */
export const state = "/var/lib/cloister";
export const config = "/etc/kubernetes/cloister-kubeadm.yaml";
export const kubeconfig = "/etc/kubernetes/admin.conf";

/** `$(...)`: what was printed, without the line ends behind it. */
export const stripped = (text: string): string => text.replace(/\n+$/, "");
export const linesOf = (text: string): string[] => (stripped(text) === "" ? [] : stripped(text).split("\n"));
/** `tail -n COUNT | tr '\n' ' '` */
export const tail = (text: string, count: number): string =>
  text === ""
    ? ""
    : stripped(text)
        .split("\n")
        .slice(-count)
        .map((line) => `${line} `)
        .join("");
/** `tail -n 1` */
export const lastLine = (text: string): string => stripped(text).split("\n").at(-1) ?? "";

/** The first lines of `run`'s failing program that say why (lib.sh). */
const reasons = /error|fail|refused|unknown|denied|timed out|not found|could not|unable|pinned|no longer/i;

/** What a script stands on. */
interface Ground {
  readonly environment: Readonly<Record<string, string>>;
  readonly process: Process;
  /** Seconds until the agent ends it; the document builder writes them into the script. */
  readonly limit: number;
  readonly files: Map<string, string>;
  readonly manifests: Readonly<Record<string, string>>;
}

/** A script under way, and the functions that lib.sh gives it. A program is called by a line of words, and words that hold spaces. */
export class Script {
  /** What went to stderr. The log, which only a person reads, is not kept. */
  stderr = "";
  /** The folder for files that hold a secret; this script's own. */
  secrets = "";
  readonly files: Map<string, string>;
  readonly #manifests: Readonly<Record<string, string>>;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #process: Process;
  readonly #limit: number;
  #ends = 0;

  constructor({ environment, process, limit, files, manifests }: Ground) {
    this.#limit = limit;
    this.#environment = environment;
    this.#process = process;
    this.#manifests = manifests;
    this.files = files;
  }

  /** One of our own manifests. */
  manifest(name: string): string {
    return stripped(this.#manifests[name] ?? this.die(`no manifest is called ${name}`));
  }

  /** A parameter of the document. */
  get(name: string): string {
    return this.#environment[`SSM_${name}`] ?? "";
  }

  /** A program, with its output in the log alone. */
  call(line: string, words: readonly string[] = [], stdin = ""): Promise<Required<Answer>> {
    const [name = "", ...args] = line.split(" ");
    return this.#process.start(name, [...args, ...words], stdin);
  }

  /** Whether it ended well. */
  async ok(line: string, ...words: string[]): Promise<boolean> {
    return (await this.call(line, words)).exitCode === 0;
  }

  /** What it prints; its failure is no matter, what it says of it is shown. */
  async loose(line: string, ...words: string[]): Promise<string> {
    const { stdout, stderr } = await this.call(line, words);
    this.stderr += stderr;
    return stdout;
  }

  /** What it prints; its failure ends the script, as `set -e` does. */
  async must(line: string, words: readonly string[] = [], stdin = ""): Promise<string> {
    const { stdout, stderr, exitCode } = await this.call(line, words, stdin);
    this.stderr += stderr;
    if (exitCode !== 0) throw new Exit();
    return stdout;
  }

  /** Nothing that looks like a bootstrap token passes. */
  die(reason: string): never {
    this.stderr += `${reason.replaceAll(/[a-z0-9]{6}\.[a-z0-9]{16}/g, "<token>")}\n`;
    throw new Exit();
  }

  need(names: readonly string[]): void {
    const unset = names.find((name) => this.get(name) === "");
    if (unset !== undefined)
      this.die(`SSM_${unset} is not set: the SSM agent is too old for ENV_VAR parameters, or the document is not ours`);
  }

  checkFence(): void {
    const highest = stripped(this.files.get(`${state}/fence`) ?? "0");
    if (Number(this.get("fence")) < Number(highest))
      this.die(`fence ${this.get("fence")} is lower than ${highest}: another execution works on this cluster`);
  }

  async run(line: string, ...words: string[]): Promise<void> {
    const { stdout, stderr, exitCode } = await this.call(line, words);
    if (exitCode === 0) return;
    const said = `${stdout}${stderr}`;
    const reason = linesOf(said).filter((one) => !one.includes("WARNING") && reasons.test(one));
    const [name, first = words[0] ?? ""] = line.split(" ");
    this.die(`${name} ${first} failed: ${tail(`${reason.length > 0 ? reason.join("\n") : stripped(said)}\n`, 4)}`);
  }

  /** Asks every second, until it ends well. */
  async untilTrue(most: number, what: string, ask: () => Promise<Required<Answer>>): Promise<void> {
    const seconds = await this.within(most);
    const end = await this.moment(seconds);
    for (;;) {
      const { stdout, stderr, exitCode } = await ask();
      if (exitCode === 0) return;
      const last = lastLine(`${stdout}${stderr}`);
      if (await this.isOver(end)) this.die(`${what}: not so after ${seconds} seconds${last === "" ? "" : `: ${last}`}`);
      await this.sleep(1);
    }
  }

  /** Asks every two seconds; `inVain` says what was waited for. */
  async askedFor(seconds: number, isSo: () => Promise<boolean>, inVain: () => Promise<string>): Promise<void> {
    const end = await this.moment(seconds);
    while (!(await isSo())) {
      if (await this.isOver(end)) this.die(await inVain());
      await this.sleep(2);
    }
  }

  async #now(): Promise<number> {
    return Number(stripped(await this.must("date +%s")));
  }

  /** So many seconds, or what is left. */
  async within(seconds: number): Promise<number> {
    return Math.min(Math.max(1, this.#ends - (await this.#now())), seconds);
  }

  /** The one at which a wait of so many seconds is over. */
  async moment(seconds: number): Promise<number> {
    return (await this.#now()) + (await this.within(seconds));
  }

  async isOver(moment: number): Promise<boolean> {
    return (await this.#now()) >= moment;
  }

  async sleep(seconds: number): Promise<void> {
    await this.must(`sleep ${seconds}`);
  }

  async metadata(name: string): Promise<string> {
    const from = "http://169.254.169.254/latest";
    const put = "curl -fsS -m 5 -X PUT -H";
    const token = stripped(await this.must(put, ["X-aws-ec2-metadata-token-ttl-seconds: 60", `${from}/api/token`]));
    return stripped(await this.must("curl -fsS -m 5 -H", [`X-aws-ec2-metadata-token: ${token}`, `${from}/meta-data/${name}`]));
  }

  /** Every host resolves inside the private subnets and answers over TLS; gives what does not. */
  async unanswered(): Promise<string[]> {
    const problems: string[] = [];
    const subnets = this.get("subnets");
    for (const host of this.get("hosts").split(",")) {
      const [address = ""] = (await this.loose(`getent ahostsv4 ${host}`)).split(" ");
      if (address === "") problems.push(`${host} does not resolve`);
      else if (!inside(address, subnets.split(",")))
        problems.push(`${host} resolves to ${address}, outside the private subnets ${subnets}`);
      else if (!(await this.ok(`curl -s -o /dev/null --connect-timeout 5 -m 10 https://${host}/`)))
        problems.push(`${host} (${address}) does not answer on TCP 443`);
    }
    return problems;
  }

  /** An object of the bundle, by its full key: gives what it holds. */
  async fetch(key: string, sha256: string, path: string): Promise<string> {
    const url = `s3://${this.get("bucket")}/${key}`;
    const { stdout, stderr, exitCode } = await this.call(
      `aws s3 cp --region ${this.get("region")} --only-show-errors ${url} ${path}`,
    );
    if (exitCode !== 0) this.die(`cannot read ${url}: ${lastLine(`${stdout}${stderr}`)}`);
    this.intact(key, sha256, path);
    return this.files.get(path) ?? "";
  }

  /** What came of an object of the bundle is what was planned. */
  intact(key: string, sha256: string, path: string): void {
    if (
      createHash("sha256")
        .update(this.files.get(path) ?? "")
        .digest("hex") !== sha256
    )
      this.die(`s3://${this.get("bucket")}/${key} does not have the SHA-256 it was planned with`);
  }

  /** Says that this script has ended well, for the one that follows. */
  finished(name: string): void {
    this.files.set(`${state}/finished.${name}`, `${this.get("fence")}\n`);
  }

  hasFinished(name: string): boolean {
    return stripped(this.files.get(`${state}/finished.${name}`) ?? "") === this.get("fence");
  }

  /** What lib.sh does before the script's own first line. */
  async begin({ hold, follows, needs }: QuickScript): Promise<void> {
    this.#ends = (await this.#now()) + this.#limit - 20;
    this.need(["fence", "region"]);
    this.secrets = stripped(await this.must(`mktemp -d ${state}/secrets.XXXXXX`));
    const busy = "another script of this cluster is still running on this node";
    const patience = follows !== undefined ? 400 : hold === "alone" ? 240 : 20;
    const mode = hold === "alone" ? "-x" : "-s";
    for (let idle = 0; ; idle += 2) {
      if (hold !== "none" && !(await this.ok(`flock ${mode} -w ${await this.within(patience)} 9`))) this.die(busy);
      if (follows === undefined || this.hasFinished(follows)) break;
      await this.must("flock -u 9");
      if (idle >= (await this.within(60))) this.die(`${follows} has not ended well on this node`);
      await this.sleep(2);
    }
    if (!(await this.ok("flock -x -w 20 8"))) this.die(busy);
    this.checkFence();
    this.files.set(`${state}/fence`, `${this.get("fence")}\n`);
    await this.must("flock -u 8");
    this.need(needs);
  }
}

/** Whether one of the blocks holds the address. */
export function inside(address: string, blocks: readonly string[]): boolean {
  const number = (text: string) => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return blocks.some((block) => {
    const [network = "", prefix] = block.split("/");
    const size = 2 ** (32 - Number(prefix));
    return Math.floor(number(address) / size) === Math.floor(number(network) / size);
  });
}
