import * as z from "zod";
import { ClusterName } from "./ids.ts";

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
