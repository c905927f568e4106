import { type Ec2HoldingsPort, ec2Holdings } from "../aws/ec2-holdings.ts";
import { type Ec2RemovalsPort, ec2Removals } from "../aws/ec2-removals.ts";
import { describeHoldings, type HoldingKind, isTheirs } from "../domain/holdings.ts";
import { ownersOf } from "../domain/lock.ts";
import { ConflictError } from "../errors.ts";
import { defineRemoval } from "../removal.ts";

interface Deps {
  readonly holdings: Ec2HoldingsPort;
  readonly removals: Ec2RemovalsPort;
}

/** What nothing else removes, in the order in which AWS lets go (facts 7.2). */
const order: readonly HoldingKind[] = ["route-table", "internet-gateway", "security-group", "subnet", "vpc"];
/** How the groups that controllers make begin (facts 7.1); one that was made but never tagged lies in our VPC nevertheless. */
const madeByControllers = /^k8s-/;

/** Route tables, internet gateway, security groups, subnets and, once nothing of ours is left in it, the VPC. */
export const deleteNetwork = defineRemoval({
  name: "delete-network",
  deps: (aws): Deps => ({ holdings: ec2Holdings(aws), removals: ec2Removals(aws) }),
  async list(lock, { holdings }) {
    const owned = await holdings.ofOwners(ownersOf(lock), ["route-table", "internet-gateway", "security-group", "subnet", "vpc"]);
    const vpcIds = owned.filter(({ kind }) => kind === "vpc").map(({ id }) => id);
    const groups = (await holdings.inVpcs(vpcIds)).filter(
      ({ kind, name }) => kind === "security-group" && madeByControllers.test(name),
    );
    return [...new Map([...owned, ...groups].map((item) => [item.id, item])).values()];
  },
  async remove(present, { holdings, removals }, sweep, lock) {
    const of = (wanted: HoldingKind) => present.filter(({ kind }) => kind === wanted);
    // Groups name each other in their rules, and one that is named cannot go.
    for (const group of of("security-group")) {
      const answer = await removals.revokeRules(group);
      if (answer !== "asked") sweep.note([group], answer);
    }
    for (const kind of order) await sweep.each(of(kind), removals.remove);
    if (!sweep.isStuck) return;
    const inside = await holdings.inVpcs(of("vpc").map(({ id }) => id));
    const foreign = inside.filter(
      (item) => !isTheirs(item, ownersOf(lock)) && item.kind !== "network-interface" && !madeByControllers.test(item.name),
    );
    // Waiting would not help: nobody but its owner removes it.
    if (foreign.length > 0) {
      throw new ConflictError(`${describeHoldings(foreign)} in our VPC is not ours, and keeps ${describeHoldings(present)}`, {
        foreign: foreign.map(({ id }) => id).slice(0, 20),
      });
    }
  },
});

export const { handler } = deleteNetwork;
