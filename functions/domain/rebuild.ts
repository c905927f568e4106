import * as z from "zod";
import { ClusterName } from "./ids.ts";
import { ImageLine } from "./lines.ts";

/** Who, or what, wants the rebuild. */
export const Trigger = z.enum(["person", "ticket", "schedule", "image", "event"]);
export type Trigger = z.infer<typeof Trigger>;

/** What starts a rebuild (lifecycle 6). */
export const RebuildInput = z.strictObject({
  name: ClusterName,
  /** Another request than the one that was asked for the current generation. */
  request: z.record(z.string(), z.json()).nullable().default(null),
  trigger: Trigger.default("person"),
});
export type RebuildInput = z.infer<typeof RebuildInput>;

/** So many clusters in one run: more, and its history might reach Step Functions' limit. */
export const fleetMax = 200;

/** A run over all clusters that a trigger is for, and how far it has come. A rule gives the trigger, and what has changed. */
export const FleetRun = z
  .strictObject({
    trigger: z.enum(["schedule", "image"]),
    /** The line with a new image. It comes from an event, so it is judged here. */
    parameter: ImageLine.nullable().default(null),
    /** The one that was picked last; null before the first, and after the last. */
    cluster: ClusterName.nullable().default(null),
    /** What its rebuild is called: a start whose answer was lost finds the one that runs. */
    rebuild: z.string().max(80).nullable().default(null),
    /** How many were picked. */
    count: z.int().min(0).max(fleetMax).default(0),
  })
  .refine(({ trigger, parameter }) => (trigger === "image") === (parameter !== null), {
    path: ["parameter"],
    error: 'goes with the trigger "image", and with no other',
  });
export type FleetRun = z.infer<typeof FleetRun>;
