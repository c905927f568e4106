import { strict as assert } from "node:assert";
import {
  addressAt,
  type Block,
  formatBlock,
  isAligned,
  lastAddress,
  overlap,
  parseBlock,
  split,
  usableAddresses,
} from "./cidr.ts";
import type { ClusterRequest } from "./cluster-request.ts";
import type { ControlPlanePlan, ZonePlan } from "./plan.ts";
import type { Problem } from "./problem.ts";

/** Control planes take addresses from here on in their zone's subnet: clear of the four that AWS keeps. */
const firstControlPlaneOffset = 10;
/** Five control planes at most, from number 10 to 14: in the block of eight that begins with number 8. */
const reservedBlock = { offset: 8, prefix: 29 } as const;
/** Room in each private subnet for endpoints (12 at most) and load balancers (8 free addresses each, facts 8.5). */
const sharedAddresses = 28;

/** `ip-10-40-0-10.us-west-2.compute.internal`; us-east-1 has a suffix of its own (facts 2.5). */
export function privateDnsName(address: string, region: string): string {
  const suffix = region === "us-east-1" ? "ec2.internal" : `${region}.compute.internal`;
  return `ip-${address.replaceAll(".", "-")}.${suffix}`;
}

const perZone = (total: number, zones: number, index: number): number =>
  Math.floor(total / zones) + (index < total % zones ? 1 : 0);

/** What is wrong with the request's addresses, each with its field path. */
export function addressProblems(request: ClusterRequest): Problem[] {
  const { vpcCidr, podCidr, serviceCidr, zones, publicSubnets } = request.network;
  const blocks = Object.entries({ vpcCidr, podCidr, serviceCidr }).map(([field, cidr]) => ({
    field,
    cidr,
    block: parseBlock(cidr),
  }));
  const problems: Problem[] = [];
  for (const [index, { field, cidr, block }] of blocks.entries()) {
    const path = `network.${field}`;
    if (!isAligned(block)) problems.push({ path, problem: `${cidr} has bits set below its prefix` });
    for (const other of blocks.slice(0, index)) {
      if (overlap(block, other.block)) {
        problems.push({ path, problem: `${cidr} (to ${lastAddress(block)}) overlaps network.${other.field} ${other.cidr}` });
      }
    }
  }
  const vpc = parseBlock(vpcCidr);
  if (vpc.prefix < 16 || vpc.prefix > 28)
    problems.push({ path: "network.vpcCidr", problem: `${vpcCidr}: a VPC takes a prefix from /16 to /28` });
  else if (tooSmall(vpc, request)) {
    problems.push({
      path: "network.vpcCidr",
      problem: `${vpcCidr} is too small for ${request.controlPlane.count} control planes and ${request.workers.count} workers in ${zones} zones${publicSubnets ? " with public subnets" : ""}`,
    });
  }
  return problems;
}

function tooSmall(vpc: Block, request: ClusterRequest): boolean {
  const { zones } = request.network;
  const [subnet] = subnetBlocks(vpc, request);
  assert(subnet !== undefined);
  const fullest = perZone(request.workers.count, zones, 0) + 2 ** (32 - reservedBlock.prefix) + sharedAddresses;
  return subnet.prefix > 28 || usableAddresses(subnet) < fullest;
}

/** The private subnets first, then the public ones where asked for. */
const subnetBlocks = (vpc: Block, request: ClusterRequest): Block[] =>
  split(vpc, request.network.publicSubnets ? 2 * request.network.zones : request.network.zones);

/** Subnets and shares of workers in the given zones, in their order. */
export function planZones(request: ClusterRequest, zoneNames: readonly string[]): ZonePlan[] {
  assert.equal(zoneNames.length, request.network.zones);
  assert.equal(new Set(zoneNames).size, zoneNames.length, "a zone twice");
  const blocks = subnetBlocks(parseBlock(request.network.vpcCidr), request).map(formatBlock);
  return zoneNames.map((zone, index) => ({
    zone,
    privateCidr: blocks[index] ?? assert.fail("a zone without a block"),
    publicCidr: request.network.publicSubnets ? (blocks[index + zoneNames.length] ?? null) : null,
    workers: perZone(request.workers.count, zoneNames.length, index),
  }));
}

/** What a zone's subnet keeps for control planes, which have their addresses before their machines: an endpoint could have got one. */
export const controlPlaneRange = (privateCidr: string): string =>
  `${addressAt(parseBlock(privateCidr), reservedBlock.offset)}/${reservedBlock.prefix}`;

/** One control plane after another over the zones, each with the address it will have. */
export function planControlPlanes(request: ClusterRequest, zones: readonly ZonePlan[], region: string): ControlPlanePlan[] {
  return Array.from({ length: request.controlPlane.count }, (_, index) => {
    const zone = zones[index % zones.length] ?? assert.fail("no zone");
    const address = addressAt(parseBlock(zone.privateCidr), firstControlPlaneOffset + Math.floor(index / zones.length));
    return { zone: zone.zone, address, nodeName: privateDnsName(address, region) };
  });
}
