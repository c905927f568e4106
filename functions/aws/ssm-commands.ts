import {
  CancelCommandCommand,
  type CommandInvocation,
  GetCommandInvocationCommand,
  ListCommandsCommand,
  paginateListCommandInvocations,
  paginateListCommands,
  SendCommandCommand,
} from "@aws-sdk/client-ssm";
import type { Target } from "../domain/deliveries.ts";
import { type DocumentName, type DocumentParameters, timeoutSeconds } from "../domain/documents.ts";
import { CommandId, InstanceId } from "../domain/ids.ts";
import { type AnyLock, type Owners, ownersOf } from "../domain/lock.ts";
import { DefectError } from "../errors.ts";
import type { Aws } from "./aws.ts";

export interface CommandRequest<N extends DocumentName = DocumentName> {
  readonly document: N;
  readonly parameters: DocumentParameters<N>;
  readonly target: Target;
  readonly comment: string;
  /** How many nodes it goes to one after another, as control planes join; 1: to all at once. */
  readonly turns: number;
}

export interface CommandProgress {
  readonly status: "unknown" | "running" | "succeeded" | "failed";
  readonly targets: number;
  readonly completed: number;
  /** Run Command's own word, for the error message: `DeliveryTimedOut`, `Failed`, `NoInstancesInTag`. */
  readonly detail: string;
}

export interface CommandOutput {
  readonly instanceId: InstanceId;
  readonly status: "running" | "succeeded" | "failed";
  readonly detail: string;
  readonly output: string;
}

export interface CommandsPort {
  /** An earlier command of the same state of the same execution, found by its exact Comment. */
  find(lock: AnyLock, document: DocumentName, comment: string): Promise<CommandId | null>;
  send<N extends DocumentName>(lock: AnyLock, request: CommandRequest<N>): Promise<CommandId>;
  /** Our commands to nodes of these generations that have not ended, whoever sent them. */
  underWay(owners: Owners): Promise<readonly CommandId[]>;
  /** Promises nothing: a script that an agent has begun may go on to its end (lifecycle 4). */
  cancel(commandId: CommandId): Promise<void>;
  look(commandId: CommandId): Promise<CommandProgress>;
  /** How far each node is, and what it printed; of that and its errors together SSM keeps 2,400 characters. One page holds 50 nodes. */
  outputs(commandId: CommandId): Promise<readonly CommandOutput[]>;
  /** The end of what a failed node wrote to stderr, which is where our scripts give the reason. */
  reason(commandId: CommandId, instanceId: InstanceId): Promise<string>;
}

/** 1005 nodes fill 21 pages; AWS may give pages that are not full. */
const pagesMax = 100;

const documentPrefix = "cloister-";
/** The name under which the stack registers a document. */
export const documentName = (document: DocumentName): string => `${documentPrefix}${document}`;

const running = new Set(["Pending", "InProgress", "Delayed", "Cancelling"]);

const statusOf = (status = ""): CommandOutput["status"] =>
  running.has(status) ? "running" : status === "Success" ? "succeeded" : "failed";

/** What the agent puts between a script's output and its errors, once there are any (amazon-ssm-agent, iohandler.go). */
const errorTitle = "\n----------ERROR-------\n";

const toOutput = (invocation: CommandInvocation): CommandOutput => ({
  instanceId: InstanceId.parse(invocation.InstanceId),
  status: statusOf(invocation.Status),
  detail: (invocation.StatusDetails ?? invocation.Status ?? "Unknown").replaceAll(" ", ""),
  output: invocation.CommandPlugins?.[0]?.Output?.split(errorTitle)[0] ?? "",
});

const targetsOf = (lock: AnyLock, target: Target) => [
  { Key: "tag:cloister:cluster", Values: [lock.cluster] },
  { Key: "tag:cloister:generation", Values: ownersOf(lock).generations.map(String) },
  "nodeNames" in target
    ? { Key: "tag:Name", Values: [...target.nodeNames] }
    : { Key: "tag:cloister:role", Values: [...target.roles] },
];

export const ssmCommands = ({ ssm }: Pick<Aws, "ssm">): CommandsPort => ({
  async find(lock, document, comment) {
    const filters = [
      { key: "DocumentName" as const, value: documentName(document) },
      { key: "InvokedAfter" as const, value: lock.since.replace(/\.\d+Z$/, "Z") },
    ];
    for await (const page of paginateListCommands({ client: ssm }, { Filters: filters, MaxResults: 50 })) {
      const found = page.Commands?.find((command) => command.Comment === comment);
      if (found !== undefined) return CommandId.parse(found.CommandId);
    }
    return null;
  },

  async send(lock, { document, parameters, target, comment, turns }) {
    const { Command } = await ssm.send(
      new SendCommandCommand({
        DocumentName: documentName(document),
        Targets: targetsOf(lock, target),
        Parameters: Object.fromEntries(Object.entries<string>(parameters).map(([name, value]) => [name, [value]])),
        Comment: comment,
        TimeoutSeconds: timeoutSeconds(document, turns),
        MaxConcurrency: turns === 1 ? "100%" : "1",
        // With the default of 0 the first failure keeps the others from ever hearing of the command (facts 8.6).
        MaxErrors: turns === 1 ? "100%" : "0",
      }),
    );
    return CommandId.parse(Command?.CommandId);
  },

  async underWay({ cluster, generations }) {
    const found: CommandId[] = [];
    // By stage, since Cancelling is no status that ListCommands can be asked for (API reference, CommandFilter).
    const filters = [{ key: "ExecutionStage" as const, value: "Executing" }];
    for await (const { Commands = [] } of paginateListCommands({ client: ssm }, { Filters: filters, MaxResults: 50 })) {
      const ours = Commands.filter(({ Targets, DocumentName = "" }) => {
        const valuesOf = (key: string) => Targets?.find(({ Key }) => Key === `tag:cloister:${key}`)?.Values ?? [];
        const isTheirs = valuesOf("generation").some((generation) => generations.includes(Number(generation)));
        return DocumentName.startsWith(documentPrefix) && valuesOf("cluster").includes(cluster) && isTheirs;
      });
      found.push(...ours.map(({ CommandId: id }) => CommandId.parse(id)));
    }
    return found;
  },

  async cancel(commandId) {
    await ssm.send(new CancelCommandCommand({ CommandId: commandId }));
  },

  async look(commandId) {
    const { Commands } = await ssm.send(new ListCommandsCommand({ CommandId: commandId }));
    const command = Commands?.[0];
    if (command === undefined) return { status: "unknown", targets: 0, completed: 0, detail: "not listed yet" };
    const detail = (command.StatusDetails ?? command.Status ?? "Unknown").replaceAll(" ", "");
    const progress = { targets: command.TargetCount ?? 0, completed: command.CompletedCount ?? 0, detail };
    return { ...progress, status: statusOf(command.Status) };
  },

  async outputs(commandId) {
    const outputs: CommandOutput[] = [];
    const pages = paginateListCommandInvocations({ client: ssm }, { CommandId: commandId, Details: true, MaxResults: 50 });
    let count = 0;
    for await (const page of pages) {
      outputs.push(...(page.CommandInvocations ?? []).map(toOutput));
      if (++count > pagesMax) throw new DefectError(`${commandId} has more than ${pagesMax} pages of nodes`);
    }
    return outputs;
  },

  async reason(commandId, instanceId) {
    const answer = await ssm.send(new GetCommandInvocationCommand({ CommandId: commandId, InstanceId: instanceId }));
    if (answer.Status === undefined) throw new DefectError("SSM gave an invocation without a status");
    return (answer.StandardErrorContent ?? "").trim();
  },
});
