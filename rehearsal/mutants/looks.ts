import { type Act, rehearse } from "../rehearse.ts";
import { casesOf, judge, scenes } from "../simulate/exhaustive.ts";
import { type Tale, tell, type Verdict } from "../simulate/run.ts";
import { storm } from "../simulate/storm.ts";
import type { VirtualAccount } from "../virtual-account.ts";
import { faultRuleText } from "../world/fault-rule.ts";
import type { InventoryItem } from "../world/service.ts";

/** One look at the product in its world. */
export interface Look {
  readonly name: string;
  /** What is wrong, or null. */
  look(): Promise<string | null>;
}

const seed = 1;
const small = { name: "orchid", workers: { count: 1 }, verify: { volume: false } };
/** Every part that a cluster can have. */
const large = {
  name: "orchid",
  network: { zones: 3, publicSubnets: true },
  controlPlane: { count: 3 },
  workers: { count: 2 },
  verify: { loadBalancer: true },
};

interface Expected {
  readonly status: "ready" | "destroyed" | "failed";
  /** The first cause: its name, and a word of its message. */
  readonly error?: readonly [name: string, word: RegExp];
  /** True where the account must be as it was. */
  readonly isClean?: boolean;
}

/** What outlives a cluster on purpose, or lingers in answers only, is no residue. */
const keysOf = (items: readonly InventoryItem[]): string[] =>
  items
    .filter(
      ({ type, id, facts }) => !(type === "object" && /\/(?:clusters|evidence)\//.test(id)) && facts["state"] !== "terminated",
    )
    .map(({ type, id }) => `${type} ${id}`);

/** One act with its audits and its expected end. */
const act = (
  name: string,
  { status, error, isClean = false }: Expected,
  options: Omit<Parameters<typeof rehearse>[0], "seed"> & { readonly act?: Act },
): Look => ({
  name,
  async look() {
    let before: readonly string[] = [];
    const prepare = (account: VirtualAccount) => {
      before = keysOf(account.world.inventory());
      options.prepare?.(account);
    };
    const told = await rehearse({ ...options, seed, prepare });
    const said = `${told.error?.name}: ${told.error?.cause}`;
    if (told.status !== status) return `ends ${told.status}, not ${status}: ${said}`;
    if (error !== undefined && (told.error?.name !== error[0] || !error[1].test(told.error.cause)))
      return `the first cause is ${said}, not ${error[0]} with ${error[1]}`;
    if (status === "ready" && told.certificate?.isolated !== true) return "there is no certificate of isolation";
    if (status === "ready" && told.cluster?.nodes.some(({ ready }) => !ready)) return "a node is not ready";
    const left = keysOf(told.inventory.after).filter((key) => !before.includes(key));
    if (isClean && left.length > 0) return `left behind: ${left.join(", ")}`;
    const { secretLeaks, breaches, foreignTouched } = told.audit;
    return [...secretLeaks, ...breaches, ...foreignTouched][0] ?? null;
  },
});

const quota = { operation: "RunInstances", code: "VcpuLimitExceeded", nth: 2, after: false };
const denied = { operation: "SendCommand", code: "AccessDeniedException", nth: 3, after: false };

/** After a step somebody else makes something, through the API like everybody. */
const meanwhile = (step: string, make: (account: VirtualAccount, send: Send) => Promise<unknown>) => (account: VirtualAccount) =>
  void account.afterStep.set(step, async (output) => {
    await make(account, (operation, input) => account.world.door.send("ec2", operation, input, { kind: "harness" }));
    return output;
  });
type Send = (operation: string, input: Record<string, unknown>) => Promise<unknown>;

const clusterVpc = ({ world }: VirtualAccount): string =>
  world.ec2.state.vpcs.all().find(({ tags }) => tags.has("cloister:cluster"))?.id ?? "";

const wayOut = meanwhile("create-network", async (account, send) => {
  const { InternetGateway } = (await send("CreateInternetGateway", {})) as { InternetGateway: { InternetGatewayId: string } };
  const { InternetGatewayId } = InternetGateway;
  await send("AttachInternetGateway", { InternetGatewayId, VpcId: clusterVpc(account) });
});

const ownTags = ["cluster=orchid", "generation=1", "role=vpc", "execution=other"].map((tag) => {
  const [key = "", Value] = tag.split("=");
  return { Key: `cloister:${key}`, Value };
});
const surplus = meanwhile("certify-isolation", (_, send) =>
  send("CreateVpc", { CidrBlock: "10.99.0.0/16", TagSpecifications: [{ ResourceType: "vpc", Tags: ownTags }] }),
);

const rehearsals: readonly Look[] = [
  act("a build", { status: "ready" }, { request: large }),
  act("a destroy", { status: "destroyed", isClean: true }, { request: small, act: "destroy" }),
  act("a rebuild", { status: "ready" }, { request: small, act: "rebuild" }),
  act(
    "a build that fails",
    { status: "failed", error: ["QuotaError", /VcpuLimitExceeded/], isClean: true },
    { request: small, faults: [quota] },
  ),
  act("a resume", { status: "ready" }, { request: small, act: "resume", faults: [denied] }),
  act(
    "a build with a script that fails",
    { status: "failed", error: ["CommandFailedError", /broken on purpose/], isClean: true },
    {
      request: small,
      prepare: (account) => account.document("revoke-join", () => "#!/bin/bash\necho 'broken on purpose' >&2\nexit 1\n"),
    },
  ),
  act(
    "a build beside a way out",
    { status: "failed", error: ["ResourcesLeftBehind", /is not isolated: no-ways-out/] },
    { request: small, prepare: wayOut },
  ),
  act(
    "a build of one VPC too many",
    { status: "failed", error: ["DefectError", /not what was planned/] },
    { request: small, prepare: surplus },
  ),
];

const signOf = ({ violations: [first] }: Verdict): string | null =>
  first === undefined ? null : `invariant ${first.invariant}: ${first.detail}`;

const isChange = (operation: string): boolean => !/^(?:Describe|Get|List)/.test(operation);

/** Every first answer to a change is lost, so that each is asked for twice. */
const lostAnswers: Tale["faults"] = (_, { operation, state, nthInState }) =>
  state !== null && isChange(operation) && nthInState % 2 === 1
    ? { operation, state, nth: nthInState, code: "TimeoutError", after: true }
    : undefined;

/** Lambda dies at the first change of each state, once that has taken effect. */
function deaths(): Tale["faults"] {
  const met = new Set<string>();
  return (_, { operation, state, nthInState }) => {
    // Nothing stands around a function that no state called.
    if (state === null || state === "SweepClusters" || !isChange(operation) || met.has(state)) return undefined;
    met.add(state);
    return { operation, state, nth: nthInState, code: "Lambda.Unknown", after: true, kind: "kill" };
  };
}

/** A build, a rebuild and a destroy in weather that the product must stand: all of them end well. */
const hard = (name: string, faults: Tale["faults"]): Look => ({
  name,
  async look() {
    const ends: string[] = [];
    const verdict = await tell({
      seed,
      request: small,
      faults,
      async story(stage) {
        const acts = [
          ["build", { ...small, network: { zones: 2, publicSubnets: true } }],
          ["rebuild", { name: small.name }],
          ["destroy", { name: small.name }],
        ] as const;
        for (const [machine, input] of acts) {
          const { outcome } = await stage.run(`${machine}-cluster`, input, machine);
          if (outcome.status !== "SUCCEEDED") ends.push(`${machine} ends ${outcome.error}: ${outcome.cause?.slice(0, 300)}`);
        }
      },
    });
    return ends[0] ?? signOf(verdict);
  },
});

const lives = 40;
const storms: readonly Look[] = [
  hard("every answer lost once", lostAnswers),
  hard("a death in every state", deaths()),
  ...Array.from({ length: lives }, (_, index) => ({
    name: `life ${index + 1}`,
    look: async () => signOf(await storm(index + 1)),
  })),
];

/** So many faults of each act, spread over all of its calls. */
const faultsPerScene = 12;
async function* everyFault(): AsyncGenerator<Look> {
  for (const scene of scenes) {
    const cases = await casesOf(scene);
    const every = Math.floor(cases.length / faultsPerScene);
    for (const found of cases.filter((_, index) => index % every === 0))
      yield { name: `${scene} ${faultRuleText(found.rule)}`, look: async () => signOf(await judge(found)) };
  }
}

/** Parts of the suite that look at the product in its world, by name. */
export const parts = {
  rehearsals: () => rehearsals,
  storms: () => storms,
  faults: everyFault,
} satisfies Readonly<Record<string, () => Iterable<Look> | AsyncIterable<Look>>>;
