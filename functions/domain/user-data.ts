import { parseBlock } from "./cidr.ts";

/** EC2 takes 16 KB of user data before encoding (facts 5.10). */
const userDataMax = 16_384;

/** The bits by which an address is told to lie in a block, once those of the host are shifted away. */
function isIn(cidr: string): string {
  const { first, prefix } = parseBlock(cidr);
  return `address >> ${32 - prefix} == ${first / 2 ** (32 - prefix)}`;
}

/**
 * The guard: instances boot before their endpoints answer, and an agent whose first ping fails sleeps for minutes (facts 5.7).
 * As a boothook it runs before any agent can start. The image best installs the agent without enabling it; one that it enabled has slept
 * since its first ping, and a restart wakes it.
 * `hosts` are the names that must answer, `subnets` the blocks their addresses must lie in; nothing else is rendered in.
 */
export function userData({ hosts, subnets }: { readonly hosts: readonly string[]; readonly subnets: readonly string[] }): string {
  const text = `#cloud-boothook
#!/bin/bash
set -uo pipefail
hosts='${hosts.join(" ")}'
# Only the private addresses of this cluster count as an answer: ${subnets.join(", ")}.
inside() {
  local a b c d address
  IFS=. read -r a b c d <<<"$1"
  address=$(((a << 24) + (b << 16) + (c << 8) + d))
  ((${subnets.map(isIn).join(" || ")}))
}
answers() {
  local address
  address=$(getent ahostsv4 "$1") && inside "\${address%% *}" && curl -s -o /dev/null --connect-timeout 3 -m 5 "https://$1/"
}
all_answer() {
  local host
  for host in $hosts; do answers "$host" || return 1; done
}
wait_and_start() {
  # Half an hour: longer than any endpoint takes, and the build has given up by then.
  for ((try = 0; try < 900; try++)); do
    all_answer && break
    sleep 2
  done
  # As a snap (Ubuntu) or as a package.
  unit=snap.amazon-ssm-agent.amazon-ssm-agent
  systemctl enable "$unit" || { unit=amazon-ssm-agent && systemctl enable "$unit"; }
  systemctl restart "$unit"
}
# In the background: a boothook that waits would hold up the boot, and with it the name service it waits for.
# A boothook runs at every boot; the agent is enabled after the first.
[ -e /run/cloister-guard ] || { : >/run/cloister-guard; wait_and_start >/var/log/cloister-guard.log 2>&1 & }
`;
  if (text.length > userDataMax) throw new RangeError(`${text.length} bytes of user data, ${userDataMax} are allowed`);
  return text;
}
