import { Logger } from "@aws-lambda-powertools/logger";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent, Context } from "aws-lambda";
import * as z from "zod";
import { lambdaSecrets, readCallerSecrets } from "../aws/caller-secrets.ts";
import { toStepError } from "../aws/fault.ts";
import { canonicalQuery, isInWindow, isSignedBy, type SignedParts, signatureHeaders } from "../domain/signed-request.ts";
import type { Log } from "../step.ts";
import { headerOf } from "./api-event.ts";

export interface Keys {
  readonly secrets: SecretsManagerClient;
  /** The ARN of the secret that holds every caller's. */
  readonly secretId: string;
  now(): Date;
}

const partsOf = (event: APIGatewayRequestAuthorizerEvent): SignedParts => ({
  method: event.httpMethod,
  path: event.requestContext.path,
  query: canonicalQuery(event.multiValueQueryStringParameters ?? {}),
  timestamp: headerOf(event, signatureHeaders.timestamp),
  keyId: headerOf(event, signatureHeaders.keyId),
  ticket: headerOf(event, "idempotency-key"),
  digest: headerOf(event, "content-digest"),
});

/** Why a request is not let in; for the log alone. */
async function refusalFor(event: APIGatewayRequestAuthorizerEvent, parts: SignedParts, keys: Keys): Promise<string | null> {
  if (!isInWindow(parts.timestamp, keys.now())) return "its timestamp is missing or outside of the window";
  const known = new Map(Object.entries(await readCallerSecrets(keys.secrets, keys.secretId)));
  const secrets = known.get(parts.keyId);
  if (secrets === undefined) return "nobody has this key";
  return isSignedBy(secrets, parts, headerOf(event, signatureHeaders.signature)) ? null : "its signature is another";
}

/** Lets a caller in who signed this very request with one of his secrets. The body is the handler's to compare: an authorizer sees none. */
export async function authorizeCaller(
  event: APIGatewayRequestAuthorizerEvent,
  keys: Keys,
  log: Log,
): Promise<APIGatewayAuthorizerResult> {
  const parts = partsOf(event);
  const { keyId, method, path } = parts;
  try {
    const refusal = await refusalFor(event, parts, keys);
    if (refusal === null) {
      const Statement = [{ Effect: "Allow" as const, Action: "execute-api:Invoke", Resource: event.methodArn }];
      return { principalId: keyId, policyDocument: { Version: "2012-10-17", Statement } };
    }
    log.warn("caller refused", { keyId: keyId.slice(0, 64), method, path, refusal });
  } catch (cause) {
    const error = toStepError(cause, { function: "authorize-caller" });
    log.error(error.message, { ...error.facts, error });
    throw error;
  }
  // API Gateway answers 401 to this one word, and tells the caller no more than that.
  throw new Error("Unauthorized");
}

const Environment = z.object({ CLOISTER_CALLERS_SECRET: z.string().min(1) });
const logger = new Logger({ serviceName: "authorize-caller" });
let keys: Keys | undefined;

export async function handler(event: APIGatewayRequestAuthorizerEvent, context: Context): Promise<APIGatewayAuthorizerResult> {
  logger.addContext(context);
  keys ??= {
    secrets: lambdaSecrets(),
    secretId: Environment.parse(process.env).CLOISTER_CALLERS_SECRET,
    now: () => new Date(),
  };
  return authorizeCaller(event, keys, logger);
}
