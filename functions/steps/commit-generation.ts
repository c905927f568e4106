import * as z from "zod";
import { type CensusPort, ec2Census } from "../aws/ec2-census.ts";
import { type RecordsPort, s3Records } from "../aws/s3-records.ts";
import { deviations, plannedCounts } from "../domain/census.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
import { CertificateRef, Lock } from "../domain/lock.ts";
import { Plan } from "../domain/plan.ts";
import { DefectError } from "../errors.ts";
import { defineStep } from "../step.ts";

/** The point of no return: counts first (exactly the plan, each once), then the generation is proved and current. */
export const commitGeneration = defineStep({
  name: "commit-generation",
  mutates: true,
  input: z.strictObject({ lock: Lock, request: ClusterRequest, plan: Plan, certificate: CertificateRef }),
  output: z.strictObject({}),
  deps: (aws) => ({ census: ec2Census(aws), records: s3Records(aws) }),
  async run({ lock, request, plan, certificate }, { census, records }: { census: CensusPort; records: RecordsPort }, log) {
    const differences = deviations(plannedCounts(request, plan), await census.take(lock));
    if (differences.length > 0)
      throw new DefectError(`what was built is not what was planned: ${differences.join("; ")}`, { differences });
    await records.change<"commit">(lock.cluster, lock.execution, { kind: "commit", lock, certificate });
    log.info("generation proved", { cluster: lock.cluster, generation: lock.generation, certificate: certificate.key });
    return {};
  },
});

export const { handler } = commitGeneration;
