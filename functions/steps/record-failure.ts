import * as z from "zod";
import { type CensusPort, ec2Census } from "../aws/ec2-census.ts";
import { type EvidencePort, s3Evidence } from "../aws/s3-evidence.ts";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { describeCensus } from "../domain/census.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
import { Failure, readableCause } from "../domain/failure.ts";
import { Lock } from "../domain/lock.ts";
import { Plan } from "../domain/plan.ts";
import { defineStep } from "../step.ts";

interface Deps {
  readonly census: CensusPort;
  readonly records: RecordsPort;
  readonly evidence: EvidencePort;
}

/** Keeps what was built for a look, writes down exactly what that is, and says whether a roll-back is due. */
export const recordFailure = defineStep({
  name: "record-failure",
  mutates: true,
  input: z.strictObject({ lock: Lock, request: ClusterRequest, plan: Plan, failure: Failure }),
  output: z.strictObject({ rollBack: z.enum(["yes", "kept", "no"]), cause: z.string().max(8_000) }),
  deps: (aws): Deps => ({ census: ec2Census(aws), records: s3Records(aws), evidence: s3Evidence(aws) }),
  async run({ lock, failure }, { census, records, evidence }: Deps, log) {
    const { rollBack, keptUntil } = await records.change<"fail">(lock.cluster, lock.execution, { kind: "fail", lock });
    const cause = readableCause(failure.Cause);
    if (rollBack === "no") return { rollBack, cause };
    const left = await census.take(lock);
    const { key } = await evidence.write(lock, "failure", { lock, error: failure.Error, cause, rollBack, keptUntil, left });
    log.warn(rollBack === "kept" ? "build failed, its parts are kept" : "build failed and is rolled back", {
      cluster: lock.cluster,
      generation: lock.generation,
      keptUntil,
      evidence: key,
    });
    if (rollBack === "yes") return { rollBack, cause: `${cause}\nAll of it: ${key}` };
    return { rollBack, cause: `${cause}\nKept until ${keptUntil}: ${describeCensus(left)}. All of it: ${key}` };
  },
});

export const { handler } = recordFailure;
