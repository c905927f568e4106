import type * as sdk from "@aws-sdk/client-ssm";
import type { Clock } from "../clock.ts";
import { fault } from "../fault.ts";
import { reads, writes } from "../operation.ts";
import type { Operation, Universe } from "../service.ts";
import { SimulationGap } from "../service.ts";
import type { Agents, ManagedNode } from "./agents.ts";
import {
  become,
  type Command,
  commandShown,
  ended,
  type Invocation,
  isError,
  listed,
  newInvocation,
  uuid,
  width,
} from "./command.ts";
import { checkParameters, type Document } from "./documents.ts";

/** GetCommandInvocation keeps the first 24,000 and 8,000 characters (facts 8.6). */
const kept = { stdout: 24_000, stderr: 8_000 } as const;

/** Run Command: finds its targets, delivers through agents that are online, at most so many at a time. */
export class RunCommand {
  readonly operations: Readonly<Record<string, Operation>>;
  readonly documents = new Map<string, Document>();
  readonly #universe: Universe<Clock>;
  readonly #agents: Agents;
  readonly #commands = new Map<string, Command>();

  constructor(universe: Universe<Clock>, agents: Agents) {
    this.#universe = universe;
    this.#agents = agents;
    this.operations = {
      SendCommand: writes<sdk.SendCommandCommandInput>(
        ["DocumentName", "Targets", "InstanceIds", "Parameters", "Comment", "TimeoutSeconds", "MaxConcurrency", "MaxErrors"],
        (input) => this.#send(input),
      ),
      ListCommands: reads<sdk.ListCommandsCommandInput>(["CommandId", "Filters", "MaxResults", "NextToken"], (input) =>
        this.#list(input),
      ),
      ListCommandInvocations: reads<sdk.ListCommandInvocationsCommandInput>(
        ["CommandId", "Details", "MaxResults", "NextToken"],
        (input) => this.#invocations(input),
      ),
      GetCommandInvocation: reads<sdk.GetCommandInvocationCommandInput>(["CommandId", "InstanceId"], (input) => this.#get(input)),
      CancelCommand: writes<sdk.CancelCommandCommandInput>(["CommandId", "InstanceIds"], (input) => this.#cancel(input)),
    };
  }

  /** Parameters and output of every command, for the auditor. */
  written(): { readonly place: string; readonly text: string }[] {
    return [...this.#commands.values()].flatMap(({ document, parameters, comment, invocations }) => [
      { place: `parameters of ${document.name}`, text: `${JSON.stringify(parameters)} ${comment}` },
      ...invocations.map(({ instanceId, result }) => ({
        place: `output of ${document.name} on ${instanceId}`,
        text: `${result.stdout}\n${result.stderr}`,
      })),
    ]);
  }

  /** When commands came to a bad end: with their last node, which is when Run Command says so. */
  failures(): readonly number[] {
    return [...this.#commands.values()].flatMap(({ invocations }) => {
      const ends = invocations.flatMap(({ endedAt }) => endedAt ?? []);
      const isBad = ends.length === invocations.length && invocations.some(({ status }) => status !== "Success");
      return isBad ? [Math.max(...ends)] : [];
    });
  }

  #send(input: sdk.SendCommandCommandInput) {
    const {
      DocumentName = "",
      Targets,
      InstanceIds,
      Parameters = {},
      Comment = "",
      TimeoutSeconds = 3600,
      MaxConcurrency = "50",
      MaxErrors = "0",
    } = input;
    const document = this.documents.get(DocumentName);
    if (document === undefined) throw fault("ssm", "InvalidDocument", `Document ${DocumentName} does not exist`);
    if (Comment.length > 100) throw fault("ssm", "ValidationException", "Comment must have length at most 100");
    if (TimeoutSeconds < 30) throw fault("ssm", "ValidationException", "TimeoutSeconds must be at least 30");
    const parameters = checkParameters(document, Parameters as Record<string, string[]>);
    const nodes = this.#targets(Targets, InstanceIds);
    const count = this.#commands.size + 1;
    const id = uuid(this.#universe.chance.uniform(`command/${count}/a`), this.#universe.chance.uniform(`command/${count}/b`));
    const now = this.#universe.clock.now();
    const command: Command = {
      ...{
        id,
        document,
        comment: Comment,
        parameters,
        targets: Targets ?? [],
        requestedAt: now,
        expiresAt: now + 1000 * (TimeoutSeconds + document.timeoutSeconds),
        status: "Pending",
        detail: "Pending",
      },
      invocations: nodes.map(({ instanceId }) => newInvocation(instanceId, now)),
    };
    this.#commands.set(id, command);
    if (nodes.length === 0) become(command, "Success", "NoInstancesInTag");
    else void this.#deliver(command, width(MaxConcurrency, nodes.length), MaxErrors === "0" ? 0 : Number.POSITIVE_INFINITY);
    return { Command: commandShown(command) };
  }

