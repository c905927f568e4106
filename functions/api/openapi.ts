import * as z from "zod";
import { ClusterRequest } from "../domain/cluster-request.ts";
import { ClusterName } from "../domain/ids.ts";
import { signatureHeaders } from "../domain/signed-request.ts";
import { Ticket } from "../domain/ticket.ts";
import { Accepted, CertificateAnswer, ClusterList, ClusterView, Problem, RequestStatus } from "./answers.ts";
import type { paths } from "./paths.ts";

type Json = Readonly<Record<string, unknown>>;
type Path = keyof typeof paths;
type Method<P extends Path> = (typeof paths)[P][number];

/** What goes into the API, and what comes out. */
const schemas = { ClusterRequest, Accepted, RequestStatus, ClusterView, ClusterList, Certificate: CertificateAnswer, Problem };

const ref = (name: keyof typeof schemas): Json => ({ $ref: `#/components/schemas/${name}` });
const answer = (description: string, name: keyof typeof schemas | null, type = "application/json"): Json => ({
  description,
  content: { [type]: { schema: name === null ? { type: "object" } : ref(name) } },
});
const problem = (description: string): Json => answer(description, "Problem", "application/problem+json");
const schemaOf = (schema: z.ZodType, io: "input" | "output"): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io }) as { $schema?: string };
  return rest;
};
const parameter = (name: string, where: "path" | "header", schema: z.ZodType, description: string): Json => ({
  name,
  in: where,
  required: true,
  description,
  schema: schemaOf(schema, "input"),
});

const nameInPath = parameter("name", "path", ClusterName, "The cluster's name");
const ticketInPath = parameter("ticket", "path", Ticket, "The ticket, as it was sent in Idempotency-Key");
const ticketHeader = parameter(
  "Idempotency-Key",
  "header",
  Ticket,
  "The caller's name for this request: sent twice it is one execution, for 90 days",
);
const digestHeader: Json = {
  name: "Content-Digest",
  in: "header",
  required: false,
  description:
    "RFC 9530, sha-256 alone. Whoever signs with a secret and sends a body has to send it; where it is given it has to be true",
  schema: { type: "string", pattern: "^sha-256=:[A-Za-z0-9+/]{43}=:$" },
};

/** What API Gateway and the function answer anywhere. */
const anywhere: Json = {
  "401": problem("No signature with a secret, or one that is late, early or wrong"),
  "403": problem("No signature by IAM, one that is late or wrong, a caller who may not do this, or no such path or method"),
  "429": problem("More than 10 requests a second"),
  "500": problem("A fault of Cloister's"),
  "503": problem("AWS did not answer; try again"),
  "504": problem("It took more than 29 s: send it again, with the same ticket"),
};

const starting = (operationId: string, summary: string, parameters: readonly Json[], body: Json | null): Json => ({
  operationId,
  summary,
  parameters: [...parameters, ticketHeader, digestHeader],
  ...(body !== null && { requestBody: body }),
  responses: {
    "202": {
      ...answer("It was started, now or when the same ticket came first", "Accepted"),
      headers: { Location: { required: true, description: "Where to look", schema: { type: "string" } } },
    },
    "400": problem("Something is missing or wrong; every faulty field is named"),
    "404": problem("No cluster can have this name"),
    "409": problem("The ticket stands for another request"),
    "413": problem("The body is larger than 32,768 bytes"),
    ...anywhere,
  },
});
const reading = (operationId: string, summary: string, parameters: readonly Json[], good: Json, absent: string | null): Json => ({
  operationId,
  summary,
  parameters,
  responses: { "200": good, ...(absent !== null && { "404": problem(absent) }), ...anywhere },
});
const bodyOf = (required: boolean): Json => ({ required, content: { "application/json": { schema: ref("ClusterRequest") } } });

const operations: { readonly [P in Path]: { readonly [M in Method<P>]: Json } } = {
  "/clusters": {
    GET: reading("listClusters", "Every cluster that has a record", [], answer("The clusters", "ClusterList"), null),
    POST: starting("buildCluster", "Builds a cluster", [], bodyOf(true)),
  },
  "/clusters/{name}": {
    GET: reading("getCluster", "One cluster", [nameInPath], answer("The cluster", "ClusterView"), "There is no such cluster"),
    DELETE: starting("destroyCluster", "Destroys a cluster, all of its generations", [nameInPath], null),
  },
  "/clusters/{name}/certificate": {
    GET: reading(
      "getCertificate",
      "The certificate of isolation of the generation that serves",
      [nameInPath],
      answer("The certificate", "Certificate"),
      "There is no ready cluster of this name",
    ),
  },
  "/clusters/{name}/rebuild": {
    POST: starting(
      "rebuildCluster",
      "Builds the next generation and switches to it once it is proved",
      [nameInPath],
      bodyOf(false),
    ),
  },
  "/requests/{ticket}": {
    GET: reading(
      "getRequest",
      "What became of a ticket of the caller's own",
      [ticketInPath],
      answer("Its state, progress, first cause and links", "RequestStatus"),
      "No request of the caller's has this ticket, or it ended more than 90 days ago",
    ),
  },
  "/openapi.json": { GET: reading("getDocument", "This document", [], answer("This document", null), null) },
};

/** What a caller who cannot sign with IAM credentials signs; docs/operating.md has an example in shell. */
const whatIsSigned = `HMAC-SHA256 in 64 hexadecimal digits, keyed with the caller's secret, over these seven lines, joined by a line feed, with none at the end:
CLOISTER-HMAC-SHA256
the method
the path as it stands in the address, with the stage (/hmac/...) or a custom domain's own path; where there is a query, then ? and its parameters, percent-encoded by RFC 3986 and sorted
the header X-Cloister-Timestamp: seconds since 1970, at most 300 away from the service's clock
the header X-Cloister-Key
the header Idempotency-Key, or nothing
the header Content-Digest, or nothing`;

const header = (name: string, description: string): Json => ({ type: "apiKey", in: "header", name, description });

/** The API as one OpenAPI 3.1 document. `base` is what stands before its paths: the stage, or a custom domain's own path. */
export const openApi = (base: string): Json => ({
  openapi: "3.1.1",
  info: {
    title: "Cloister",
    version: "1",
    description:
      "Builds, rebuilds and destroys isolated Kubernetes clusters on AWS. Every request is one Step Functions execution.",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  },
  servers: [{ url: base === "" ? "/" : base }],
  // Either, by the API that is called: the one at .../v1 takes IAM's signatures, the one at .../hmac those with a secret.
  security: [{ iam: [] }, { key: [], timestamp: [], signature: [] }],
  paths: Object.fromEntries(
    Object.entries(operations).map(([path, methods]) => [
      path,
      Object.fromEntries(Object.entries(methods).map(([method, operation]) => [method.toLowerCase(), operation])),
    ]),
  ),
  components: {
    schemas: Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, schemaOf(schema, name === "ClusterRequest" ? "input" : "output")]),
    ),
    securitySchemes: {
      iam: header(
        "Authorization",
        "AWS Signature Version 4 for the service execute-api, by a principal that may execute-api:Invoke",
      ),
      key: header(signatureHeaders.keyId, "The name of the caller's key"),
      timestamp: header(signatureHeaders.timestamp, "When it was signed"),
      signature: header(signatureHeaders.signature, whatIsSigned),
    },
  },
});
