import * as z from "zod";
import { type Ec2HoldingsPort, ec2Holdings } from "../aws/ec2-holdings.ts";
import { type ParametersPort, ssmParameters } from "../aws/parameters.ts";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { ClusterName, ExecutionArn, Generation } from "../domain/ids.ts";
import { Because, Parent, TeardownLock } from "../domain/lock.ts";
import { refusalOf } from "../domain/request-problems.ts";
import { defineStep } from "../step.ts";

/** What starts a destroy (lifecycle 6). `because` is for those that no person started, `parent` for a machine of ours. */
export const DestroyInput = z.strictObject({
  name: ClusterName,
  generation: Generation.nullable().default(null),
  because: Because.nullable().default(null),
  /** Left out: as the generation's own request says. */
  volumes: z.enum(["delete", "retain"]).nullable().default(null),
  parent: Parent.nullable().default(null),
  /** Step Functions' own link from a child to its parent, for the console. */
  AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: z.string().max(300).optional(),
});

interface Deps {
  readonly records: RecordsPort;
  readonly holdings: Ec2HoldingsPort;
  readonly parameters: ParametersPort;
}

/**
 * Enters the execution in the cluster's record and says which generations are to go: those on record, and those that only tags show.
 * With nothing to destroy it writes nothing. Re-entrant: asked again, it gives the same answer.
 */
export const acquireTeardownLock = defineStep({
  name: "acquire-teardown-lock",
  // It takes the lock that the fence compares, so it has no fence itself; what it writes is guarded by compare-and-swap.
  mutates: false,
  input: z.strictObject({ input: z.json(), execution: ExecutionArn }),
  output: z.strictObject({
    lock: TeardownLock.nullable(),
    why: z.string().max(8_000),
    /** The slot of the last error on the way; there is none yet. */
    failure: z.null(),
  }),
  deps: (aws): Deps => ({ records: s3Records(aws), holdings: ec2Holdings(aws), parameters: ssmParameters(aws) }),
  async run({ input, execution }, { records, holdings, parameters }: Deps, log) {
    const parsed = DestroyInput.safeParse(input);
    if (!parsed.success) throw refusalOf(parsed.error);
    const { name, generation, because, volumes, parent } = parsed.data;
    const tagged = await taggedGenerations(name, { holdings, parameters });
    const { lock, why } = await records.change<"destroy">(name, execution, {
      kind: "destroy",
      name,
      generation,
      because,
      volumes,
      parent,
      // Whoever gives neither a reason nor a parent has decided it himself.
      byPerson: because === null && parent === null,
      tagged,
    });
    log.info(lock === null ? "nothing to destroy" : "lock taken", { cluster: name, generations: lock?.generations, why });
    return { lock, why: why.slice(0, 8_000), failure: null };
  },
});

/** Generations of the name that show in the account, whether the record knows them or not. */
async function taggedGenerations(
  name: ClusterName,
  { holdings, parameters }: Pick<Deps, "holdings" | "parameters">,
): Promise<readonly number[]> {
  const said = [
    ...(await holdings.ofCluster(name)).map(({ tags }) => tags["cloister:generation"]),
    ...(await parameters.names(name)).map((parameter) => /\/g(\d+)\//.exec(parameter)?.[1]),
  ];
  const parsed = said.map((text) => Generation.safeParse(Number(text))).flatMap(({ data }) => data ?? []);
  return [...new Set(parsed)].sort((a, b) => a - b);
}

export const { handler } = acquireTeardownLock;
