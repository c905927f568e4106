import { endpointHost } from "./endpoint-hosts.ts";

/** An endpoint as the account shows it. */
export interface SeenEndpoint {
  /** `com.amazonaws.us-west-2.ssm` */
  readonly service: string;
  readonly type: "interface" | "gateway";
  /** In lower case: AWS's types and its answers differ in that (facts 8.2). */
  readonly state: string;
  readonly privateNames: readonly string[];
}

const living = new Set(["pending", "pendingacceptance", "available"]);

export const isLiving = ({ state }: Pick<SeenEndpoint, "state">): boolean => living.has(state);

export type EndpointState = "ready" | "waiting" | "missing" | "failed";

/** How far the endpoint of one service is: available, and for an interface with its private name among its DNS entries. */
export function endpointState(endpoints: readonly SeenEndpoint[], service: string, region: string): EndpointState {
  const ours = endpoints.filter((endpoint) => endpoint.service.endsWith(`.${region}.${service}`));
  const alive = ours.find(isLiving);
  if (alive === undefined) return ours.some(({ state }) => state === "failed" || state === "rejected") ? "failed" : "missing";
  const isNamed = alive.type === "gateway" || alive.privateNames.includes(endpointHost(service, region));
  return alive.state === "available" && isNamed ? "ready" : "waiting";
}
