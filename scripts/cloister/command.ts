import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { executionState } from "../../functions/aws/executions.ts";
import { s3Records } from "../../functions/aws/s3-records.ts";
import type { ClusterRecord } from "../../functions/domain/cluster-record.ts";
import { ClusterName, type ExecutionArn } from "../../functions/domain/ids.ts";
import { UsageError } from "../options.ts";
import type { Host } from "./host.ts";
import { readSite, type Site } from "./site.ts";

/** What every command is given beside its words. */
export interface Context {
  readonly host: Host;
  /** One JSON object on standard output, and nothing else there. */
  readonly isJson: boolean;
}

/** Adds a group of commands. `ends` makes commander's action of what gives an exit code. */
export type AddCommands = (program: Command, ends: Ends) => void;
/** Commander hands over the command's words and its options, whose types stand at each command, and the command itself last. */
export type Ends = <W extends readonly unknown[]>(act: Act<W>) => (...words: unknown[]) => Promise<void>;
/** What a command does, and its exit code. */
export type Act<W extends readonly unknown[]> = (context: Context, ...words: W) => Promise<number>;

/** Says what a command found: an object for programs, lines for people. */
export function tell({ host, isJson }: Context, facts: object, lines: readonly string[]): void {
  for (const line of isJson ? [JSON.stringify(facts)] : lines) host.screen.write(`${line}\n`);
}

/** A cluster's name as an argument. */
export function clusterName(text: string): ClusterName {
  const { data, error } = ClusterName.safeParse(text);
  if (data === undefined) throw new InvalidArgumentError(`A name has ${error.issues[0]?.message}.`);
  return data;
}

/** A whole number within its bounds, as an option's value. */
export const whole = (least: number, most: number) => (text: string) => {
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number >= least && number <= most) return number;
  throw new InvalidArgumentError(`It has to be a whole number from ${least} to ${most}.`);
};

export interface Known {
  readonly site: Site;
  readonly record: ClusterRecord;
}

/** The records of a deployment. */
export const recordsOf = ({ clients, now }: Host, { bucket }: Site) =>
  s3Records({ s3: clients.s3, sfn: clients.sfn, now, deployment: { bucket } });

export const unknownCluster = (name: ClusterName): UsageError =>
  new UsageError(`there is no cluster ${name}; \`cloister list\` shows all there are`);

/** The record's holders that still work, the outermost first: a build that was kept, or died, left its entry behind. */
export async function workingOn({ clients }: Host, { lock }: ClusterRecord): Promise<readonly ExecutionArn[]> {
  const working: ExecutionArn[] = [];
  for (const { execution } of lock.holders) {
    if ((await executionState(clients.sfn, execution)) !== "ended") working.push(execution);
  }
  return working;
}

/** The deployment and the cluster's record. Nobody may be told that a name is fine which was only misspelt. */
export async function knownCluster(host: Host, name: ClusterName): Promise<Known> {
  const site = await readSite(host.clients);
  const record = (await recordsOf(host, site).read(name))?.value;
  if (record === undefined) throw unknownCluster(name);
  return { site, record };
}

/** The generation that serves. */
export function currentOf({ record }: Known, name: ClusterName): number {
  if (record.current === null) throw new UsageError(`no generation of ${name} serves; \`cloister status ${name}\` says more`);
  return record.current;
}
