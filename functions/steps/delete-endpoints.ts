import { type Ec2HoldingsPort, ec2Holdings } from "../aws/ec2-holdings.ts";
import { type Ec2RemovalsPort, ec2Removals } from "../aws/ec2-removals.ts";
import { ownersOf } from "../domain/lock.ts";
import { defineRemoval } from "../removal.ts";

interface Deps {
  readonly holdings: Ec2HoldingsPort;
  readonly removals: Ec2RemovalsPort;
}

/** The VPC endpoints. Only one that no longer shows has given its subnets and its group free (facts 7.2). */
export const deleteEndpoints = defineRemoval({
  name: "delete-endpoints",
  deps: (aws): Deps => ({ holdings: ec2Holdings(aws), removals: ec2Removals(aws) }),
  list: (lock, { holdings }) => holdings.ofOwners(ownersOf(lock), ["endpoint"]),
  async remove(endpoints, { removals }, sweep) {
    // One after another would be as good; one call is what AWS offers.
    const present = endpoints.filter(({ state }) => state !== "deleting");
    if (present.length > 0) sweep.note(present, await removals.removeEndpoints(present));
  },
});

export const { handler } = deleteEndpoints;
