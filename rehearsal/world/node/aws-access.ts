import type { Door } from "../door.ts";
import type { Ec2 } from "../ec2/ec2.ts";
import type { Fabric } from "../fabric-types.ts";
import type { ServiceName } from "../fault.ts";
import { type Context, judge, type Policy, type Request } from "../iam.ts";
import type { Universe } from "../service.ts";
import { requirements, type Things } from "./requirements.ts";

/** IAM's and the endpoints' names for our services. */
const names: Readonly<Record<ServiceName, { readonly iam: string; readonly endpoint: string }>> = {
  ec2: { iam: "ec2", endpoint: "ec2" },
  elb: { iam: "elasticloadbalancing", endpoint: "elasticloadbalancing" },
  // Both generations share one prefix and one endpoint (facts 2.9, 3).
  elbClassic: { iam: "elasticloadbalancing", endpoint: "elasticloadbalancing" },
  ssm: { iam: "ssm", endpoint: "ssm" },
  s3: { iam: "s3", endpoint: "s3" },
  sfn: { iam: "states", endpoint: "states" },
  events: { iam: "events", endpoint: "events" },
  quotas: { iam: "servicequotas", endpoint: "servicequotas" },
  secrets: { iam: "secretsmanager", endpoint: "secretsmanager" },
  cloudFormation: { iam: "cloudformation", endpoint: "cloudformation" },
  lambda: { iam: "lambda", endpoint: "lambda" },
  sts: { iam: "sts", endpoint: "sts" },
};

/** A request that a service makes with the caller's permissions comes from no VPC, and says so (IAM user guide, aws:ViaAWSService). */
function ofService({ "aws:SourceVpc": _, ...context }: Context): Context {
  return { ...context, "aws:ViaAWSService": "true" };
}

/** Why a node's call did not get an answer from the service itself. */
export class NodeCallError extends Error {
  override readonly name: "ConnectTimeout" | "AccessDenied" | "NoCredentials";
  constructor(name: NodeCallError["name"], message: string) {
    super(message);
    this.name = name;
  }
}

/** A node's way to AWS: its role's credentials, a name, a route, a door with a policy, and the role's own policy. */
export class NodeAws {
  readonly roles = new Map<string, readonly Policy[]>();
  readonly #universe: Universe;
  readonly #ec2: Ec2;
  readonly #fabric: Fabric;
  readonly #things: Things;
  readonly #door: () => Door;

  constructor(universe: Universe, ec2: Ec2, fabric: Fabric, things: Things, door: () => Door) {
    this.#universe = universe;
    this.#ec2 = ec2;
    this.#fabric = fabric;
    this.#things = things;
    this.#door = door;
  }

  /** Whether a call would be let through, without making it: what the agent's channel needs. */
  permits(instanceId: string, endpoint: string, action: string, resource = "*"): "yes" | "unreachable" | "denied" {
    const door = this.#fabric.endpointFor(instanceId, endpoint);
    if (door === null) return "unreachable";
    const request = this.#request(instanceId, action, resource, {});
    const policies = this.roles.get(this.#ec2.roleOf(instanceId) ?? "") ?? [];
    const isOpen = judge([JSON.parse(door.policy) as Policy], request) === "allowed" && judge(policies, request) === "allowed";
    return isOpen ? "yes" : "denied";
  }

  /** One call by a program on the node. */
  async call(
    instanceId: string,
    program: string,
    service: ServiceName,
    operation: string,
    input: Record<string, unknown>,
  ): Promise<unknown> {
    const role = this.#ec2.roleOf(instanceId);
    if (role === null || role === undefined) throw new NodeCallError("NoCredentials", "Unable to locate credentials");
    const { iam, endpoint } = names[service];
    const door = this.#fabric.endpointFor(instanceId, endpoint);
    const host = `${endpoint}.${this.#universe.region}.amazonaws.com`;
    if (door === null) throw new NodeCallError("ConnectTimeout", `Connect timeout on endpoint URL: "https://${host}/"`);
    const about = { ...this.#universe, things: this.#things, service, iam, operation, input };
    for (const { action, resource, context, onBehalf } of requirements(about)) {
      const own = this.#request(instanceId, action, resource, context);
      const request = onBehalf === true ? { ...own, context: ofService(own.context) } : own;
      const policies = this.roles.get(role) ?? [];
      if (judge(policies, request) === "denied") {
        throw new NodeCallError(
          "AccessDenied",
          `UnauthorizedOperation: role ${role} is not authorized to perform ${action} on ${resource}`,
        );
      }
      if (onBehalf !== true && judge([JSON.parse(door.policy) as Policy], request) === "denied") {
        throw new NodeCallError("AccessDenied", `UnauthorizedOperation: no VPC endpoint policy allows ${action} on ${resource}`);
      }
    }
    return this.#door().send(service, operation, input, { kind: "node", instanceId, program });
  }

  #request(instanceId: string, action: string, resource: string, own: Context): Request {
    const vpc = this.#ec2.state.instances.find(instanceId)?.vpcId ?? "";
    const context = {
      "aws:PrincipalAccount": this.#universe.account,
      "aws:SourceVpc": vpc,
      "aws:EC2InstanceSourceVPC": vpc,
      "ec2:SourceInstanceARN": `arn:aws:ec2:${this.#universe.region}:${this.#universe.account}:instance/${instanceId}`,
      "aws:ViaAWSService": "false",
      ...own,
    };
    return { action, resource, context };
  }
}
