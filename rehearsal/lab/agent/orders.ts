import { randomUUID } from "node:crypto";
import type { ManagedNode } from "../../world/ssm/agents.ts";
import type { ScriptResult } from "../../world/ssm/command.ts";
import { type Desk, json, jsonError } from "../cloud/proxy.ts";
import type { Hooks, Order } from "../hooks.ts";
import type { InstanceState } from "../network/state.ts";

/** What an agent fetches: a script to run, or the id of one to end. */
type Message = (Omit<Order, "instance"> & { readonly id: string }) | { readonly cancel: string };

/** How long an agent's call for orders is held when there are none. */
const heldMilliseconds = 15_000;

/** One host's agent, as Run Command sees it: it is there once it has registered through its endpoints, and fetches what it is to run. */
class HostAgent implements ManagedNode {
  readonly instanceId: string;
  readonly version: string;
  readonly address: string;
  readonly #instance: () => InstanceState;
  readonly #hooks: Hooks;
  readonly #queue: Message[] = [];
  readonly #results = new Map<string, (result: ScriptResult) => void>();
  #wake: () => void = () => {};
  #seen = Date.now();

  constructor(instance: () => InstanceState, version: string, hooks: Hooks) {
    this.instanceId = instance().instanceId;
    this.address = instance().address;
    this.version = version;
    this.#instance = instance;
    this.#hooks = hooks;
  }

  /** Those of the instance, as they are now. */
  get tags(): ReadonlyMap<string, string> {
    return this.#instance().tags;
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
    const order: Order = { instance: this.#instance(), script, environment, timeoutSeconds };
    const once = (one: Order, signal?: AbortSignal) => this.#runOnce(one, signal);
    return this.#hooks.aroundOrder?.(order, once, kill) ?? once(order, kill);
  }

  #runOnce({ script, environment, timeoutSeconds }: Order, kill?: AbortSignal): Promise<ScriptResult> {
    const id = randomUUID();
    this.#send({ id, script, environment, timeoutSeconds });
    kill?.addEventListener("abort", () => this.#send({ cancel: id }));
    return new Promise((resolve) => this.#results.set(id, resolve));
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
export function agentDesk(
  find: (accessKeyId: string) => InstanceState | null,
  register: (node: ManagedNode) => void,
  hooks: Hooks,
): Desk {
  const agents = new Map<string, HostAgent>();
  return async ({ service, operation, accessKeyId, path, body }) => {
    const registers = service === "ssm" && operation === "UpdateInstanceInformation";
    if (!registers && service !== "ssmmessages") return null;
    const instance = find(accessKeyId);
    if (instance === null) return jsonError("AccessDeniedException", "no instance has this key");
    const content = JSON.parse(body.toString()) as unknown;
    if (registers) {
      const { AgentVersion } = content as { AgentVersion: string };
      const agent = new HostAgent(() => find(accessKeyId) ?? instance, AgentVersion, hooks);
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
