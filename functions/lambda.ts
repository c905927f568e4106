import { Logger } from "@aws-lambda-powertools/logger";
import type { Context } from "aws-lambda";
import * as z from "zod";
import type { Aws } from "./aws/aws.ts";
import { lambdaAws } from "./aws/clients.ts";
import { toStepError } from "./aws/fault.ts";
import { MachineArn } from "./domain/ids.ts";
import type { Log } from "./step.ts";

/** The machines that functions outside of any machine may start; the stack names them in their environment. */
export interface Machines {
  readonly destroy: MachineArn;
}

const Environment = z.object({ CLOISTER_DESTROY_MACHINE: MachineArn });
const lambdaMachines = (): Machines => ({ destroy: Environment.parse(process.env).CLOISTER_DESTROY_MACHINE });

interface LambdaSpec<O> {
  /** Its file, and the service name in its log. */
  readonly name: string;
  run(event: unknown, aws: Aws, machines: Machines, log: Log): Promise<O>;
}

/** The wrapper around what no state machine calls. Whatever goes wrong leaves as one of our errors, for whoever called to try again. */
export function defineLambda<O>(spec: LambdaSpec<O>) {
  /** The door for tests and the rehearsal. */
  async function execute(event: unknown, aws: Aws, machines: Machines, log: Log): Promise<O> {
    try {
      return await spec.run(event, aws, machines, log);
    } catch (cause) {
      const error = toStepError(cause, { function: spec.name });
      log.error(error.message, { ...error.facts, error });
      throw error;
    }
  }

  const logger = new Logger({ serviceName: spec.name });
  let known: { readonly aws: Aws; readonly machines: Machines } | undefined;
  async function handler(event: unknown, context: Context): Promise<O> {
    logger.addContext(context);
    known ??= { aws: lambdaAws(), machines: lambdaMachines() };
    return execute(event, known.aws, known.machines, logger);
  }
  return { name: spec.name, execute, handler };
}
