import type * as sdk from "@aws-sdk/client-ssm";
import { reads } from "../operation.ts";
import type { Operation } from "../service.ts";
import { SimulationGap } from "../service.ts";
import type { ScriptResult } from "./command.ts";

/** A managed instance, as SSM knows it through its agent. */
export interface ManagedNode {
  readonly instanceId: string;
  /** Stable name for draws: the same node in another design. */
  readonly subject: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly version: string;
  readonly address: string;
  /** When it last pinged, milliseconds; the heartbeat is every five minutes (facts 5.7). */
  lastPing(): number;
  /** Settles when the agent takes commands. */
  online(): Promise<"online">;
  /**
   * Runs a script to its end; an aborted `kill` ends its processes at the next program, and it never answers. `timeoutSeconds` is the
   * document's own limit, at which a real agent ends the script.
   */
  run(
    script: string,
    environment: Readonly<Record<string, string>>,
    kill?: AbortSignal,
    timeoutSeconds?: number,
  ): Promise<ScriptResult>;
}

/** The agents that ever registered. A node that is gone stays listed as Online until its heartbeats are missed. */
export class Agents {
  readonly operations: Readonly<Record<string, Operation>>;
  readonly #nodes = new Map<string, ManagedNode>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
    this.operations = {
      DescribeInstanceInformation: reads<sdk.DescribeInstanceInformationCommandInput>(
        ["Filters", "MaxResults", "NextToken"],
        (input) => this.#describe(input),
      ),
    };
  }

  register(node: ManagedNode): void {
    this.#nodes.set(node.instanceId, node);
  }

  registered(): ManagedNode[] {
    return [...this.#nodes.values()];
  }

  find(instanceId: string): ManagedNode | undefined {
    return this.#nodes.get(instanceId);
  }

  #describe({ Filters = [], MaxResults = 50, NextToken }: sdk.DescribeInstanceInformationCommandInput) {
    if (MaxResults > 50 || MaxResults < 5)
      throw new SimulationGap(`DescribeInstanceInformation takes 5 to 50 results a page, not ${MaxResults}`);
    const found = Filters.reduce((nodes, { Key = "", Values = [] }) => {
      if (Key === "InstanceIds") return nodes.filter(({ instanceId }) => Values.includes(instanceId));
      if (Key.startsWith("tag:")) return nodes.filter(({ tags }) => Values.includes(tags.get(Key.slice(4)) ?? ""));
      throw new SimulationGap(`DescribeInstanceInformation's filter ${Key} is not known`);
    }, this.registered());
    const start = Number(NextToken ?? 0);
    const page = found.slice(start, start + MaxResults);
    const InstanceInformationList = page.map((node) => ({
      InstanceId: node.instanceId,
      // Two missed heartbeats (facts 5.7).
      PingStatus: this.#now() - node.lastPing() > 600_000 ? "ConnectionLost" : "Online",
      LastPingDateTime: new Date(node.lastPing()),
      AgentVersion: node.version,
      IPAddress: node.address,
      PlatformType: "Linux",
      ResourceType: "EC2Instance",
    }));
    return { InstanceInformationList, NextToken: start + MaxResults < found.length ? String(start + MaxResults) : undefined };
  }
}
