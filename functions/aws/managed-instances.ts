import { paginateDescribeInstanceInformation } from "@aws-sdk/client-ssm";
import { InstanceId } from "../domain/ids.ts";
import { ownersOf } from "../domain/lock.ts";
import type { Aws } from "./aws.ts";
import type { Agent, AgentsPort } from "./ports.ts";

export const managedInstances = ({ ssm }: Pick<Aws, "ssm">): AgentsPort => ({
  async find(lock) {
    const agents = new Map<InstanceId, Agent>();
    const { cluster, generations } = ownersOf(lock);
    const Filters = [
      { Key: "tag:cloister:cluster", Values: [cluster] },
      { Key: "tag:cloister:generation", Values: generations.map(String) },
    ];
    // 50 is the most a page holds.
    for await (const page of paginateDescribeInstanceInformation({ client: ssm }, { Filters, MaxResults: 50 })) {
      for (const { InstanceId: id, PingStatus, AgentVersion = "", LastPingDateTime } of page.InstanceInformationList ?? [])
        agents.set(InstanceId.parse(id), {
          isOnline: PingStatus === "Online",
          version: AgentVersion,
          lastPing: LastPingDateTime ?? null,
        });
    }
    return agents;
  },
});
