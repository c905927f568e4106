import { fields, inventions, left, lifelike } from "./answers.ts";
import type { Difference } from "./difference.ts";
import { accepted, refusedOtherwise } from "./refusals.ts";

/** Everything that the two sides are known to differ in. */
export const differencesKnown: readonly Difference[] = [
  ...accepted,
  ...refusedOtherwise,
  ...lifelike,
  ...fields,
  ...inventions,
  ...left,
];

/** Operations of the world that no story tells, and why not. */
export const untold: Readonly<Record<string, string>> = {
  DescribeInstanceTopology: "moto has not written it: HTTP 500 (wire, recheck 6)",
  DescribeInstanceInformation: "moto has not written it (wire 2)",
  SendCommand: "moto's commands succeed at once and run nothing (wire 2)",
  ListCommands: "the same",
  ListCommandInvocations: "moto has not written it (wire 2)",
  CancelCommand: "moto has not written it (wire 2)",
  GetCommandInvocation: "canned in moto (wire 2)",
  GetExecutionHistory: "moto runs a machine by an interpreter of its own, with events and ids of its own",
};
