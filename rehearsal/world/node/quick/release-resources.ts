import { type Item, itemsOf } from "./objects.ts";
import { kubeconfig, type QuickScript, type Script } from "./script.ts";

/** A kind of which some are to go. */
interface Kind {
  readonly plural: string;
  isMeant(item: Item): boolean;
}
const balanced: Kind = { plural: "services", isMeant: ({ spec }) => spec?.type === "LoadBalancer" };
const claims: Kind = { plural: "persistentvolumeclaims", isMeant: () => true };
const users: Kind = {
  plural: "pods",
  isMeant: ({ spec }) => spec?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined) === true,
};

async function find(sh: Script, { plural, isMeant }: Kind): Promise<readonly Item[]> {
  return itemsOf(await sh.loose(`kubectl get ${plural} -A -o json`)).filter(isMeant);
}

/** Asks for the deletion of each and waits for none. */
async function drop(sh: Script, resource: string, items: readonly Item[]): Promise<void> {
  for (const { metadata } of items)
    await sh.ok(`kubectl -n ${metadata.namespace} delete ${resource} ${metadata.name} --ignore-not-found --wait=false`);
}

/** Waits until there is none; gives how many are left. */
async function unlessEmpty(sh: Script, seconds: number, { plural, isMeant }: Kind): Promise<number> {
  const end = await sh.moment(seconds);
  for (;;) {
    const { stdout } = await sh.call(`kubectl get ${plural} -A -o json`);
    const left = itemsOf(stdout).filter(isMeant).length;
    if (left === 0 || (await sh.isOver(end))) return left;
    await sh.sleep(5);
  }
}

/** release-resources.sh */
export const releaseResources: QuickScript = {
  hold: "alone",
  needs: ["volumes"],
  async run(sh) {
    if (!sh.files.has(kubeconfig) || !(await sh.ok("kubectl get --raw /readyz --request-timeout=10s")))
      return { answered: false, services: 0, claims: 0, left: 0 };
    const services = await find(sh, balanced);
    await drop(sh, "service", services);
    const left = await unlessEmpty(sh, 180, balanced);
    if (sh.get("volumes") !== "delete") return { answered: true, services: services.length, claims: 0, left };
    const wanted = await find(sh, claims);
    await drop(sh, "persistentvolumeclaim", wanted);
    await drop(sh, "pod", await find(sh, users));
    const unreleased = await unlessEmpty(sh, 60, claims);
    return { answered: true, services: services.length, claims: wanted.length, left: left + unreleased };
  },
};
