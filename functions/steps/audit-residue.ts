import * as z from "zod";
import { type Ec2HoldingsPort, ec2Holdings } from "../aws/ec2-holdings.ts";
import { type ElbHoldingsPort, elbHoldings } from "../aws/elb-holdings.ts";
import { type ParametersPort, ssmParameters } from "../aws/parameters.ts";
import { type EvidencePort, s3Evidence } from "../aws/s3-evidence.ts";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { Failure, readableCause } from "../domain/failure.ts";
import { isTheirs, parameterHolding } from "../domain/holdings.ts";
import { Sha256 } from "../domain/ids.ts";
import { clusterId, ownersOf, TeardownLock } from "../domain/lock.ts";
import { describeLeft, type ResidueViews, residueByGeneration, residueOf, summarize } from "../domain/residue.ts";
import { describeKept } from "../domain/teardown.ts";
import { NotReadyError } from "../errors.ts";
import { defineStep } from "../step.ts";

interface Deps {
  readonly holdings: Ec2HoldingsPort;
  readonly balancers: ElbHoldingsPort;
  readonly parameters: ParametersPort;
  readonly records: RecordsPort;
  readonly evidence: EvidencePort;
}

/**
 * Looks at the account in three independent ways. The first look waits until all of them see nothing, as long as its state lets it; the
 * last one gives the verdict: into the record, into the evidence, and as the execution's own end.
 */
export const auditResidue = defineStep({
  name: "audit-residue",
  mutates: true,
  input: z.strictObject({ lock: TeardownLock, isVerdict: z.boolean(), failure: Failure.nullable() }),
  output: z.strictObject({
    isClean: z.boolean(),
    summary: z.string().max(8_000),
    /** Of the evidence; null before the verdict. */
    evidence: z.strictObject({ key: z.string().max(200), sha256: Sha256 }).nullable(),
  }),
  deps: (aws): Deps => ({
    holdings: ec2Holdings(aws),
    balancers: elbHoldings(aws),
    parameters: ssmParameters(aws),
    records: s3Records(aws),
    evidence: s3Evidence(aws),
  }),
  async run({ lock, isVerdict, failure }, deps: Deps, log) {
    const residue = residueOf(await look(lock, deps), lock);
    const isClean = residue.left.length === 0;
    const found = summarize(residue, lock);
    if (!isVerdict) {
      if (!isClean) throw new NotReadyError(found, { left: residue.left.length });
      return { isClean, summary: found, evidence: null };
    }
    const met = isClean || failure === null ? "" : ` Met on the way: ${failure.Error}: ${readableCause(failure.Cause)}`;
    const summary = `${found}${met}`.slice(0, 8_000);
    const content = { lock, isClean, summary, left: residue.left.map(describeLeft), kept: residue.kept.map(describeKept) };
    let evidence = null;
    for (const generation of lock.generations) {
      evidence = await deps.evidence.write({ cluster: lock.cluster, generation }, "residue", content);
    }
    const byGeneration = residueByGeneration(residue, lock);
    await deps.records.change<"finish">(lock.cluster, lock.execution, { kind: "finish", lock, residue: byGeneration });
    log[isClean ? "info" : "error"](summary, { left: residue.left.length, kept: residue.kept.length });
    return { isClean, summary, evidence };
  },
});

/** Three views that share neither tags nor ids nor names. */
async function look(lock: TeardownLock, { holdings, balancers, parameters }: Deps): Promise<ResidueViews> {
  const owners = ownersOf(lock);
  const balancing = await balancers.all();
  const tagged = [...(await holdings.ofOwners(owners)), ...balancing.filter((item) => isTheirs(item, owners))];
  // A VPC that was made and never entered the record is known by its tags alone.
  const vpcIds = new Set([...lock.vpcIds, ...tagged.filter(({ kind }) => kind === "vpc").map(({ id }) => id)]);
  const ids = lock.generations.map((generation) => clusterId({ ...lock, generation }));
  const names: string[] = [];
  for (const generation of lock.generations) names.push(...(await parameters.names(lock.cluster, generation)));
  return {
    tags: tagged,
    membership: [
      ...(await holdings.inVpcs([...vpcIds])),
      ...balancing.filter(({ vpcId }) => vpcId !== null && vpcIds.has(vpcId)),
    ],
    names: [
      ...(await holdings.byName(owners)),
      ...balancing.filter(({ name }) => ids.some((id) => name === `${id}-api`)),
      ...names.map(parameterHolding),
    ],
  };
}

export const { handler } = auditResidue;
