import type { Ec2State } from "./state.ts";

/** Where packets could leave the VPC. */
const ways = /^(igw|nat|tgw|pcx|eigw|vgw|cagw)-/;

/** Watches every change, so that a way out that was open for one second only is seen too. */
export class Watch {
  readonly #state: Ec2State;
  readonly #breaches = new Map<string, string>();
  readonly #foreign = new Set<string>();
  readonly #touched = new Set<string>();

  constructor(state: Ec2State) {
    this.#state = state;
  }

  get breaches(): string[] {
    return [...this.#breaches.values()];
  }

  get foreignTouched(): string[] {
    return [...this.#touched];
  }

  /** From here on, everything that is there and does not carry our tag is somebody else's. */
  markForeign(): void {
    for (const shelf of this.#state.shelves())
      for (const { id, type, tags } of shelf.all()) if (type !== "image" && !tags.has("cloister:cluster")) this.#foreign.add(id);
  }

  /** These are somebody else's, whatever they lie in. */
  addForeign(ids: readonly string[]): void {
    for (const id of ids) this.#foreign.add(id);
  }

  /** Notes a change that names a foreign resource, wherever in its input. */
  touch(operation: string, input: unknown): void {
    for (const [id] of JSON.stringify(input).matchAll(/\b[a-z]+-[0-9a-f]{8,17}\b/g))
      if (this.#foreign.has(id)) this.#touched.add(`${operation} ${id}`);
  }

  check(operation: string): void {
    const { subnets, interfaces, universe } = this.#state;
    const note = (what: string) => {
      if (!this.#breaches.has(what)) this.#breaches.set(what, `${universe.clock.iso()} ${operation}: ${what}`);
    };
    for (const own of interfaces.all())
      if (own.publicAddress !== null && !this.#foreign.has(own.id)) note(`${own.id} has the public address ${own.publicAddress}`);
    for (const subnet of subnets.all()) {
      const isPrivate =
        subnet.tags.has("kubernetes.io/role/internal-elb") || interfaces.all().some(({ subnetId }) => subnetId === subnet.id);
      if (!isPrivate || this.#foreign.has(subnet.id)) continue;
      const table = this.#state.routeTableOf(subnet);
      for (const { destination, target } of table.routes)
        if (ways.test(target)) note(`${subnet.id} (${subnet.cidr}) has a route to ${destination} by ${target}`);
    }
  }
}
