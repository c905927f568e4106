import { type Holding, isData, madeByCluster } from "./holdings.ts";
import { ownersOf, type TeardownLock } from "./lock.ts";

/** Whether a thing of these generations is to go: all but the data of those whose data is kept (lifecycle 6). */
export function isGoing(holding: Holding, lock: TeardownLock): boolean {
  if (!isData(holding)) return true;
  const generation = madeByCluster(holding.tags, ownersOf(lock));
  return generation !== null && lock.doomedVolumes.includes(generation);
}

/** USD for a GiB-month, as listed for us-east-1 and us-west-2 (AWS price list, EBS gp3 and snapshots, standard tier, 2026). */
const monthlyUsd = { volume: 0.08, snapshot: 0.05 };

/** A volume or snapshot that is kept, and what it costs: `volume vol-1 (pvc-1), 10 GiB, 0.80 USD a month`. */
export function describeKept({ kind, id, name, sizeGiB }: Holding): string {
  const price = sizeGiB * (kind === "snapshot" ? monthlyUsd.snapshot : monthlyUsd.volume);
  return `${kind} ${id}${name === "" ? "" : ` (${name})`}, ${sizeGiB} GiB, ${price.toFixed(2)} USD a month`;
}