  #targets(targets: sdk.Target[] | undefined, instanceIds: string[] | undefined): ManagedNode[] {
    const online = this.#agents.registered();
    if (instanceIds !== undefined) {
      const found = online.filter(({ instanceId }) => instanceIds.includes(instanceId));
      if (found.length < instanceIds.length)
        throw fault("ssm", "InvalidInstanceId", "Instances not in a valid state for account");
      return found;
    }
    return (targets ?? []).reduce((nodes, { Key = "", Values = [] }) => {
      if (!Key.startsWith("tag:")) throw new SimulationGap(`Run Command's target ${Key} is not known`);
      return nodes.filter(({ tags }) => Values.includes(tags.get(Key.slice(4)) ?? ""));
    }, online);
  }

  /**
   * `concurrency` nodes at a time; after more than `errorsMax` failures the rest never hear of the command. One expiry for all: what has
   * not ended then is DeliveryTimedOut, on whichever node (user guide, Understanding command timeout values).
   */
  async #deliver(command: Command, concurrency: number, errorsMax: number): Promise<void> {
    command.status = "InProgress";
    const { clock } = this.#universe;
    const queue = [...command.invocations];
    const expiry = clock.limit((command.expiresAt - clock.now()) / 1000).then(() => "expired" as const);
    let failures = 0;
    const lane = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (failures > errorsMax) become(next, "Cancelled", "Terminated");
        else await this.#run(command, next, expiry);
        next.endedAt = clock.now();
        if (isError(next)) failures++;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    // A command ends well although some never heard of it, where one did well (user guide, Understanding command statuses).
    const { invocations } = command;
    const isWell = invocations.some(({ status }) => status === "Success");
    const bad = invocations.find(({ status, detail }) => status !== "Success" && !(isWell && detail === "Undeliverable"));
    become(command, bad?.status ?? "Success", bad?.detail ?? "Success");
  }

  /** An agent that did not answer to the end: which of two words AWS has for it nothing tells, so the seed does. */
  #giveUp({ id }: Command, invocation: Invocation, subject: string): void {
    if (this.#universe.chance.uniform(`undeliverable/${subject}/${id}`) < 0.5) become(invocation, "Failed", "Undeliverable");
    else become(invocation, "TimedOut", "DeliveryTimedOut");
  }

  async #run(command: Command, invocation: Invocation, expiry: Promise<"expired">): Promise<void> {
    const { clock, chance } = this.#universe;
    const agent = this.#agents.find(invocation.instanceId);
    const subject = `${command.document.name}/${agent?.subject ?? invocation.instanceId}`;
    const { stop } = invocation;
    const arrived = await Promise.race([clock.sleep(chance.seconds("ssm.command.roundTrip", subject) / 2), expiry]);
    // What was called off before it was delivered is never begun.
    if (invocation.status === "Cancelling") return become(invocation, "Cancelled");
    if (arrived === "expired") return become(invocation, "TimedOut", "DeliveryTimedOut");
    const begun = await Promise.race([agent?.online() ?? expiry, expiry, stop.promise]);
    if (begun === "stopped") return become(invocation, "Cancelled");
    if (begun === "expired" || agent === undefined) return this.#giveUp(command, invocation, subject);
    if (invocation.status === "Pending") become(invocation, "InProgress");
    const environment = Object.fromEntries(Object.entries(command.parameters).map(([name, value]) => [`SSM_${name}`, value]));
    const over = clock.limit(command.document.timeoutSeconds).then(() => null);
    const script = agent.run(command.document.script, environment, invocation.kill.signal, command.document.timeoutSeconds);
    const result = await Promise.race([script, over, stop.promise, expiry]);
    if (result === "stopped") return become(invocation, "Cancelled");
    // Nothing tells the script: it goes on unheard, to its document's own limit.
    if (result === "expired") return become(invocation, "TimedOut", "DeliveryTimedOut");
    await clock.sleep(chance.seconds("ssm.command.roundTrip", subject) / 2);
    if (result === null) return become(invocation, "TimedOut", "ExecutionTimedOut");
    become(invocation, result.exitCode === 0 ? "Success" : "Failed");
    invocation.result = result;
  }

  /**
   * Best effort (API reference, facts 8.6): what has ended stays as it ended; the order takes as long as a command; a script that ends before it arrives
   * ends as it did; and of those that are called off in time only some are stopped, by the seed: the others go on unheard.
   */
  #cancel({ CommandId = "", InstanceIds = [] }: sdk.CancelCommandCommandInput): object {
    const command = this.#find(CommandId);
    if (new Set(InstanceIds).size < InstanceIds.length) throw fault("ssm", "DuplicateInstanceId", "");
    const { clock, chance } = this.#universe;
    const asked = InstanceIds.length === 0 ? command.invocations.map(({ instanceId }) => instanceId) : InstanceIds;
    for (const id of asked) {
      const invocation = command.invocations.find(({ instanceId }) => instanceId === id);
      if (invocation === undefined) throw fault("ssm", "InvalidInstanceId", `${id} is no target of the command`);
      if (ended(invocation.status) || invocation.status === "Cancelling") continue;
      become(invocation, "Cancelling");
      become(command, "Cancelling");
      const subject = `cancel/${command.document.name}/${this.#agents.find(id)?.subject ?? id}`;
      clock.after(chance.seconds("ssm.command.roundTrip", subject) / 2, () => {
        if (chance.uniform(`${subject}/${command.id}`) < 0.5) invocation.kill.abort();
        invocation.stop.resolve("stopped");
      });
    }
    return {};
  }

  #list({ CommandId, Filters = [], NextToken, MaxResults = 50 }: sdk.ListCommandsCommandInput) {
    let found = [...this.#commands.values()].filter(({ id }) => CommandId === undefined || id === CommandId);
    for (const { key, value = "" } of Filters) {
      if (key === "DocumentName") found = found.filter(({ document }) => document.name === value);
      else if (key === "InvokedAfter") found = found.filter(({ requestedAt }) => requestedAt >= Date.parse(value));
      else if (key === "ExecutionStage" && value === "Executing") found = found.filter(({ status }) => !ended(status));
      else throw new SimulationGap(`ListCommands' filter ${key} is not known`);
    }
    const { page, next } = paged(found, NextToken, MaxResults);
    return { Commands: page.map(commandShown), NextToken: next };
  }

  #invocations({ CommandId = "", Details, NextToken, MaxResults = 50 }: sdk.ListCommandInvocationsCommandInput) {
    const { page, next } = paged(this.#find(CommandId).invocations, NextToken, MaxResults);
    const CommandInvocations = page.map(({ instanceId, status, detail, result }) => ({
      CommandId,
      InstanceId: instanceId,
      Status: status,
      StatusDetails: detail,
      CommandPlugins:
        Details === true ? [{ Name: "run", Status: status, ResponseCode: result.exitCode, Output: listed(result) }] : [],
    }));
    return { CommandInvocations, NextToken: next };
  }

  #get({ CommandId = "", InstanceId = "" }: sdk.GetCommandInvocationCommandInput) {
    const invocation = this.#find(CommandId).invocations.find(({ instanceId }) => instanceId === InstanceId);
    // An invocation cannot be read in the first second or so (facts 8.6).
    if (invocation === undefined || this.#universe.clock.now() - invocation.at < 1000)
      throw fault("ssm", "InvocationDoesNotExist", "");
    const { status, detail, result } = invocation;
    return {
      Status: status,
      StatusDetails: detail,
      ResponseCode: result.exitCode,
      StandardOutputContent: result.stdout.slice(0, kept.stdout),
      StandardErrorContent: result.stderr.slice(0, kept.stderr),
    };
  }

  #find(id: string): Command {
    const command = this.#commands.get(id);
    if (command === undefined) throw fault("ssm", "InvalidCommandId", `no command ${id}`);
    return command;
  }
}

function paged<T>(
  items: readonly T[],
  token: string | undefined,
  size: number,
): { page: readonly T[]; next: string | undefined } {
  const start = Number(token ?? 0);
  return { page: items.slice(start, start + size), next: start + size < items.length ? String(start + size) : undefined };
}
