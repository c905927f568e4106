import type { Target } from "@aws-sdk/client-ssm";
import type { Document } from "./documents.ts";

/** What a script left behind: the streams as far as the agent keeps them. */
export interface ScriptResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Invocation {
  readonly instanceId: string;
  readonly at: number;
  status: "Pending" | "InProgress" | "Cancelling" | "Success" | "Failed" | "TimedOut" | "Cancelled";
  detail: string;
  /** When it came to an end, whichever. */
  endedAt: number | null;
  result: ScriptResult;
  /** Settles when the order to stop has arrived. */
  readonly stop: PromiseWithResolvers<"stopped">;
  /** Ends the script's processes, where the agent manages to. */
  readonly kill: AbortController;
}

export interface Command {
  readonly id: string;
  readonly document: Document;
  readonly comment: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly targets: readonly Target[];
  readonly requestedAt: number;
  /** TimeoutSeconds and the document's own, from when it was sent. */
  readonly expiresAt: number;
  readonly invocations: Invocation[];
  status: Invocation["status"];
  detail: string;
}

const nothing: ScriptResult = { exitCode: -1, stdout: "", stderr: "" };

/** What an agent puts into a listing, bytes, and how it marks what it cut (amazon-ssm-agent, agent/framework/processor/executer/iohandler/iohandler.go). */
const listing = {
  most: 2400,
  cutOutput: "\n---Output truncated---",
  cutErrors: "\n---Error truncated----",
  between: "\n----------ERROR-------\n",
} as const;

/** Both streams as one text, which is all that ListCommandInvocations shows of them: errors follow the output, of a good script too. */
export function listed({ stdout, stderr }: ScriptResult): string {
  const [output, errors] = [Buffer.from(stdout), Buffer.from(stderr)];
  const between = errors.length > 0 ? listing.between : "";
  const room = listing.most - between.length;
  const [half, both] = [Math.floor(room / 2), output.length + errors.length];
  const first = (stream: Buffer, bytes: number) => stream.subarray(0, bytes).toString();
  if (both < room) return `${stdout}${between}${stderr}`;
  if (output.length > half && errors.length > half) {
    const each = Math.floor((room - listing.cutErrors.length - listing.cutOutput.length) / 2);
    return `${first(output, each)}${listing.cutOutput}${between}${first(errors, each)}${listing.cutErrors}`;
  }
  if (output.length < half)
    return `${stdout}${between}${first(errors, room - listing.cutErrors.length - output.length)}${listing.cutErrors}`;
  return `${first(output, room - listing.cutOutput.length - errors.length)}${listing.cutOutput}${between}${stderr}`;
}

export const newInvocation = (instanceId: string, at: number): Invocation => ({
  ...{ instanceId, at, status: "Pending", detail: "Pending", endedAt: null, result: nothing },
  stop: Promise.withResolvers<"stopped">(),
  kill: new AbortController(),
});

export const ended = (status: string): boolean => !["Pending", "InProgress", "Cancelling"].includes(status);

/** What counts against MaxErrors: a script that ended badly or too late, and nothing that never reached its node (user guide, Understanding command statuses). */
export const isError = ({ status, detail }: Pick<Invocation, "status" | "detail">): boolean =>
  (status === "Failed" && detail === "Failed") || detail === "ExecutionTimedOut";

/** Sets the status that Run Command, or its agent, gives. */
export function become(of: Invocation | Command, status: Invocation["status"], detail: string = status): void {
  of.status = status;
  of.detail = detail;
}

export function commandShown(command: Command) {
  const done = command.invocations.filter(({ status }) => ended(status));
  return {
    CommandId: command.id,
    DocumentName: command.document.name,
    Comment: command.comment,
    Targets: [...command.targets],
    Status: command.status,
    StatusDetails: command.detail,
    RequestedDateTime: new Date(command.requestedAt),
    ExpiresAfter: new Date(command.expiresAt),
    TargetCount: command.invocations.length,
    CompletedCount: done.length,
    ErrorCount: done.filter(isError).length,
    DeliveryTimedOutCount: done.filter(({ detail }) => detail === "DeliveryTimedOut").length,
  };
}

/** `50`, `100%`. */
export const width = (text: string, count: number): number =>
  Math.max(1, text.endsWith("%") ? Math.ceil((Number.parseInt(text, 10) * count) / 100) : Number.parseInt(text, 10));

/** A version 4 UUID from two draws. */
export function uuid(a: number, b: number): string {
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
