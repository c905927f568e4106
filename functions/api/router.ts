import { Router } from "@aws-lambda-powertools/event-handler/http";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import type { Aws } from "../aws/aws.ts";
import { s3Evidence } from "../aws/s3-evidence.ts";
import { s3Records } from "../aws/s3-records.ts";
import { firstCause } from "../domain/first-cause.ts";
import { ClusterName } from "../domain/ids.ts";
import { readRequest } from "../domain/request-problems.ts";
import { contentDigest } from "../domain/signed-request.ts";
import { callerOf, executionName, Ticket } from "../domain/ticket.ts";
import { InvalidRequestError, TransientError } from "../errors.ts";
import type { Log } from "../step.ts";
import type { Accepted, Action, ClusterList, ClusterView, RequestStatus } from "./answers.ts";
import { headerOf, routePath } from "./api-event.ts";
import { openApi } from "./openapi.ts";
import { problemDetails } from "./problem-details.ts";
import { type ApiMachines, accept, findTicket, progressOf, type TicketView } from "./requests.ts";

/** A request of ours has a few hundred bytes; tags may make it longer. */
const bodyBytesMax = 32_768;

/** Ends a request with this answer. */
class Answered extends Error {
  readonly response: Response;
  constructor(response: Response) {
    super(`answered with ${response.status}`);
    this.response = response;
  }
}
const refuse = (...problem: Parameters<typeof problemDetails>): never => {
  throw new Answered(problemDetails(...problem));
};

interface Asked {
  readonly event: unknown;
  readonly params: Readonly<Record<string, string>>;
}

const eventOf = ({ event }: Asked): APIGatewayProxyEvent => event as APIGatewayProxyEvent;
const clusterOf = ({ params }: Asked): ClusterName => {
  const parsed = ClusterName.safeParse(params["name"]);
  return parsed.success ? parsed.data : refuse(404, "no cluster can have this name");
};

/** Whom API Gateway let in: by IAM, or by the authorizer of callers who sign with a secret. */
function callerOfEvent(asked: Asked): string {
  const { identity, authorizer } = eventOf(asked).requestContext;
  if (typeof identity.userArn === "string") return callerOf(identity.userArn);
  const keyId: unknown = authorizer?.["principalId"];
  return typeof keyId === "string" ? `key:${keyId}` : refuse(400, "the caller is not known");
}

function ticketOf(asked: Asked): Ticket {
  const parsed = Ticket.safeParse(headerOf(eventOf(asked), "idempotency-key"));
  return parsed.success ? parsed.data : refuse(400, `the header Idempotency-Key has to be ${parsed.error.issues[0]?.message}`);
}

/** The body as JSON; null where there is none. */
function bodyOf(asked: Asked): unknown {
  const event = eventOf(asked);
  const bytes = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  if (bytes.length > bodyBytesMax) refuse(413, `a body has at most ${bodyBytesMax} bytes`);
  // What the authorizer let in was signed with this header and without the body. SigV4 covers the body itself.
  const digest = headerOf(event, "content-digest");
  const needsDigest = typeof event.requestContext.identity.userArn !== "string" && bytes.length > 0;
  if ((needsDigest || digest !== "") && digest !== contentDigest(bytes))
    refuse(400, "the header Content-Digest has to be sha-256=:BASE64:, of this very body");
  if (bytes.length === 0) return null;
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return refuse(400, "the body is not JSON");
  }
}

/** A path as the caller has to write it: API Gateway puts the stage before it, or a custom domain its own. */
function pathFor(asked: Asked, path: string): string {
  const { requestContext, ...event } = eventOf(asked);
  const [ours, whole] = [routePath(event), requestContext.path];
  return `${whole.endsWith(ours) ? whole.slice(0, -ours.length) : ""}${path}`;
}

