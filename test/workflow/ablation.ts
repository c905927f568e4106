import { strict as assert } from "node:assert";
import { test } from "node:test";
import type { Plan } from "../../functions/domain/plan.ts";
import { machineText } from "../../rehearsal/lambdas.ts";
import { reasonAt, stateOf, turningPoint } from "../../rehearsal/reasons.ts";
import { rehearse } from "../../rehearsal/rehearse.ts";
import type { VirtualAccount } from "../../rehearsal/virtual-account.ts";
import { list, type Retrier, type State } from "../../rehearsal/world/asl/definition.ts";
import type { HistoryEvent } from "../../rehearsal/world/asl/history.ts";

export const seed = 7;
/** One worker is enough for every cause; a volume only costs time. */
export const orchid = { name: "orchid", workers: { count: 1 }, verify: { volume: false }, onFailure: "keep" };
export const withLoadBalancer = { ...orchid, verify: { volume: false, loadBalancer: true } };
export const threePlanes = {
  name: "orchid",
  network: { zones: 3 },
  controlPlane: { count: 3 },
  workers: { count: 1 },
  verify: { volume: false },
  onFailure: "keep",
};

/** What is taken away, and the failure that the article or the fact sheet describes for it. */
export interface Ablation {
  readonly without: string;
  readonly source: string;
  readonly request?: unknown;
  /** It changes the text of a script: no quick twin may run in its place. */
  readonly rewrites?: true;
  plant(account: VirtualAccount): void;
  readonly error: string;
  readonly state: string | RegExp;
  readonly words: RegExp;
}

export const withoutEndpoint = (service: string) => (account: VirtualAccount) => {
  account.afterStep.set("validate-request", (output) => {
    const { plan, ...rest } = output as { plan: Plan };
    return { ...rest, plan: { ...plan, interfaceEndpoints: plan.interfaceEndpoints.filter((name) => name !== service) } };
  });
};
export const after = (step: string, plant: (account: VirtualAccount) => unknown) => (account: VirtualAccount) => {
  account.afterStep.set(step, () => plant(account));
};
export const ec2 = (account: VirtualAccount) => account.world.ec2.state;
export const rulesGo = (match: (rule: { from: number; to: number; groupId: string }, account: VirtualAccount) => boolean) =>
  after("create-network", (account) => {
    for (const rule of ec2(account)
      .rules.all()
      .filter((candidate) => match(candidate, account)))
      ec2(account).rules.remove(rule.id);
  });
export const groupId = (account: VirtualAccount, role: RegExp) =>
  ec2(account)
    .groups.all()
    .find(({ tags }) => role.test(tags.get("Name") ?? ""))?.id ?? assert.fail(`no group ${role}`);
export const instances = (account: VirtualAccount, role: string) =>
  ec2(account)
    .instances.all()
    .filter(({ tags }) => tags.get("cloister:role") === role);
export const clusterTag = "kubernetes.io/cluster/orchid-g1";
export const loseImage = (role: string, part: string) => (account: VirtualAccount) => {
  for (const node of account.world.nodes.nodes.values()) {
    if (node.instance.tags.get("cloister:role") !== role) continue;
    for (const ref of [...node.images.keys()]) if (ref.includes(part)) node.images.delete(ref);
  }
};
/** Replaces a part of a shipped script; a part that is not there would make the ablation empty. */
export const script = (name: Parameters<VirtualAccount["document"]>[0], from: string, to: string) => (account: VirtualAccount) =>
  account.document(name, (text) => {
    assert.ok(text.includes(from), `${name} does not hold ${from}`);
    return text.replaceAll(from, to);
  });
export const policyWithout = (action: string) => (account: VirtualAccount) => {
  const role = account.deployment.controlPlaneProfile;
  const policies = JSON.stringify(account.world.aws.roles.get(role)?.[0]);
  assert.ok(policies.includes(action));
  account.policy(role, policies.replaceAll(`"${action}",`, ""));
};

/**
 * One test for each: the build fails in the state, with the error and in the words that the source gives, and no secret shows. What the
 * shipped scripts make of each kind of symptom, their quick twins make of it, too (test/world/quick-scripts.test.ts).
 */
export function demandFailures(ablations: readonly Ablation[]): void {
  for (const { without, source, request = orchid, rewrites, plant, error, state, words } of ablations) {
    const scripts = rewrites ? "interpreted" : "quick";
    test(`without ${without} the build fails as ${source} says, as soon as it can be known`, async (context) => {
      const accounts: VirtualAccount[] = [];
      const prepare = (account: VirtualAccount) => {
        accounts.push(account);
        plant(account);
      };
      const result = await rehearse({ request, seed, scripts, prepare });
      assert.equal(result.status, "failed");
      assert.equal(result.error?.name, error, result.error?.cause);
      if (typeof state === "string") assert.equal(result.error?.state, state, result.error?.cause);
      else assert.match(result.error?.state ?? "", state, result.error?.cause);
      assert.match(result.error?.cause ?? "", words);
      assert.deepEqual(result.audit.secretLeaks, []);
      context.diagnostic(demandPromptness(result.history, accounts[0]?.world.ssm.commands.failures() ?? []));
    });
  }
}

const build = JSON.parse(machineText("build-cluster")) as { readonly States: Readonly<Record<string, State>> };
const statesIn = (states: Readonly<Record<string, State>>): [string, State][] =>
  Object.entries(states).flatMap(([name, state]) => [
    [name, state] as [string, State],
    ...list<typeof build>(state["Branches"]).flatMap(({ States }) => statesIn(States)),
  ]);
const retriersOf = new Map(statesIn(build.States).map(([name, state]) => [name, list<Retrier>(state["Retry"])]));

/**
 * A command that came to its end is named by the first look that begins after it; a state whose looks all end in what is tried again asks at
 * most once more than its budget says; whatever is wrong at a first look is named by it. Gives the figures.
 */
function demandPromptness(history: readonly HistoryEvent[], failures: readonly number[]): string {
  const own = history.filter(({ execution }) => execution === history[0]?.execution);
  const named = turningPoint(own) ?? assert.fail("nothing failed");
  const { name, at } = stateOf(named, own);
  const retriers = retriersOf.get(name) ?? [];
  const tries = retriers.find(({ ErrorEquals }) => ErrorEquals.includes(String(named.details["error"])))?.MaxAttempts ?? 0;
  const ended = failures.filter((instant) => instant <= named.timestamp).at(-1);
  const isCommand = named.details["error"] === "CommandFailedError" && ended !== undefined;
  const { looks, seconds } = reasonAt(isCommand ? ended : at, named, own);
  assert.ok(looks <= tries + 1, `${name} named it at look ${looks} of ${tries + 1}`);
  const since = isCommand ? "the command's end" : "the state began";
  const pause = retriers.find(({ ErrorEquals }) => ErrorEquals.includes("NotReadyError"))?.IntervalSeconds;
  return `reason: ${name}, ${seconds.toFixed(1)} s after ${since}, look ${looks} of ${tries + 1}, one every ${pause ?? "-"} s`;
}
