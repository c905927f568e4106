import type { APIGatewayProxyEvent, APIGatewayRequestAuthorizerEvent } from "aws-lambda";

/** A request as it came over the wire. */
export interface Arrived {
  readonly method: string;
  /** With the stage. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** Whom API Gateway let in: by IAM, or by an authorizer. */
export interface Admitted {
  readonly userArn: string | null;
  readonly principalId: string | null;
}

/** Where in an API a request came to. */
export interface Place {
  readonly stage: string;
  /** `/clusters/{name}` */
  readonly resource: string;
  /** Behind a custom domain's own path, which stays before the events' `path`; a stage does not. */
  readonly isMapped: boolean;
}

/** What both kinds of events say of a request. */
function common({ method, path, query, headers }: Arrived, { stage, resource, isMapped }: Place) {
  const names = [...new Set(headers.map(([name]) => name))];
  const queryNames = [...new Set(query.keys())];
  return {
    resource,
    path: isMapped ? path : path.slice(`/${stage}`.length),
    httpMethod: method,
    // Of several of a name API Gateway gives the last one here, and all of them beside.
    headers: Object.fromEntries(headers),
    multiValueHeaders: Object.fromEntries(
      names.map((name) => [name, headers.flatMap(([other, value]) => (other === name ? [value] : []))]),
    ),
    queryStringParameters: queryNames.length === 0 ? null : Object.fromEntries(query),
    multiValueQueryStringParameters:
      queryNames.length === 0 ? null : Object.fromEntries(queryNames.map((name) => [name, query.getAll(name)])),
    pathParameters: null,
    stageVariables: null,
  };
}

/** The event that the function behind the API gets: API Gateway's Lambda proxy integration of a REST API. */
export const proxyEvent = (arrived: Arrived, place: Place, { userArn, principalId }: Admitted): APIGatewayProxyEvent => {
  const { method, path, body } = arrived;
  return {
    ...common(arrived, place),
    body: body.length === 0 ? null : body.toString("utf8"),
    isBase64Encoded: false,
    requestContext: {
      path,
      stage: place.stage,
      httpMethod: method,
      identity: { userArn },
      authorizer: principalId === null ? null : { principalId },
    },
  } as unknown as APIGatewayProxyEvent;
};

/** The event that a REQUEST authorizer gets: no body is in it. */
export const authorizerEvent = (arrived: Arrived, place: Place, methodArn: string): APIGatewayRequestAuthorizerEvent => {
  const { method, path } = arrived;
  return {
    ...common(arrived, place),
    type: "REQUEST",
    methodArn,
    requestContext: { path, stage: place.stage, httpMethod: method, identity: {} },
  } as unknown as APIGatewayRequestAuthorizerEvent;
};
