export interface Block {
  readonly first: number;
  readonly last: number;
  readonly prefix: number;
}

const toNumber = (address: string): number =>
  address.split(".").reduce((sum, octet) => sum * 256 + Number.parseInt(octet, 10), 0);

export const toAddress = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");

/** null for what is not an IPv4 block with all host bits zero. */
export function parseBlock(cidr: string): Block | null {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(cidr);
  if (match === null) return null;
  const [, address = "", bits = ""] = match;
  const prefix = Number(bits);
  const first = toNumber(address);
  const size = 2 ** (32 - prefix);
  if (prefix > 32 || address.split(".").some((octet) => Number(octet) > 255) || first % size !== 0) return null;
  return { first, last: first + size - 1, prefix };
}

export const overlaps = (a: Block, b: Block): boolean => a.first <= b.last && b.first <= a.last;
export const within = (inner: Block, outer: Block): boolean => inner.first >= outer.first && inner.last <= outer.last;

export function contains(cidr: string, address: string): boolean {
  const block = parseBlock(cidr);
  const value = toNumber(address);
  return block !== null && value >= block.first && value <= block.last;
}
