import * as z from "zod";

const OneOrMore = z.union([z.string(), z.array(z.string())]);
const Policy = z.object({
  Statement: z.array(
    z.object({
      Effect: z.enum(["Allow", "Deny"]),
      Condition: z.object({ StringEquals: z.record(z.string(), OneOrMore).optional() }).optional(),
    }),
  ),
});

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No policy at all, or one that cannot be read, is none that can be vouched for.
    return null;
  }
}

/** Whether every statement that allows something demands a principal of this account. */
export function admitsOnly(policy: string, account: string): boolean {
  const parsed = Policy.safeParse(parse(policy));
  if (!parsed.success) return false;
  return parsed.data.Statement.filter(({ Effect }) => Effect === "Allow").every(({ Condition }) => {
    const accounts = [Condition?.StringEquals?.["aws:PrincipalAccount"]].flat();
    return accounts.length > 0 && accounts.every((one) => one === account);
  });
}

/** Neither the order of keys nor that of a list means anything to IAM (its lists are sets, of statements as well), nor the form of a single value. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    const members = new Map(value.map(canonical).map((member) => [JSON.stringify(member), member]));
    const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, member]) => member);
    return sorted.length === 1 ? sorted[0] : sorted;
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, canonical(inner)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

export const isSamePolicy = (policy: string, planned: unknown): boolean =>
  JSON.stringify(canonical(parse(policy))) === JSON.stringify(canonical(planned));
