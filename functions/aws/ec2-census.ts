import { type Census, type CensusKind, censusKinds } from "../domain/census.ts";
import { type Lock, ownersOf } from "../domain/lock.ts";
import type { Aws } from "./aws.ts";
import { ec2Holdings } from "./ec2-holdings.ts";
import { elbApi } from "./elb-api.ts";

export interface CensusPort {
  /** Everything that carries this generation's owner tags, from each service's own Describe call (the tag index lags, facts 7.3). */
  take(lock: Lock): Promise<Census>;
}

/** What is on its way out, or never came to be, is no part of a generation any more. */
const leaving = /^(?:shutting-down|deleting|failed)$/;

export const ec2Census = (aws: Pick<Aws, "ec2" | "elb">): CensusPort => ({
  async take(lock) {
    const kinds = censusKinds.filter((kind) => kind !== "load-balancer");
    const [things, loadBalancer] = await Promise.all([
      ec2Holdings(aws).ofOwnSteps(ownersOf(lock), kinds),
      elbApi(aws).find(lock),
    ]);
    const standing = things.filter(({ state }) => !leaving.test(state));
    const idsOf = (wanted: CensusKind) => standing.flatMap(({ kind, id }) => (kind === wanted ? [id] : [])).sort();
    return {
      vpc: idsOf("vpc"),
      subnet: idsOf("subnet"),
      "internet-gateway": idsOf("internet-gateway"),
      "route-table": idsOf("route-table"),
      "security-group": idsOf("security-group"),
      endpoint: idsOf("endpoint"),
      instance: idsOf("instance"),
      "load-balancer": loadBalancer === null ? [] : [loadBalancer.name],
    };
  },
});
