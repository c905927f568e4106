import type * as sdk from "@aws-sdk/client-ssm";
import { fault } from "../fault.ts";
import { reads, writes } from "../operation.ts";
import type { Operation, Universe } from "../service.ts";
import { SimulationGap } from "../service.ts";
import type { Agents, ManagedNode } from "./agents.ts";
import { checkParameters, type Document } from "./documents.ts";

/** What a script left behind: the streams as far as the agent keeps them. */
export interface ScriptResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Invocation {
  readonly instanceId: string;
  readonly at: number;
  status: "Pending" | "InProgress" | "Success" | "Failed" | "TimedOut" | "Cancelled";
  detail: string;
  result: ScriptResult;
}

interface Command {
  readonly id: string;
  readonly document: Document;
  readonly comment: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly targets: readonly sdk.Target[];
  readonly requestedAt: number;
  readonly deliverySeconds: number;
  readonly invocations: Invocation[];
  status: Invocation["status"];
  detail: string;
}

/** GetCommandInvocation keeps the first 24,000 and 8,000 characters, a listing the first 2,500 (facts 8.6). */
const kept = { stdout: 24_000, stderr: 8_000, listed: 2_500 } as const;
const nothing: ScriptResult = { exitCode: -1, stdout: "", stderr: "" };
const ended = (status: string): boolean => status !== "Pending" && status !== "InProgress";

/** Run Command: finds its targets, delivers through agents that are online, at most so many at a time. */
export class RunCommand {
  readonly operations: Readonly<Record<string, Operation>>;
  readonly documents = new Map<string, Document>();
  readonly #universe: Universe;
  readonly #agents: Agents;
  readonly #commands = new Map<string, Command>();

  constructor(universe: Universe, agents: Agents) {
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
      CancelCommand: writes<sdk.CancelCommandCommandInput>(["CommandId"], ({ CommandId = "" }) => {
        this.#cancel(this.#find(CommandId));
        return {};
      }),
      GetCommandInvocation: reads<sdk.GetCommandInvocationCommandInput>(["CommandId", "InstanceId"], (input) => this.#get(input)),
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
        deliverySeconds: TimeoutSeconds,
        status: "Pending",
        detail: "Pending",
      },
      invocations: nodes.map(({ instanceId }) => ({
        instanceId,
        at: now,
        status: "Pending",
        detail: "Pending",
        result: nothing,
      })),
    };
    this.#commands.set(id, command);
    if (nodes.length === 0) Object.assign(command, { status: "Success", detail: "NoInstancesInTag" });
    else void this.#deliver(command, width(MaxConcurrency, nodes.length), MaxErrors === "0" ? 0 : Number.POSITIVE_INFINITY);
    return { Command: this.#shown(command) };
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

  /** What was not delivered never will be; a script that has begun goes on to its end all the same, unheard (facts 8.6, lifecycle 4). */
  #cancel(command: Command): void {
    for (const invocation of command.invocations)
      if (!ended(invocation.status)) Object.assign(invocation, { status: "Cancelled", detail: "Cancelled" });
    if (!ended(command.status)) Object.assign(command, { status: "Cancelled", detail: "Cancelled" });
  }

