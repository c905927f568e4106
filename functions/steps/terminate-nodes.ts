import { type Ec2HoldingsPort, ec2Holdings } from "../aws/ec2-holdings.ts";
import { type Ec2RemovalsPort, ec2Removals } from "../aws/ec2-removals.ts";
import { ownersOf } from "../domain/lock.ts";
import { defineRemoval } from "../removal.ts";

interface Deps {
  readonly holdings: Ec2HoldingsPort;
  readonly removals: Ec2RemovalsPort;
}

/** TerminateInstances takes so many ids at once that one call suffices; the API answers sooner with fewer. */
const idsMax = 200;

/** Ends every node and waits until all have ended: until then, their controllers could make again what is swept next (facts 7.2). */
export const terminateNodes = defineRemoval({
  name: "terminate-nodes",
  deps: (aws): Deps => ({ holdings: ec2Holdings(aws), removals: ec2Removals(aws) }),
  list: (lock, { holdings }) => holdings.ofOwners(ownersOf(lock), ["instance"]),
  async remove(nodes, { removals }, sweep) {
    const living = nodes.filter(({ state }) => state !== "shutting-down").slice(0, idsMax);
    if (living.length > 0) sweep.note(living, await removals.terminate(living));
  },
});

export const { handler } = terminateNodes;
