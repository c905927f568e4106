import { type Ec2HoldingsPort, ec2Holdings } from "../aws/ec2-holdings.ts";
import { type ElbHoldingsPort, elbHoldings } from "../aws/elb-holdings.ts";
import { isTheirs } from "../domain/holdings.ts";
import { ownersOf } from "../domain/lock.ts";
import { defineRemoval } from "../removal.ts";

interface Deps {
  readonly balancers: ElbHoldingsPort;
  readonly network: Ec2HoldingsPort;
}

/** AWS's own words on the interfaces that a load balancer leaves for a while, and that hold subnets and groups (facts 7.1). */
const balancerInterface = /^ELB /;

/**
 * Every load balancer of the cluster, in both APIs: the one before the control planes, and what Services got. Their target groups, which
 * the cloud provider leaks when it is interrupted (facts 7.3), can go only once the load balancers have.
 */
export const deleteLoadBalancers = defineRemoval({
  name: "delete-load-balancers",
  deps: (aws): Deps => ({ balancers: elbHoldings(aws), network: ec2Holdings(aws) }),
  async list(lock, { balancers, network }) {
    const owners = ownersOf(lock);
    const vpcs = await network.ofOwners(owners, ["vpc"]);
    const interfaces = (await network.inVpcs(vpcs.map(({ id }) => id))).filter(
      ({ kind, name }) => kind === "network-interface" && balancerInterface.test(name),
    );
    return [...(await balancers.all()).filter((item) => isTheirs(item, owners)), ...interfaces];
  },
  async remove(present, { balancers }, sweep) {
    const isGroup = ({ kind }: { kind: string }) => kind === "target-group";
    await sweep.each(
      present.filter((item) => !isGroup(item) && item.kind !== "network-interface"),
      balancers.remove,
    );
    await sweep.each(present.filter(isGroup), balancers.remove);
  },
});

export const { handler } = deleteLoadBalancers;
