import * as z from "zod";
import type { Certificate } from "../domain/certificate.ts";
import { ClusterName, ExecutionArn, Generation, ImageId } from "../domain/ids.ts";
import { Plan } from "../domain/plan.ts";
import { Row } from "../domain/record/shape.ts";
import { Ticket } from "../domain/ticket.ts";

/** A path as the caller has to write it, with the API's stage. */
const Path = z.string().max(200);
const Instant = z.iso.datetime();
const Cluster = z.string().max(64);

export const Action = z.enum(["build", "rebuild", "destroy"]).describe("What the ticket stands for");
export type Action = z.infer<typeof Action>;

/** 202 */
export const Accepted = z.strictObject({
  ticket: Ticket,
  action: Action,
  cluster: Cluster,
  links: z.strictObject({ self: Path }),
});
export type Accepted = z.infer<typeof Accepted>;

export const Progress = z.strictObject({
  execution: ExecutionArn.describe("The execution that works now: the ticket's own, or one that it started"),
  state: z.string().max(80).describe("The state in which something happened last; of an ended execution its last"),
  since: Instant,
  entered: z.int().min(1).describe("How many states the ticket's execution and those it waits for have entered"),
});

export const RequestStatus = z.strictObject({
  ticket: Ticket,
  action: Action,
  cluster: Cluster,
  state: z
    .enum(["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"])
    .describe("Step Functions' own word"),
  startedAt: Instant.nullable(),
  endedAt: Instant.nullable(),
  progress: Progress.nullable().describe("Null as long as nothing is known of it"),
  failure: z
    .strictObject({ name: z.string().max(256), cause: z.string().max(4000) })
    .nullable()
    .describe("The first cause; null unless it failed"),
  links: z.strictObject({
    self: Path,
    cluster: Path,
    certificate: Path.nullable().describe("Null unless the cluster is ready by this request"),
  }),
});
export type RequestStatus = z.infer<typeof RequestStatus>;

export const ClusterView = z.strictObject({
  name: Cluster,
  current: Generation.nullable().describe("The generation that serves"),
  protected: z.boolean(),
  isWorkedOn: z.boolean(),
  generations: z.array(z.strictObject({ generation: Generation, state: Row.shape.state })).max(9999),
});
export type ClusterView = z.infer<typeof ClusterView>;

export const ClusterList = z.strictObject({ clusters: z.array(ClusterView) });
export type ClusterList = z.infer<typeof ClusterList>;

const Text = z.string().max(1000);

/** As certify-isolation wrote it. */
export const CertificateAnswer = z.strictObject({
  cluster: ClusterName,
  generation: Generation,
  execution: ExecutionArn,
  account: Text,
  region: Text,
  kubernetesVersion: Text,
  images: z.array(ImageId).describe("What the nodes run, as EC2 says it"),
  bundle: Plan.shape.bundle,
  issuedAt: Instant,
  isolated: z.boolean(),
  checks: z.array(z.strictObject({ name: Text, passed: z.boolean(), evidence: z.string() })),
  concessions: z.array(Text),
  notVerified: z.array(Text),
}) satisfies z.ZodType<Certificate>;

/** RFC 9457 */
export const Problem = z.strictObject({
  type: z.literal("about:blank"),
  title: Text,
  status: z.int().min(400).max(599),
  detail: Text,
  errors: z
    .array(z.strictObject({ pointer: z.string().describe("A JSON pointer into the request"), detail: z.string() }))
    .optional()
    .describe("Every field that is wrong, at once"),
});
