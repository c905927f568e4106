import type { Defect } from "./defect.ts";

const step = (file: string, name: string, from: string, to: string): Defect => ({ name, file: `functions/${file}.ts`, from, to });

/** In the steps themselves, and in what they share. */
export const steps: readonly Defect[] = [
  step(
    "network-security",
    "AWS's default egress rule stays",
    "if (tooWide.length > 0) await network.revokeEgress(group.groupId, tooWide);",
    "",
  ),
  step(
    "domain/security-groups",
    "nodes may go everywhere",
    "to: -1, peer: { cidr: vpcCidr }, why",
    'to: -1, peer: { cidr: "0.0.0.0/0" }, why',
  ),
  step(
    "steps/create-network",
    "names inside the VPC are not switched on",
    '  await network.enable(vpcId, "dnsHostnames");\n',
    "",
  ),
  step("steps/create-network", "a second VPC by a lost answer stays", "    await removeSurplus(site, vpcId);\n", ""),
  step("network-parts", "the VPC does not enter the record", "await claim(site, { vpcId: mine })", "{ vpcId: mine }"),
  step(
    "steps/create-network",
    "private subnets go out through the internet gateway",
    "await routePublic(site, vpcId, publicSubnets)",
    "await routePublic(site, vpcId, privateSubnets)",
  ),
  step(
    "steps/wait-for-nodes",
    "nodes are not waited for",
    "if (replaced > 0 || health.online < health.wanted) {",
    "if (replaced > 0) {",
  ),
  step(
    "steps/wait-for-api-endpoint",
    "the API's load balancer is not waited for",
    'if (balancer?.state !== "active")',
    "if (balancer === null)",
  ),
  step(
    "steps/await-command",
    "a running command counts as ended",
    'if (progress.status === "unknown" || progress.status === "running") {',
    'if (progress.status === "unknown") {',
  ),
  step(
    "steps/await-command",
    "a failed command is passed over",
    'if (progress.status === "failed") throw await failure(document, commandId, progress.detail, commands);',
    "",
  ),
  step("steps/launch-nodes", "no fence before the launch of nodes", "mutates: true,", "mutates: false,"),
  step("steps/launch-nodes", "nodes that are there are not counted", "await machines.find(lock)", "[]"),
  step("steps/commit-generation", "the commit does not count", "if (differences.length > 0)", "if (differences.length > 99)"),
  step("steps/certify-isolation", "a false check passes", "if (failed.length > 0) {", "if (failed.length > 99) {"),
  step("domain/certificate", "the certificate does not look at ways out", "    waysOut(evidence),\n", ""),
  step(
    "steps/revoke-join",
    "the join parameter stays",
    'await together([ssmParameters(aws).remove(parameterName(lock, "join")), balanceAll(lock, plan, aws)]);',
    "await balanceAll(lock, plan, aws);",
  ),
  step(
    "steps/audit-residue",
    "the audit looks by tags alone",
    `      ...(await holdings.inVpcs([...vpcIds])),
      ...balancing.filter(({ vpcId }) => vpcId !== null && vpcIds.has(vpcId)),
`,
    "",
  ),
  step("steps/delete-network", "groups that controllers made stay", "[...owned, ...groups].map", "owned.map"),
  step(
    "removal",
    "a removal does not wait",
    "throw new NotReadyError(`${present.length} left",
    "if (sweep.isStuck) throw new NotReadyError(`${present.length} left",
  ),
  step(
    "domain/endpoint-policies",
    "any principal passes the endpoints",
    'Condition: { StringEquals: { "aws:PrincipalAccount": account } },',
    'Condition: { StringEquals: { "aws:PrincipalAccount": "*" } },',
  ),
  step("domain/endpoint-policies", "the S3 gateway lets to every bucket", "arn(`${bundle.bucket}/${folder}`)", 'arn("*")'),
  step(
    "domain/teardown",
    "volumes go under retain",
    "return generation !== null && lock.doomedVolumes.includes(generation);",
    "return generation !== null;",
  ),
  step(
    "domain/holdings",
    "every generation's things count as this one's",
    ' === owners.cluster && owners.generations.includes(Number(tags["cloister:generation"]))',
    " === owners.cluster",
  ),
  step(
    "watch/sweep-clusters",
    "the sweep looks at no tags",
    "records.due(name, tagged.get(name) ?? [])",
    "records.due(name, [])",
  ),
  step("watch/sweep-clusters", "the sweep uses one name for ever", "`${name}-${because}-${round}`", "`${name}-${because}`"),
];
