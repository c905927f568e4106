import { Logger } from "@aws-lambda-powertools/logger";
import type { Context } from "aws-lambda";
import * as z from "zod";
import type { Aws } from "./aws/aws.ts";
import { lambdaAws } from "./aws/clients.ts";
import { toStepError } from "./aws/fault.ts";
import { s3Records } from "./aws/s3-records.ts";
import { holdsLock } from "./domain/cluster-record.ts";
import { Hold } from "./domain/lock.ts";
import { DefectError, InvalidRequestError, LockLostError, NotReadyError } from "./errors.ts";

export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

export interface StepSpec<I extends z.ZodType, O extends z.ZodType, D> {
  /** The step's name: its file, its row in the catalogue and the service name in its log. */
  readonly name: string;
  /** True when the step changes anything in AWS. It then passes the fence first: its lock must still be the record's (lifecycle 4). */
  readonly mutates: boolean;
  readonly input: I;
  readonly output: O;
  /** Makes the ports from the clients: in Lambda once a container, in the rehearsal once a call. */
  deps(aws: Aws): D;
  run(input: z.output<I>, deps: D, log: Log): Promise<z.input<O>>;
}

/** What the fence needs of any lock, a build's or a destroy's. */
const Fenced = z.object({ lock: z.object(Hold.shape) });

async function passFence(event: unknown, aws: Aws): Promise<void> {
  const { lock } = Fenced.parse(event);
  const record = await s3Records(aws).read(lock.cluster);
  if (!holdsLock(record?.value, lock))
    throw new LockLostError(`another execution holds ${lock.cluster}`, { held: record?.value.lock.number });
}

/** The one wrapper around every step: parse, fence, run, parse again; whatever goes wrong leaves as one of our errors. */
export function defineStep<I extends z.ZodType, O extends z.ZodType, D>(spec: StepSpec<I, O, D>) {
  /** The door for tests and the rehearsal. `event` is the state's Parameters. */
  async function execute(event: unknown, aws: Aws, log: Log): Promise<z.output<O>> {
    try {
      const input = spec.input.safeParse(event);
      if (!input.success) throw new InvalidRequestError(`${spec.name} got a malformed input`, { issues: input.error.issues });
      if (spec.mutates) await passFence(event, aws);
      const output = spec.output.safeParse(await spec.run(input.data, spec.deps(aws), log));
      if (!output.success) throw new DefectError(`${spec.name} broke its own contract`, { issues: output.error.issues });
      return output.data;
    } catch (cause) {
      const error = toStepError(cause, { step: spec.name });
      log[error instanceof NotReadyError ? "info" : "error"](error.message, { ...error.facts, error });
      throw error;
    }
  }

  const logger = new Logger({ serviceName: spec.name });
  let aws: Aws | undefined;
  /** The door for Lambda. The clients are made at the first call, so that importing a step does no I/O. */
  async function handler(event: unknown, context: Context): Promise<z.output<O>> {
    logger.addContext(context);
    aws ??= lambdaAws();
    return execute(event, aws, logger);
  }
  return { ...spec, execute, handler };
}