const json = <T extends object>(content: T, status = 200, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(JSON.stringify(content), { status, headers: { "content-type": "application/json", ...headers } });

export type ServeApi = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

/** The routes of the front door, over whatever clients it is given. */
export function apiRouter(aws: Aws, machines: ApiMachines, log: Log): ServeApi {
  const router = new Router();
  const records = s3Records(aws);

  async function start(asked: Asked, action: Action, cluster: string, input: object): Promise<Response> {
    const [ticket, caller] = [ticketOf(asked), callerOfEvent(asked)];
    const answer = await accept(aws, machines, { action, caller, ticket, input });
    log.info("request taken", { action, cluster, ticket, caller, answer });
    if (answer === "other") return problemDetails(409, `the ticket ${ticket} stands for another request already`);
    const location = pathFor(asked, `/requests/${ticket}`);
    return json<Accepted>({ ticket, action, cluster, links: { self: location } }, 202, { location });
  }

  /** What the record says of a cluster, without what only machines need. */
  async function describe(name: ClusterName): Promise<ClusterView | null> {
    const record = (await records.read(name))?.value;
    if (record === undefined) return null;
    const generations = Object.entries(record.generations).map(([generation, { state }]) => ({
      generation: Number(generation),
      state,
    }));
    return {
      name,
      current: record.current,
      protected: record.protected,
      isWorkedOn: record.lock.holders.length > 0,
      generations,
    };
  }

  async function statusOf(asked: Asked, ticket: Ticket, found: TicketView): Promise<RequestStatus> {
    const { action, status, startedAt, endedAt, error, cause } = found;
    const cluster = String((found.input as { name?: unknown } | null)?.name);
    const name = ClusterName.safeParse(cluster).data;
    const record = name === undefined ? undefined : (await records.read(name))?.value;
    const isOver = endedAt !== null;
    const isReady = status === "SUCCEEDED" && action !== "destroy" && (record?.current ?? null) !== null;
    return {
      ticket,
      action,
      cluster,
      state: status,
      startedAt: startedAt?.toISOString() ?? null,
      endedAt: endedAt?.toISOString() ?? null,
      progress: await progressOf(aws, found, record),
      failure: isOver && status !== "SUCCEEDED" ? firstCause(error ?? status, cause ?? "") : null,
      links: {
        self: pathFor(asked, `/requests/${ticket}`),
        cluster: pathFor(asked, `/clusters/${cluster}`),
        certificate: isReady ? pathFor(asked, `/clusters/${cluster}/certificate`) : null,
      },
    };
  }

  router.get("/openapi.json", (asked) => json(openApi(pathFor(asked, ""))));

  router.post("/clusters", (asked) => {
    const body = bodyOf(asked);
    const { request, problems } = readRequest(body);
    if (request === null || problems.length > 0) return problemDetails(400, "the request cannot be built as it is", problems);
    return start(asked, "build", request.name, body as object);
  });

  router.get("/clusters", async () => {
    const all = await Promise.all((await records.names()).map(describe));
    return json<ClusterList>({ clusters: all.filter((cluster) => cluster !== null) });
  });

  router.get("/clusters/:name", async (asked) => {
    const cluster = await describe(clusterOf(asked));
    return cluster === null ? problemDetails(404, "there is no such cluster") : json(cluster);
  });

  router.get("/clusters/:name/certificate", async (asked) => {
    const name = clusterOf(asked);
    const current = (await records.read(name))?.value.current ?? null;
    const certificate =
      current === null ? null : await s3Evidence(aws).read({ cluster: name, generation: current }, "certificate");
    return certificate === null ? problemDetails(404, "there is no ready cluster of this name") : json(certificate as object);
  });

  router.post("/clusters/:name/rebuild", async (asked) => {
    const name = clusterOf(asked);
    const body = bodyOf(asked);
    const given = body === null ? null : readRequest(body);
    if (given !== null && (given.request === null || given.problems.length > 0))
      return problemDetails(400, "the request cannot be built as it is", given.problems);
    if (given?.request?.name !== undefined && given.request.name !== name)
      return problemDetails(400, "the request is for another cluster", [{ path: "name", problem: `is not ${name}` }]);
    return start(asked, "rebuild", name, { name, trigger: "ticket", ...(body !== null && { request: body }) });
  });

  router.delete("/clusters/:name", async (asked) => {
    const name = clusterOf(asked);
    if (bodyOf(asked) !== null) return problemDetails(400, "a destroy takes no body");
    return start(asked, "destroy", name, { name });
  });

  router.get("/requests/:ticket", async (asked) => {
    const ticket = Ticket.safeParse(asked.params["ticket"]);
    const name = ticket.success ? executionName(callerOfEvent(asked), ticket.data) : null;
    const found = name === null ? null : await findTicket(aws, machines, name);
    if (found === null) return problemDetails(404, "no request of yours has this ticket, or it ended more than 90 days ago");
    return json<RequestStatus>(await statusOf(asked, ticket.data as Ticket, found));
  });

  router.notFound(async () => problemDetails(404, "there is no such path, or it knows no such method"));
  router.errorHandler(Error, async (error) => {
    if (error instanceof Answered) return error.response;
    if (error instanceof InvalidRequestError) return problemDetails(400, error.message);
    log.error(error.message, { error });
    return error instanceof TransientError
      ? problemDetails(503, "try again in a moment")
      : problemDetails(500, "the log has the reason");
  });
  return (event, context) => router.resolve({ ...event, path: routePath(event) }, context);
}
