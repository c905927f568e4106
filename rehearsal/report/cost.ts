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
  /** AWS's page, or why the number is a guess. */
  readonly source: string;
}

const onDemand = "aws.amazon.com/ec2/pricing/on-demand";
/** A size doubles the price of the one below it, in every general purpose family. */
const sizes: Readonly<Record<string, number>> = { medium: 0.5, large: 1, xlarge: 2, "2xlarge": 4, "4xlarge": 8, "8xlarge": 16 };
/** Linux, us-west-2, on demand, an hour of a family's `large`. */
const familyPrices: Readonly<Record<string, Price>> = {
  m7i: { price: 0.1008, per: "hour", source: onDemand },
  m6i: { price: 0.096, per: "hour", source: onDemand },
  m5: { price: 0.096, per: "hour", source: onDemand },
  t3: { price: 0.0832, per: "hour", source: onDemand },
  m7g: { price: 0.0816, per: "hour", source: onDemand },
  m6g: { price: 0.077, per: "hour", source: onDemand },
};
/** List prices of us-west-2 without the free tier; traffic, requests and load balancer capacity units are left out: a rehearsal cannot know them. */
export const prices = {
  otherInstance: {
    price: 0.1,
    per: "hour",
    source: "guess: a family that is not listed here costs about as much as its neighbours",
  },
  volumeGiB: { price: 0.08, per: "month", source: "aws.amazon.com/ebs/pricing, gp3" },
  endpointAddress: { price: 0.01, per: "hour", source: "aws.amazon.com/privatelink/pricing, an interface endpoint in one zone" },
  loadBalancer: { price: 0.0225, per: "hour", source: "aws.amazon.com/elasticloadbalancing/pricing, network" },
  publicAddress: { price: 0.005, per: "hour", source: "aws.amazon.com/vpc/pricing, public IPv4" },
  transition: { price: 0.000025, per: "transition", source: "aws.amazon.com/step-functions/pricing, standard" },
} as const satisfies Readonly<Record<string, Price>>;

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
