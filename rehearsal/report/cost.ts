import type { InventoryItem } from "../world/service.ts";

export interface CostLine {
  readonly what: string;
  /** Things billed: machines, GiB, endpoint addresses, transitions. */
  readonly count: number;
  /** US dollars for 730 hours of keeping it; 0 for what is billed once. */
  readonly perMonth: number;
  /** US dollars for the run itself. */
  readonly run: number;
}

interface Price {
  /** US dollars. */
  readonly price: number;
  readonly per: "hour" | "month" | "transition";
  /** Who says so, of which Region, and when; or why the number is a guess. */
  readonly source: string;
}

/**
 * Looked up on 2026-11-24, when no price page of AWS's could be read itself: what stands here are dated copies and quotations of its price
 * lists. Most are of us-east-1; that us-west-2 costs the same is assumed, and shown only for transitions, whose page names Oregon.
 */
const onDemand =
  "AWS Price List API, us-east-1, 2026-02-09, as generated into aws/karpenter-provider-aws, pkg/providers/pricing, commit 265ee0b";
/** A size doubles the price of the one below it, in every family that is listed here (the same source). */
const sizes: Readonly<Record<string, number>> = { medium: 0.5, large: 1, xlarge: 2, "2xlarge": 4, "4xlarge": 8, "8xlarge": 16 };
/** Linux on demand, an hour of a family's `large`. */
const familyPrices: Readonly<Record<string, Price>> = {
  m7i: { price: 0.1008, per: "hour", source: onDemand },
  m6i: { price: 0.096, per: "hour", source: onDemand },
  m5: { price: 0.096, per: "hour", source: onDemand },
  t3: { price: 0.0832, per: "hour", source: onDemand },
  m7g: { price: 0.0816, per: "hour", source: onDemand },
  m6g: { price: 0.077, per: "hour", source: onDemand },
};
/** List prices without the free tier; traffic, requests and load balancer capacity units are left out: a rehearsal cannot know them. */
export const prices = {
  otherInstance: {
    price: 0.1,
    per: "hour",
    source: "guess: a family that is not listed here costs about as much as its neighbours",
  },
  volumeGiB: {
    price: 0.08,
    per: "month",
    source:
      'price list AmazonEC2, us-east-1, 2026-08-17, SKU JG3KUJMBRGHV3N8G, quoted: "$0.08 per GB-month of General Purpose (gp3)"',
  },
  // "in each Availability Zone": aws.amazon.com/privatelink/pricing, an undated copy.
  endpointAddress: {
    price: 0.01,
    per: "hour",
    source: 'price list AmazonVPC, us-east-1, USE1-VpcEndpoint-Hours, 2026-08-20, quoted: "$0.01 per VPC Endpoint Hour"',
  },
  // No copy of the list for a Region of the United States was found; of Seoul, 2026-10-01, the same number is quoted.
  loadBalancer: {
    price: 0.0225,
    per: "hour",
    source: "awsnegotiations.com/elastic-load-balancer-cost.html, May 2026, network, no Region named",
  },
  // The same in every Region, since 2024-02-01 (AWS's announcement).
  publicAddress: {
    price: 0.005,
    per: "hour",
    source: 'price list AmazonVPC, us-east-1, 2026-07-24, quoted: "$0.005 per In-use public IPv4 address per hour"',
  },
  // Again in wring.co/blog/aws-step-functions-pricing-guide, 2026-03-14: $25 a million.
  transition: {
    price: 0.000025,
    per: "transition",
    source: "aws.amazon.com/step-functions/pricing, US West (Oregon), $0.0250 per 1,000 of a standard workflow, an undated copy",
  },
} as const satisfies Readonly<Record<string, Price>>;

/** A twelfth of a year, as AWS's own calculator reckons. */
export const hoursPerMonth = 730;

/** What the items cost to keep and what they cost over `seconds`; `transitions` are billed once. Whatever AWS gives for nothing has no line. */
export function costs(inventory: readonly InventoryItem[], seconds: number, transitions = 0): CostLine[] {
  const of = (type: string, ...kinds: string[]) =>
    inventory.filter((item) => item.type === type && (kinds.length === 0 || kinds.includes(String(item.facts["kind"]))));
  const running = of("instance").filter(({ facts }) => facts["state"] === "running" || facts["state"] === "pending");
  const instanceTypes = [...new Set(running.map(({ facts }) => String(facts["instanceType"])))].sort();
  const gibibytes = of("volume").reduce((sum, { facts }) => sum + Number(facts["size"] ?? 0), 0);
  const addressed = of("network-interface").filter(({ facts }) => facts["publicAddress"] !== undefined);
  const { price } = prices.transition;
  return [
    ...instanceTypes.map((type) =>
      line(`EC2 ${type}`, running.filter(({ facts }) => facts["instanceType"] === type).length, instancePrice(type), seconds),
    ),
    line("EBS gp3, GiB", gibibytes, prices.volumeGiB, seconds),
    // An interface endpoint is billed in each zone, and has one network interface there.
    line("Interface endpoints, zones", of("network-interface", "vpc_endpoint").length, prices.endpointAddress, seconds),
    line("Network load balancers", of("load-balancer").length, prices.loadBalancer, seconds),
    line("Public IPv4 addresses", addressed.length, prices.publicAddress, seconds),
    { what: "Step Functions transitions", count: transitions, perMonth: 0, run: transitions * price },
  ].filter(({ count }) => count > 0);
}

function instancePrice(type: string): Price {
  const [family = "", size = ""] = type.split(".");
  const { price, ...rest } = familyPrices[family] ?? prices.otherInstance;
  return { ...rest, price: price * (sizes[size] ?? 1) };
}

function line(what: string, count: number, { price, per }: Price, seconds: number): CostLine {
  const perHour = per === "month" ? price / hoursPerMonth : price;
  return { what, count, perMonth: count * perHour * hoursPerMonth, run: (count * perHour * seconds) / 3600 };
}