  /** `concurrency` nodes at a time; after more than `errorsMax` failures the rest never hear of the command. */
  async #deliver(command: Command, concurrency: number, errorsMax: number): Promise<void> {
    command.status = "InProgress";
    const queue = [...command.invocations];
    const lane = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (ended(next.status)) continue;
        const failures = command.invocations.filter(({ status }) => ended(status) && status !== "Success").length;
        if (failures > errorsMax) Object.assign(next, { status: "Cancelled", detail: "Terminated" });
        else await this.#run(command, next);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    if (ended(command.status)) return;
    const bad = command.invocations.find(({ status }) => status !== "Success");
    command.status = bad === undefined ? "Success" : bad.status;
    command.detail = bad === undefined ? "Success" : bad.detail;
  }

  async #run(command: Command, invocation: Invocation): Promise<void> {
    const { clock, chance } = this.#universe;
    const agent = this.#agents.find(invocation.instanceId);
    const subject = `${command.document.name}/${agent?.subject ?? invocation.instanceId}`;
    await clock.sleep(chance.seconds("ssm.command.roundTrip", subject) / 2);
    const limit = clock.sleep(command.deliverySeconds).then(() => "late" as const);
    const begun = agent === undefined ? await limit : await Promise.race([agent.online(), limit]);
    if (ended(invocation.status)) return;
    if (begun === "late" || agent === undefined) {
      Object.assign(invocation, { status: "TimedOut", detail: "DeliveryTimedOut" });
      return;
    }
    invocation.status = "InProgress";
    const environment = Object.fromEntries(Object.entries(command.parameters).map(([name, value]) => [`SSM_${name}`, value]));
    const over = clock.sleep(command.document.timeoutSeconds).then(() => null);
    const result = await Promise.race([agent.run(command.document.script, environment), over]);
    await clock.sleep(chance.seconds("ssm.command.roundTrip", subject) / 2);
    if (ended(invocation.status)) return;
    if (result === null) Object.assign(invocation, { status: "TimedOut", detail: "ExecutionTimedOut" });
    else
      Object.assign(invocation, {
        status: result.exitCode === 0 ? "Success" : "Failed",
        detail: result.exitCode === 0 ? "Success" : "Failed",
        result,
      });
  }

  #shown(command: Command) {
    const done = command.invocations.filter(({ status }) => ended(status));
    return {
      CommandId: command.id,
      DocumentName: command.document.name,
      Comment: command.comment,
      Targets: [...command.targets],
      Status: command.status,
      StatusDetails: command.detail,
      RequestedDateTime: new Date(command.requestedAt),
      TargetCount: command.invocations.length,
      CompletedCount: done.length,
      ErrorCount: done.filter(({ status }) => status === "Failed").length,
      DeliveryTimedOutCount: done.filter(({ detail }) => detail === "DeliveryTimedOut").length,
    };
  }

  #list({ CommandId, Filters = [], NextToken, MaxResults = 50 }: sdk.ListCommandsCommandInput) {
    let found = [...this.#commands.values()].filter(({ id }) => CommandId === undefined || id === CommandId);
    for (const { key, value = "" } of Filters) {
      if (key === "DocumentName") found = found.filter(({ document }) => document.name === value);
      else if (key === "InvokedAfter") found = found.filter(({ requestedAt }) => requestedAt >= Date.parse(value));
      else if (key === "Status") found = found.filter(({ status }) => status === value);
      else throw new SimulationGap(`ListCommands' filter ${key} is not known`);
    }
    const { page, next } = paged(found, NextToken, MaxResults);
    return { Commands: page.map((command) => this.#shown(command)), NextToken: next };
  }

  #invocations({ CommandId = "", Details, NextToken, MaxResults = 50 }: sdk.ListCommandInvocationsCommandInput) {
    const { page, next } = paged(this.#find(CommandId).invocations, NextToken, MaxResults);
    const CommandInvocations = page.map(({ instanceId, status, detail, result }) => ({
      CommandId,
      InstanceId: instanceId,
      Status: status,
      StatusDetails: detail,
      CommandPlugins:
        Details === true
          ? [{ Name: "run", Status: status, ResponseCode: result.exitCode, Output: result.stdout.slice(0, kept.listed) }]
          : [],
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

/** `50`, `100%`. */
const width = (text: string, count: number): number =>
  Math.max(1, text.endsWith("%") ? Math.ceil((Number.parseInt(text, 10) * count) / 100) : Number.parseInt(text, 10));

function paged<T>(
  items: readonly T[],
  token: string | undefined,
  size: number,
): { page: readonly T[]; next: string | undefined } {
  const start = Number(token ?? 0);
  return { page: items.slice(start, start + size), next: start + size < items.length ? String(start + size) : undefined };
}

/** A version 4 UUID from two draws. */
function uuid(a: number, b: number): string {
  const hex = [a, b]
    .map((draw) =>
      Math.floor(draw * 2 ** 52)
        .toString(16)
        .padStart(13, "0"),
    )
    .join("");
  const digits = `${hex}000000`.slice(0, 32);
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}
