import type { GroupState, RuleState, VpcState } from "./state.ts";

/** S3 as its public name gives it: one of the addresses of the list that the gateway routes. */
export const s3Address = "52.216.0.10";
export const metadataAddress = "169.254.169.254";

const [outAllowed, inAllowed] = [1, 2];
const setName = (groupId: string): string => groupId.replaceAll("-", "_");
const braces = (items: readonly string[]): string => `{ ${items.join(", ")} }`;

/** `10.40.0.0/16` -> `10.40.0.2`: where Amazon's resolver answers. */
export function resolverOf(cidr: string): string {
  const [a, b, c, d] = (cidr.split("/")[0] ?? "").split(".").map(Number) as [number, number, number, number];
  return `${a}.${b}.${c}.${d + 2}`;
}

/** What a rule wants of a packet beside its addresses. ICMP's `from` and `to` are type and code, -1 being any. */
function protocol({ protocol: name, from, to }: RuleState): string {
  if (name === "tcp" || name === "udp")
    return from === -1 ? `meta l4proto ${name}` : `${name} dport ${from === to ? from : `${from}-${to}`}`;
  if (name === "icmp") return from === -1 ? "ip protocol icmp" : `icmp type ${from}${to === -1 ? "" : ` icmp code ${to}`}`;
  return "";
}

function peer(side: "saddr" | "daddr", name: string, { prefixLists }: VpcState): string | null {
  if (name.startsWith("sg-")) return `ip ${side} @${setName(name)}`;
  if (!name.startsWith("pl-")) return name.includes(":") ? null : `ip ${side} ${name}`;
  const blocks = prefixLists.get(name) ?? [];
  return blocks.length === 0 ? null : `ip ${side} ${braces(blocks)}`;
}

/** A group's rules of one direction; each packet that one of them admits gets the direction's mark. */
function verdicts(state: VpcState, { groupId, ingress, egress }: GroupState, direction: "in" | "out"): string[] {
  const [own, other, mark, rules] =
    direction === "in" ? (["daddr", "saddr", inAllowed, ingress] as const) : (["saddr", "daddr", outAllowed, egress] as const);
  return rules.flatMap((rule) => {
    const where = peer(other, rule.peer, state);
    return where === null ? [] : [`ip ${own} @${setName(groupId)} ${where} ${protocol(rule)} meta mark set meta mark | ${mark}`];
  });
}

/** Where a subnet's route table leads beyond the VPC. The Region's services are reached by the lab itself. */
function waysOut(state: VpcState): { readonly toServices: string[]; readonly toInternet: string[] } {
  const living = new Set(state.endpoints.filter(({ isGateway }) => isGateway).map(({ endpointId }) => endpointId));
  const toServices: string[] = [];
  const toInternet: string[] = [];
  for (const { cidr, routes } of state.subnets) {
    for (const { destination, target } of routes) {
      const blocks = state.prefixLists.get(destination) ?? [];
      if (living.has(target) && blocks.length > 0) toServices.push(`ip saddr ${cidr} ip daddr ${braces(blocks)}`);
      if (target.startsWith("nat-")) toInternet.push(`ip saddr ${cidr} ip daddr ${destination}`);
      if (target.startsWith("igw-")) {
        const known = state.instances.filter(({ publicAddress }) => publicAddress !== null).map(({ address }) => address);
        if (known.length > 0) toInternet.push(`ip saddr ${cidr} ip saddr ${braces(known)} ip daddr ${destination}`);
      }
    }
  }
  return { toServices, toInternet };
}

/**
 * The whole filter of one VPC's namespace, every packet between its addresses being routed there. Groups are stateful; a packet needs
 * its sender's leave to go out and its receiver's to come in. A load balancer made without groups asks nobody (ELB guide, "Update the
 * security groups for your Network Load Balancer"); its targets ask all the same.
 */
export function filterOf(state: VpcState, links: ReadonlyMap<string, string>): string {
  const endpoints = state.endpoints.flatMap(({ interfaces }) => interfaces);
  const balancers = state.balancers.flatMap(({ addresses }) => addresses);
  const members = (groupId: string) =>
    [...state.instances, ...endpoints, ...balancers]
      .filter(({ groupIds }) => groupIds.includes(groupId))
      .map(({ address }) => address);
  const sets = state.groups.map(({ groupId }) => {
    const own = members(groupId);
    const elements = own.length === 0 ? "" : ` elements = ${braces(own)};`;
    return `set ${setName(groupId)} { type ipv4_addr;${elements} }`;
  });
  const [guarded, open] = [
    balancers.filter(({ groupIds }) => groupIds.length > 0),
    balancers.filter(({ groupIds }) => groupIds.length === 0),
  ];
  const addresses = (of: readonly { readonly address: string }[]) => braces(of.map(({ address }) => address));
  const to = (of: readonly { readonly address: string }[], what: string) =>
    of.length === 0 ? "" : `ip daddr ${addresses(of)} ${what} accept`;
  const from = (of: readonly { readonly address: string }[], what: string) =>
    of.length === 0 ? "" : `ip saddr ${addresses(of)} ${what} drop`;
  // A sender's address is its own: EC2's source check, which is on for every interface unless somebody turns it off.
  const own = [...links].map(([address, link]) => `iifname ${link} ip saddr != ${address} drop`);
  const { toServices, toInternet } = waysOut(state);
  const both = `meta mark ${outAllowed | inAllowed}`;
  const out = `meta mark & ${outAllowed} == ${outAllowed}`;
  return `flush ruleset
table ip vpc {
${sets.join("\n")}
chain judge {
meta mark set 0
${state.groups.flatMap((group) => [...verdicts(state, group, "out"), ...verdicts(state, group, "in")]).join("\n")}
}
chain forward {
type filter hook forward priority 0; policy drop;
${own.join("\n")}
ct state established,related accept
jump judge
ip saddr ${state.cidr} ip daddr ${state.cidr} ${both} accept
${toInternet.map((way) => `${way} ${out} accept`).join("\n")}
}
chain input {
type filter hook input priority 0; policy drop;
iifname lo accept
${own.join("\n")}
ct state established,related accept
ip daddr ${resolverOf(state.cidr)} meta l4proto { tcp, udp } th dport 53 accept
ip daddr ${metadataAddress} tcp dport 80 accept
jump judge
${to([...endpoints, ...guarded], both)}
${to(open, out)}
${toServices.map((way) => `${way} ${out} accept`).join("\n")}
}
chain output {
type filter hook output priority 0; policy accept;
ct state established,related accept
${balancers.length === 0 ? "" : `ip saddr ${addresses(balancers)} jump judge`}
${from(guarded, `meta mark != ${outAllowed | inAllowed}`)}
${from(open, `meta mark & ${inAllowed} != ${inAllowed}`)}
}
chain metadata {
type route hook output priority -150; policy accept;
ip saddr ${metadataAddress} ip ttl set 1
}
}
`;
}
