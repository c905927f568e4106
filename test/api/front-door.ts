import { strict as assert } from "node:assert";
import { ApiGateway } from "../../rehearsal/serve/api-gateway.ts";
import type { Arrived } from "../../rehearsal/serve/events.ts";
import type { Stage } from "../../rehearsal/stage.ts";
import { isDocumented } from "./document.ts";

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

/** A request that IAM let pass, to the API at its own address. */
function arrivedWith(method: string, path: string, { ticket, body, raw }: Sent): Arrived {
  const ticketed = ticket === undefined ? [] : [["Idempotency-Key", ticket] as const];
  return {
    method,
    path: `/v1${path}`,
    query: new URLSearchParams(),
    headers: [...ticketed, ["content-type", "application/json"]],
    body: Buffer.from(raw ?? (body === undefined ? "" : JSON.stringify(body))),
  };
}

/** The front door before a virtual account: the shipped router, called as Lambda calls it. Every answer is held against the API's document. */
export function frontDoor(stage: Stage) {
  const { clock } = stage.account.world.universe;
  const gateway = new ApiGateway(stage, { principals: [], callers: {}, now: () => new Date(clock.now()) });
  return async (method: string, path: string, sent: Sent = {}): Promise<Answer> => {
    const admitted = { userArn: sent.userArn ?? ticketing, principalId: null };
    const { status, headers, body } = await clock.run(
      gateway.serve(arrivedWith(method, path, sent), { stage: "v1", resource: path, isMapped: false }, admitted),
    );
    const type = headers["content-type"] ?? "";
    assert.match(type, /json/, body);
    const answer = { status, type, location: headers["location"] ?? null, body: JSON.parse(body) as Answer["body"] };
    if (!isDocumented(method, path, sent.body, answer)) assert.equal(status, 404, `${method} ${path}`);
    return answer;
  };
}
