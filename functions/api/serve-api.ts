import { Logger } from "@aws-lambda-powertools/logger";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import * as z from "zod";
import { lambdaAws } from "../aws/clients.ts";
import { MachineArn } from "../domain/ids.ts";
import { apiRouter, type ServeApi } from "./router.ts";

const Environment = z.object({
  CLOISTER_BUILD_MACHINE: MachineArn,
  CLOISTER_REBUILD_MACHINE: MachineArn,
  CLOISTER_DESTROY_MACHINE: MachineArn,
});

const logger = new Logger({ serviceName: "serve-api" });
let serve: ServeApi | undefined;

/** The front door for systems that call instead of people. Made at the first call, so that importing it does no I/O. */
export async function handler(event: APIGatewayProxyEvent, context: Context): Promise<APIGatewayProxyResult> {
  logger.addContext(context);
  const known = Environment.parse(process.env);
  serve ??= apiRouter(
    lambdaAws(),
    { build: known.CLOISTER_BUILD_MACHINE, rebuild: known.CLOISTER_REBUILD_MACHINE, destroy: known.CLOISTER_DESTROY_MACHINE },
    logger,
  );
  return serve(event, context);
}
