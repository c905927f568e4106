import { describeHolding, type Holding, isTheirs, madeByCluster } from "./holdings.ts";
import { ownersOf, type TeardownLock } from "./lock.ts";
import { describeKept, isGoing } from "./teardown.ts";

/** The account as three independent views show it; all must agree on nothing (design 3). */
export interface ResidueViews {
  /** By the owner's and the cloud provider's tags. */
  readonly tags: readonly Holding[];
  /** Whatever lies in a VPC of ours, whoever made it. */
  readonly membership: readonly Holding[];
  /** By the names that our rules give. */
  readonly names: readonly Holding[];
}
export type View = keyof ResidueViews;

export interface LeftBehind {
  readonly holding: Holding;
  readonly seenBy: readonly View[];
  /** False for what somebody else put into our VPC: it is never removed, only named. */
  readonly isOurs: boolean;
}

export interface Residue {
  readonly left: readonly LeftBehind[];
  /** Data that is kept on purpose. */
  readonly kept: readonly Holding[];
}

const views: readonly View[] = ["tags", "membership", "names"];

/** What should be gone and is not, each thing once with the views that show it, and what is kept on purpose. */
export function residueOf(seen: ResidueViews, lock: TeardownLock): Residue {
  const owners = ownersOf(lock);
  const all = new Map(views.flatMap((view) => seen[view]).map((holding) => [holding.id, holding]));
  const left: LeftBehind[] = [];
  const kept: Holding[] = [];
  for (const holding of all.values()) {
    if (isTheirs(holding, owners) && !isGoing(holding, lock)) kept.push(holding);
    else
      left.push({
        holding,
        seenBy: views.filter((view) => seen[view].some(({ id }) => id === holding.id)),
        isOurs: isTheirs(holding, owners) || holding.kind === "parameter",
      });
  }
  return { left, kept };
}

/** `instance i-1, not ours (membership)`: AWS says that it is there, and by which views. */
export const describeLeft = ({ holding, seenBy, isOurs }: LeftBehind): string =>
  `${describeHolding(holding)}${isOurs ? "" : ", not ours"} (${seenBy.join(", ")})`;

/** What each generation's row gets: a thing that does not say whose it is counts for the lock's first. */
export function residueByGeneration(
  { left, kept }: Residue,
  lock: TeardownLock,
): Readonly<Record<string, { readonly left: readonly string[]; readonly volumes: readonly string[] }>> {
  const generationOf = ({ tags, id }: Holding): number => {
    const [, fromName] = /^\/cloister\/[^/]+\/g(\d+)\//.exec(id) ?? [];
    const said = Number(tags["cloister:generation"] ?? fromName ?? madeByCluster(tags, ownersOf(lock)));
    return lock.generations.includes(said) ? said : (lock.generations[0] ?? 0);
  };
  return Object.fromEntries(
    lock.generations.map((generation) => [
      String(generation),
      {
        left: left.filter(({ holding }) => generationOf(holding) === generation).map(describeLeft),
        volumes: kept.filter((holding) => generationOf(holding) === generation).map(({ id }) => id),
      },
    ]),
  );
}

/** How much of a list a message holds; all of it is in the evidence. */
const namedMax = 20;
const listed = (items: readonly string[]): string =>
  items.length > namedMax ? `${items.slice(0, namedMax).join(", ")} and ${items.length - namedMax} more` : items.join(", ");

/** One sentence for the execution's end. */
export function summarize({ left, kept }: Residue, lock: TeardownLock): string {
  const who = `${lock.cluster} (generation ${lock.generations.join(", ")})`;
  const keeping = kept.length === 0 ? "" : ` Kept on purpose: ${listed(kept.map(describeKept))}.`;
  if (left.length === 0) return `Nothing of ${who} is left.${keeping}`;
  return `${left.length} left of ${who}: ${listed(left.map(describeLeft))}.${keeping}`;
}
