import * as z from "zod";
import { type AnnouncementsPort, announcements } from "../aws/announcements.ts";
import { Generation } from "../domain/ids.ts";
import { Hold } from "../domain/lock.ts";
import { defineStep } from "../step.ts";

/** Tells whoever listens that another generation of the cluster serves: the event `Cluster Proved`. */
export const announceCluster = defineStep({
  name: "announce-cluster",
  mutates: true,
  input: z.strictObject({ lock: Hold, generation: Generation, previous: Generation.nullable() }),
  output: z.strictObject({}),
  deps: (aws) => ({ events: announcements(aws) }),
  async run({ lock, generation, previous }, { events }: { events: AnnouncementsPort }, log) {
    await events.send("Cluster Proved", { name: lock.cluster, generation, previous, execution: lock.execution });
    log.info("cluster announced", { cluster: lock.cluster, generation });
    return {};
  },
});

export const { handler } = announceCluster;
