import { type Ec2HoldingsPort, ec2Holdings } from "../aws/ec2-holdings.ts";
import { type Ec2RemovalsPort, ec2Removals } from "../aws/ec2-removals.ts";
import { ownersOf } from "../domain/lock.ts";
import { isGoing } from "../domain/teardown.ts";
import { defineRemoval } from "../removal.ts";

interface Deps {
  readonly holdings: Ec2HoldingsPort;
  readonly removals: Ec2RemovalsPort;
}

/** So many a look: each is one call, and the function has 60 s. */
const perLook = 100;

/** The nodes' own volumes and, of the generations whose data is to go, what pods had: volumes and snapshots (lifecycle 6). */
export const deleteVolumes = defineRemoval({
  name: "delete-volumes",
  deps: (aws): Deps => ({ holdings: ec2Holdings(aws), removals: ec2Removals(aws) }),
  list: async (lock, { holdings }) =>
    (await holdings.ofOwners(ownersOf(lock), ["volume", "snapshot"])).filter((item) => isGoing(item, lock)),
  async remove(present, { removals }, sweep) {
    await sweep.each(present.filter(({ state }) => state !== "deleting").slice(0, perLook), removals.remove);
  },
});

export const { handler } = deleteVolumes;
