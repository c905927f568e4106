import type { Aws } from "../aws/aws.ts";
import { ec2Holdings } from "../aws/ec2-holdings.ts";
import { startExecution } from "../aws/executions.ts";
import { s3Records } from "../aws/s3-records.ts";
import { ClusterName, Generation } from "../domain/ids.ts";
import { defineLambda } from "../lambda.ts";

/** The stack's schedule (lifecycle 5). */
const everyMinutes = 15;

/**
 * Finds, alone, everything that is nobody's any more and starts its destroy: abandoned generations, those past their time, what an earlier
 * destroy left, and tagged things that no row explains. It needs no event, so it converges whatever was lost.
 */
export const sweepClusters = defineLambda({
  name: "sweep-clusters",
  async run(_, aws, machines, log) {
    const records = s3Records(aws);
    const tagged = await taggedGenerations(aws);
    const names = new Set([...(await records.names()), ...tagged.keys()]);
    // A closed execution's name stays taken for 90 days, so each round has names of its own.
    const round = Math.floor(aws.now().getTime() / (everyMinutes * 60_000));
    let started = 0;
    for (const name of names) {
      // One destroy takes every generation that has its reason, and no second one works on the name meanwhile: that is the next round's.
      const [first] = await records.due(name, tagged.get(name) ?? []);
      if (first === undefined) continue;
      const { because } = first;
      const answer = await startExecution(aws.sfn, machines.destroy, `${name}-${because}-${round}`, { name, because });
      log.warn("destroy by the sweep", { cluster: name, because, answer });
      if (answer === "started") started++;
    }
    return { clusters: names.size, started };
  },
});

/** Every cluster's generations that show in the account, by owner tag. */
async function taggedGenerations(aws: Aws): Promise<ReadonlyMap<ClusterName, readonly number[]>> {
  const found = new Map<ClusterName, Set<number>>();
  for (const { tags } of await ec2Holdings(aws).ofAnyCluster()) {
    const name = ClusterName.safeParse(tags["cloister:cluster"]).data;
    const generation = Generation.safeParse(Number(tags["cloister:generation"])).data;
    if (name === undefined || generation === undefined) continue;
    found.set(name, (found.get(name) ?? new Set()).add(generation));
  }
  return new Map([...found].map(([name, generations]) => [name, [...generations]]));
}

export const { handler } = sweepClusters;
