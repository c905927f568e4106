import type { Aws } from "../aws/aws.ts";
import { describeExecution, type ExecutionView, executionProgress, startExecution } from "../aws/executions.ts";
import type { ClusterRecord } from "../domain/cluster-record.ts";
import type { MachineArn } from "../domain/ids.ts";
import { canonicalJson, executionName, type Ticket } from "../domain/ticket.ts";
import type { Action, RequestStatus } from "./answers.ts";

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

/**
 * Where a ticket's execution stands. One that waits for another machine of ours is as far as that one is: the record's holders are this chain,
 * the one that works now last (lifecycle 3.5).
 */
export async function progressOf(
  { sfn }: Pick<Aws, "sfn">,
  { arn, status }: TicketView,
  record: ClusterRecord | undefined,
): Promise<RequestStatus["progress"]> {
  const holders = status === "RUNNING" ? (record?.lock.holders ?? []).map(({ execution }) => execution) : [];
  const chain = holders.includes(arn) ? holders.slice(holders.indexOf(arn)) : [arn];
  const all = await Promise.all(chain.map(async (execution) => ({ execution, at: await executionProgress(sfn, execution) })));
  const known = all.flatMap(({ execution, at }) => (at === null ? [] : [{ execution, at }]));
  const last = known.at(-1);
  if (last === undefined) return null;
  const entered = known.reduce((sum, { at }) => sum + at.entered, 0);
  return { execution: last.execution, state: last.at.state, since: last.at.since.toISOString(), entered };
}
