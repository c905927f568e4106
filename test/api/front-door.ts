import { strict as assert } from "node:assert";
import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { apiRouter } from "../../functions/api/router.ts";
import { MachineArn } from "../../functions/domain/ids.ts";
import { machineArn } from "../../rehearsal/lambdas.ts";
import type { Stage } from "../../rehearsal/stage.ts";

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly location: string | null;
  // A JSON document of the API's.
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Sent {
  readonly ticket?: string;
  readonly body?: unknown;
  /** The body as it is on the wire, where it is no JSON of ours. */
  readonly raw?: string;
  readonly userArn?: string;
}

export const ticketing = "arn:aws:sts::111122223333:assumed-role/Ticketing/session-1";

/** The event that API Gateway makes of a request, after IAM let it pass. */
function toEvent(method: string, path: string, { ticket, body, raw, userArn = ticketing }: Sent): APIGatewayProxyEvent {
  const headers = { ...(ticket !== undefined && { "Idempotency-Key": ticket }), "content-type": "application/json" };
  return {
    resource: path,
    path,
    httpMethod: method,
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: null,
    body: raw ?? (body === undefined ? null : JSON.stringify(body)),
    isBase64Encoded: false,
    requestContext: { path: `/v1${path}`, stage: "v1", httpMethod: method, identity: { userArn }, domainName: "api.example.com" },
  } as unknown as APIGatewayProxyEvent;
}

/** The front door before a virtual account: the shipped router, called as Lambda calls it. */
export function frontDoor({ account }: Stage) {
  const { clock } = account.world.universe;
  const arn = (machine: string) => MachineArn.parse(machineArn(machine, account.deployment));
  const machines = { build: arn("build-cluster"), rebuild: arn("rebuild-cluster"), destroy: arn("destroy-cluster") };
  const aws = account.clientsFor({ kind: "function", step: "serve-api", state: "ServeApi", execution: "" });
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const router = apiRouter(aws, machines, quiet);
  return async (method: string, path: string, sent: Sent = {}): Promise<Answer> => {
    const answer = await clock.run(router.resolve(toEvent(method, path, sent), {} as Context));
    const headers = new Map(Object.entries(answer.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]));
    for (const [name, values] of Object.entries(answer.multiValueHeaders ?? {}))
      headers.set(name.toLowerCase(), String(values?.[0]));
    const type = headers.get("content-type") ?? "";
    assert.match(type, /json/, answer.body);
    return {
      status: answer.statusCode,
      type,
      location: headers.get("location") ?? null,
      body: JSON.parse(answer.body) as Answer["body"],
    };
  };
}
