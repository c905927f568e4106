import { randomUUID } from "node:crypto";
import type { ManagedNode } from "../../world/ssm/agents.ts";
import type { ScriptResult } from "../../world/ssm/command.ts";
import { type Desk, json, jsonError } from "../cloud/proxy.ts";
import type { InstanceState } from "../network/state.ts";

interface Order {
  readonly id: string;
  readonly script: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
}

/** What an agent fetches: a script to run, or the id of one to end. */
type Message = Order | { readonly cancel: string };

/** How long an agent's call for orders is held when there are none. */
const heldMilliseconds = 15_000;

/** One host's agent, as Run Command sees it: it is there once it has registered through its endpoints, and fetches what it is to run. */
class HostAgent implements ManagedNode {
  readonly instanceId: string;
  readonly version: string;
  readonly address: string;
  readonly #tags: () => ReadonlyMap<string, string>;
  readonly #queue: Message[] = [];
  readonly #results = new Map<string, (result: ScriptResult) => void>();
  #wake: () => void = () => {};
  #seen = Date.now();

  constructor({ instanceId, address }: InstanceState, version: string, tags: () => ReadonlyMap<string, string>) {
    this.instanceId = instanceId;
    this.address = address;
    this.version = version;
    this.#tags = tags;
  }

  /** Those of the instance, as they are now. */
  get tags(): ReadonlyMap<string, string> {
    return this.#tags();
  }

  get subject(): string {
    return this.tags.get("Name") ?? this.instanceId;
  }

  lastPing(): number {
    return this.#seen;
  }

  async online(): Promise<"online"> {
    return "online";
  }

  run(
    script: string,
    environment: Readonly<Record<string, string>>,
    kill?: AbortSignal,
    timeoutSeconds = 3600,
  ): Promise<ScriptResult> {
    const order = { id: randomUUID(), script, environment, timeoutSeconds };
    this.#send(order);
    kill?.addEventListener("abort", () => this.#send({ cancel: order.id }));
    return new Promise((resolve) => this.#results.set(order.id, resolve));
  }

  #send(message: Message): void {
    this.#queue.push(message);
    this.#wake();
  }

  /** What is to be run, at once or as soon as there is something. */
  async fetch(): Promise<readonly Message[]> {
    this.#seen = Date.now();
    if (this.#queue.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, heldMilliseconds).unref();
      });
    }
    return this.#queue.splice(0);
  }

  settle({ id, ...result }: ScriptResult & { readonly id: string }): void {
    this.#seen = Date.now();
    this.#results.get(id)?.(result);
    this.#results.delete(id);
  }
}

/**
 * The two services an agent calls: ssm to register, ssmmessages for its orders and their results. Who calls is told by the key of
 * the signature, which only that instance's metadata gives.
 */
export function agentDesk(find: (accessKeyId: string) => InstanceState | null, register: (node: ManagedNode) => void): Desk {
  const agents = new Map<string, HostAgent>();
  return async ({ service, operation, accessKeyId, path, body }) => {
    const registers = service === "ssm" && operation === "UpdateInstanceInformation";
    if (!registers && service !== "ssmmessages") return null;
    const instance = find(accessKeyId);
    if (instance === null) return jsonError("AccessDeniedException", "no instance has this key");
    const content = JSON.parse(body.toString()) as unknown;
    if (registers) {
      const agent = new HostAgent(
        instance,
        (content as { AgentVersion: string }).AgentVersion,
        () => find(accessKeyId)?.tags ?? instance.tags,
      );
      agents.set(instance.instanceId, agent);
      register(agent);
      return json({});
    }
    const agent = agents.get(instance.instanceId);
    if (agent === undefined) return jsonError("AccessDeniedException", `${instance.instanceId} is not registered`);
    if (path === "/lab/orders") return json(await agent.fetch());
    agent.settle(content as ScriptResult & { readonly id: string });
    return json({});
  };
}
