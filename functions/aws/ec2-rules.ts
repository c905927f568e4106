import type { IpPermission } from "@aws-sdk/client-ec2";
import type { FoundRule } from "./ports.ts";

const protocols: Readonly<Record<string, FoundRule["protocol"]>> = { tcp: "tcp", udp: "udp", icmp: "icmp", "-1": "all" };

/** EC2 gives permissions with many peers each; a rule here has one. A protocol that we never use keeps its number. */
export const fromPermissions = (direction: FoundRule["direction"], permissions: readonly IpPermission[] = []): FoundRule[] =>
  permissions.flatMap((permission) => {
    const { IpProtocol = "-1", FromPort = -1, ToPort = -1 } = permission;
    const base = { direction, protocol: protocols[IpProtocol] ?? ("other" as const), from: FromPort, to: ToPort };
    const peers = [
      ...(permission.IpRanges ?? []).map(({ CidrIp = "" }) => CidrIp),
      ...(permission.Ipv6Ranges ?? []).map(({ CidrIpv6 = "" }) => CidrIpv6),
      ...(permission.UserIdGroupPairs ?? []).map(({ GroupId = "" }) => GroupId),
      ...(permission.PrefixListIds ?? []).map(({ PrefixListId = "" }) => PrefixListId),
    ];
    return peers.map((peer) => ({ ...base, peer }));
  });

function toPermission({ protocol, from, to, peer }: FoundRule): IpPermission {
  // "All protocols" has no ports; EC2 refuses them.
  const ports = protocol === "all" ? { IpProtocol: "-1" } : { IpProtocol: protocol, FromPort: from, ToPort: to };
  if (peer.startsWith("sg-")) return { ...ports, UserIdGroupPairs: [{ GroupId: peer }] };
  if (peer.startsWith("pl-")) return { ...ports, PrefixListIds: [{ PrefixListId: peer }] };
  return peer.includes(":") ? { ...ports, Ipv6Ranges: [{ CidrIpv6: peer }] } : { ...ports, IpRanges: [{ CidrIp: peer }] };
}

/** A rule in words: `tcp 30000-32767`, `icmp 3-4` for type and code. */
export function trafficOf({ protocol, from, to }: FoundRule): string {
  if (protocol === "all") return "all traffic";
  return from === -1 ? protocol : `${protocol} ${from === to ? from : `${from}-${to}`}`;
}

export const toPermissions = (rules: readonly FoundRule[]): IpPermission[] => rules.map(toPermission);
