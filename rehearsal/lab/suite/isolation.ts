import { machineText, substitute } from "../../lambdas.ts";
import type { Cluster, LabCheck } from "../checks.ts";
import { found } from "../checks.ts";
import { account, region } from "../cloud/aws.ts";
import { firstFailure } from "../failure.ts";
import { publicAddress } from "../network/fabric.ts";
import { patient } from "../waits.ts";
import { type Breach, breaches } from "./breaches.ts";
import { idsOf } from "./holes.ts";

interface Machine {
  readonly States: Record<string, Record<string, unknown> & { Branches?: { StartAt: string }[] }>;
}

/**
 * The shipped machine, cut down to what certifies: it finds the cluster ready, probes every node and writes a certificate, where the
 * whole one would take the certificate that is on record.
 */
function certifyingMachine(): string {
  const machine = JSON.parse(substitute(machineText("build-cluster"), { region, account })) as Machine;
  const { ProveCluster: prove, IsCertificateOnRecord: choice, CertifyIsolation: certify } = machine.States;
  if (prove?.Branches === undefined || choice === undefined || certify === undefined)
    throw new RangeError("another build-cluster");
  prove.Branches = prove.Branches.filter(({ StartAt }) => StartAt === "ProbeIsolation");
  prove["ResultSelector"] = { "probe.$": "$[0].probe" };
  choice["Choices"] = (choice["Choices"] as object[]).map((rule) => ({ ...rule, Next: "CertifyIsolation" }));
  certify["Next"] = "ReleaseLock";
  return JSON.stringify(machine);
}

const name = "certify-again";

/** The checks of a failed certificate, by name, as the cause tells them. */
const failedIn = (cause: string): string[] =>
  [...cause.matchAll(/(?:not isolated: |; )([a-z-]+) \(/g)].map(([, check = ""]) => check);

async function certificate({ lab }: Cluster, request: unknown, nth: number): Promise<string | null> {
  const execution = lab.start(name, `lab-certify-${nth}`, request);
  const { status } = await execution.done;
  if (status === "SUCCEEDED") return null;
  const { state, error, cause } = firstFailure(execution.history.events);
  if (error !== "NotIsolatedError") throw new Error(`${state} ended with ${error}: ${cause}`);
  return cause;
}

const same = (one: readonly string[], other: readonly string[]): boolean => [...one].sort().join() === [...other].sort().join();

async function withBreach(
  cluster: Cluster,
  { by, checks, words, plant }: Breach,
  request: unknown,
  nth: number,
): Promise<LabCheck> {
  const undo = await plant(cluster, await idsOf(cluster));
  try {
    await cluster.lab.site.settled();
    const cause = await certificate(cluster, request, nth);
    const failed = failedIn(cause ?? "");
    const isRight = cause !== null && same(failed, checks) && words.test(cause);
    const said = isRight ? `false: ${failed.join(", ")}` : (cause ?? "the certificate is true");
    return { name: `${by} is seen`, ...found(isRight, said) };
  } finally {
    for (const step of undo) await step();
    await cluster.lab.site.settled();
  }
}

/** The way out that the probes find closed is there and answers: asked for from beside the nodes, where no group judges. */
async function positiveControl({ lab }: Cluster): Promise<LabCheck> {
  const said = await lab.site
    .fromBastion("curl", "-sS", "-m", "3", `http://${publicAddress}/`)
    .catch((error: Error) => error.message);
  return { name: "from a bastion the Internet answers", ...found(said.trim() === "the Internet", said) };
}

/** Breach after breach in one cluster, each taken back again: the certificate says no for the right reason, and yes at the end. */
export async function checkBreaches(cluster: Cluster, request: unknown, tell: (check: LabCheck) => void): Promise<void> {
  const { lab } = cluster;
  lab.stage.stepFunctions.addMachine(name, patient(certifyingMachine(), lab.stage.clock.scale, 1));
  for (const [index, breach] of breaches.entries()) {
    const failed = (error: Error): LabCheck => ({ name: `${breach.by} is seen`, passed: false, evidence: error.message });
    tell(await withBreach(cluster, breach, request, index).catch(failed));
  }
  tell(await positiveControl(cluster));
  const last = await certificate(cluster, request, breaches.length).catch((error: Error) => error.message);
  tell({ name: "with all of it taken back the certificate is true", ...found(last === null, last ?? "true") });
}
