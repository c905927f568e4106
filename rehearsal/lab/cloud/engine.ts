import { setTimeout as pause } from "node:timers/promises";
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from "@aws-sdk/client-sfn";
import { machineArn } from "../../lambdas.ts";
import type { HistoryEvent } from "../../world/asl/history.ts";
import type { Outcome } from "../../world/asl/host.ts";
import { account, region } from "./aws.ts";

/** An execution, whoever interprets its machine. */
export interface Run {
  readonly name: string;
  readonly machine: string;
  readonly done: Promise<Outcome>;
  readonly history: { readonly events: readonly HistoryEvent[] };
  stop(error: string, cause: string): void;
}

const lookMilliseconds = 1_000;

/** moto's own interpreter, which asks the lab's functions over HTTP as Step Functions asks Lambda. */
export class MotoEngine {
  readonly #client: SFNClient;
  readonly #onEvent: (event: HistoryEvent) => void;

  constructor(client: SFNClient, onEvent: (event: HistoryEvent) => void) {
    this.#client = client;
    this.#onEvent = onEvent;
  }

  async addMachine(name: string, definition: string): Promise<void> {
    const roleArn = `arn:aws:iam::${account}:role/cloister-lab`;
    await this.#client.send(new CreateStateMachineCommand({ name, definition, roleArn }));
  }

  start(machine: string, name: string, input: unknown): Run {
    const events: HistoryEvent[] = [];
    const executionArn = `${machineArn(machine, { region, account }).replace(":stateMachine:", ":execution:")}:${name}`;
    const stop = (error: string, cause: string) =>
      void this.#client.send(new StopExecutionCommand({ executionArn, error, cause })).catch(() => {});
    return { name, machine, done: this.#run(machine, executionArn, input, events), history: { events }, stop };
  }

  async #run(machine: string, executionArn: string, input: unknown, events: HistoryEvent[]): Promise<Outcome> {
    const name = executionArn.split(":").at(-1);
    const stateMachineArn = machineArn(machine, { region, account });
    await this.#client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
    for (;;) {
      const { status, output, error, cause } = await this.#client.send(new DescribeExecutionCommand({ executionArn }));
      await this.#follow(executionArn, events);
      if (status === undefined || status === "RUNNING" || status === "PENDING_REDRIVE") await pause(lookMilliseconds);
      else
        return {
          status,
          ...(output ? { output: JSON.parse(output) } : {}),
          ...(error ? { error } : {}),
          ...(cause ? { cause } : {}),
        };
    }
  }

  /** moto gives the whole history at every call (facts, wire 1.7). */
  async #follow(executionArn: string, events: HistoryEvent[]): Promise<void> {
    const { events: all = [] } = await this.#client.send(new GetExecutionHistoryCommand({ executionArn }));
    for (const { id = 0, previousEventId = 0, type = "", timestamp, ...rest } of all.slice(events.length)) {
      const details = Object.entries(rest).find(([key]) => key.endsWith("EventDetails"))?.[1] ?? {};
      const event = { execution: executionArn, id, previousEventId, timestamp: timestamp?.getTime() ?? 0, type, details };
      events.push(event as HistoryEvent);
      this.#onEvent(event as HistoryEvent);
    }
  }
}
