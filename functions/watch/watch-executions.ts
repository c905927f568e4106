import { createHash } from "node:crypto";
import * as z from "zod";
import { startExecution } from "../aws/executions.ts";
import { s3Records } from "../aws/s3-records.ts";
import { ClusterName, ExecutionArn } from "../domain/ids.ts";
import { defineLambda } from "../lambda.ts";

/** Step Functions' status event, as far as it is read. It comes best effort: late, twice, or never. */
const StatusEvent = z.object({
  detail: z.object({
    executionArn: ExecutionArn,
    status: z.string().max(20),
    /** Left out by EventBridge where it is too long. */
    input: z.string().max(262_144).nullish(),
  }),
});
const ended = new Set(["FAILED", "TIMED_OUT", "ABORTED"]);

/** In whichever form a machine of ours takes its input, it names the cluster. */
const Named = z.union([
  z.object({ name: ClusterName }).transform(({ name }) => name),
  z.object({ request: z.object({ name: ClusterName }) }).transform(({ request }) => request.name),
]);

/**
 * An abort, a machine's own timeout and States.Runtime run no Catch. What such an execution was working on is destroyed from outside,
 * if the record still says that it is nobody's (lifecycle 5). Whatever this misses, the sweep finds.
 */
export const watchExecutions = defineLambda({
  name: "watch-executions",
  async run(event, aws, machines, log) {
    const { executionArn, status, input } = StatusEvent.parse(event).detail;
    const name = nameIn(input);
    if (!ended.has(status) || name === null) return { started: 0 };
    const records = s3Records(aws);
    const rows = (await records.read(name))?.value.generations ?? {};
    let started = 0;
    for (const { generation, because } of await records.due(name, [])) {
      const row = rows[String(generation)];
      const isItsWork = [row?.builder?.execution, row?.rebuilder, row?.destroyer].includes(executionArn);
      if (because !== "abandoned" || !isItsWork) continue;
      // The same event twice comes to the same name.
      const id = createHash("sha256").update(`${name}/${generation}/${executionArn}`).digest("hex").slice(0, 40);
      const answer = await startExecution(aws.sfn, machines.destroy, `abandoned-${id}`, { name, generation, because });
      log.warn("destroy of what was abandoned", { cluster: name, generation, execution: executionArn, status, answer });
      if (answer === "started") started++;
    }
    return { started };
  },
});

function nameIn(input: string | null | undefined): ClusterName | null {
  try {
    return Named.safeParse(JSON.parse(input ?? "null")).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export const { handler } = watchExecutions;
