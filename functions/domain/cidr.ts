import { strict as assert } from "node:assert";

/** An IPv4 block as numbers: its first address and its prefix length. */
export interface Block {
  readonly first: number;
  readonly prefix: number;
}

const size = (block: Block): number => 2 ** (32 - block.prefix);

export function parseBlock(cidr: string): Block {
  const [address = "", prefix = ""] = cidr.split("/");
  return { first: parseAddress(address), prefix: Number(prefix) };
}

const parseAddress = (address: string): number => address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);

const formatAddress = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");

export const formatBlock = (block: Block): string => `${formatAddress(block.first)}/${block.prefix}`;

/** True when the address bits below the prefix are zero, as AWS demands of a CIDR. */
export const isAligned = (block: Block): boolean => block.first % size(block) === 0;

export const overlap = (a: Block, b: Block): boolean => a.first < b.first + size(b) && b.first < a.first + size(a);

/** Blocks lie in each other or apart. What is no IPv4 block lies in none. */
export const contains = (outer: Block, inner: Block): boolean => inner.prefix >= outer.prefix && overlap(outer, inner);

export const lastAddress = (block: Block): string => formatAddress(block.first + size(block) - 1);

/** Cuts a block into `count` equal ones, the smallest power of two that holds them. */
export function split(block: Block, count: number): Block[] {
  assert(count >= 1 && count <= 64, `cannot cut a block into ${count}`);
  const prefix = block.prefix + Math.ceil(Math.log2(count));
  return Array.from({ length: count }, (_, index) => ({ first: block.first + index * 2 ** (32 - prefix), prefix }));
}

/** The address `offset` places after the block's first. */
export function addressAt(block: Block, offset: number): string {
  assert(offset < size(block), `${formatBlock(block)} has no address number ${offset}`);
  return formatAddress(block.first + offset);
}

/** Addresses that instances can have: AWS keeps the first four and the last of every subnet (VPC user guide, subnet sizing). */
export const usableAddresses = (block: Block): number => Math.max(0, size(block) - 5);
