import type { Aws } from "../aws/aws.ts";
import { describeExecution, type ExecutionView, startExecution } from "../aws/executions.ts";
import type { MachineArn } from "../domain/ids.ts";
import { canonicalJson, executionName, type Ticket } from "../domain/ticket.ts";

export type Action = "build" | "rebuild" | "destroy";
export type ApiMachines = Readonly<Record<Action, MachineArn>>;

export interface TicketView extends ExecutionView {
  readonly action: Action;
}

/** What a caller's ticket became. There is no table of tickets: the execution itself bears their hash, and is kept for 90 days. */
export async function findTicket(aws: Pick<Aws, "sfn">, machines: ApiMachines, name: string): Promise<TicketView | null> {
  for (const action of Object.keys(machines) as Action[]) {
    const view = await describeExecution(aws.sfn, machines[action], name);
    if (view !== null) return { ...view, action };
  }
  return null;
}

export interface Wish {
  readonly action: Action;
  readonly caller: string;
  readonly ticket: Ticket;
  readonly input: object;
}

/** Starts what is asked for, once. `other`: the ticket stands for something else already. */
export async function accept(aws: Pick<Aws, "sfn">, machines: ApiMachines, wish: Wish): Promise<"accepted" | "other"> {
  const { action, input } = wish;
  const name = executionName(wish.caller, wish.ticket);
  const isSame = (known: TicketView) => known.action === action && canonicalJson(known.input) === canonicalJson(input);
  const known = await findTicket(aws, machines, name);
  if (known !== null) return isSame(known) ? "accepted" : "other";
  if ((await startExecution(aws.sfn, machines[action], name, input)) === "started") return "accepted";
  // Somebody sent the same ticket at the same moment.
  const first = await findTicket(aws, machines, name);
  return first !== null && isSame(first) ? "accepted" : "other";
}
