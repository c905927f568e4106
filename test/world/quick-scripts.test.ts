import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import type { DocumentName } from "../../functions/domain/documents.ts";
import { userData } from "../../functions/domain/user-data.ts";
import { shipped, shippedDocument } from "../../rehearsal/shipped.ts";
import { Stage, type StageOptions } from "../../rehearsal/stage.ts";
import { SimClock } from "../../rehearsal/world/clock.ts";
import type { FaultRule } from "../../rehearsal/world/fault-rule.ts";
import { flock } from "../../rehearsal/world/node/programs/system.ts";
import { QuickShell } from "../../rehearsal/world/node/quick/quick-shell.ts";
import { Shell } from "../../rehearsal/world/node/shell.ts";
import { SimulationGap } from "../../rehearsal/world/service.ts";

import type { ScriptResult } from "../../rehearsal/world/ssm/command.ts";
import { after, ec2, loseImage, orchid, rulesGo, threePlanes, withLoadBalancer } from "../workflow/ablation.ts";

/** One story: what is run in an account of its own. */
interface Story {
  readonly request?: unknown;
  readonly faults?: readonly FaultRule[];
  readonly prepare?: StageOptions["prepare"];
  /** When a person aborts the build, seconds after its start. */
  readonly abortAfter?: number;
  /** What comes after the build, by machine. */
  readonly next?: readonly { readonly machine: string; readonly input: unknown; before?(stage: Stage): Promise<void> | void }[];
}

/** Everything that shows of a story: each execution's events with their times and data, its end, each call, and what is there after it. */
async function told(scripts: "interpreted" | "quick", seed: number, story: Story) {
  const { request = orchid, faults = [], prepare, abortAfter, next = [] } = story;
  const stage = await Stage.open({ request, seed, faults, scripts, ...(prepare && { prepare }) });
  const { world } = stage.account;
  if (abortAfter !== undefined) {
    const abort = () => [...world.stepFunctions.executions.values()][0]?.stop("Abort", "by a person");
    world.universe.clock.after(abortAfter, abort);
  }
  await stage.run("build-cluster", request, "build");
  for (const [index, { machine, input, before }] of next.entries()) {
    await before?.(stage);
    await stage.run(machine, input, `next-${index}`);
  }
  const executions = [...world.stepFunctions.executions.values()];
  return {
    ends: executions.map(({ name, outcome }) => ({ name, ...outcome })),
    histories: executions.map(({ history }) => history.events),
    calls: world.door.calls.map(({ at, operation, caller, code }) => ({ at, operation, caller: caller.kind, code })),
    inventory: world.inventory(),
    written: stage.written().filter(({ place }) => place.startsWith("output of")),
    endedAt: world.universe.clock.iso(),
  };
}

/** Gives how the first execution ended. */
async function demandSame(seed: number, story: Story) {
  const [interpreted, quick] = [await told("interpreted", seed, story), await told("quick", seed, story)];
  assert.ok(interpreted.histories.length > 0 && interpreted.calls.length > 0, `seed ${seed}: nothing happened`);
  assert.deepEqual(quick, interpreted, `seed ${seed}`);
  return interpreted.ends;
}

const named = { name: "orchid" };
const destroy = { machine: "destroy-cluster", input: named };

/** No API server takes a connection, for so many seconds. */
function isAway({ nodes, universe }: Stage["account"]["world"], seconds: number): void {
  for (const node of nodes.nodes.values()) {
    if (!node.hasApiServer) continue;
    node.hasApiServer = false;
    universe.clock.after(seconds, () => {
      node.hasApiServer = true;
    });
  }
}

describe("a story told with quick scripts is the same as with interpreted ones", () => {
  const good: Readonly<Record<string, Story>> = {
    "a control plane and a worker": {},
    "three control planes": { request: threePlanes },
    "a volume and a load balancer": { request: { ...withLoadBalancer, verify: { volume: true, loadBalancer: true } } },
    "an image whose crictl complains at every call": { prepare: (account) => account.onImage({ hasCrictlConfig: false }) },
    "pods that answer a while after they are ready": {
      prepare: after("verify-cluster", ({ world }) => {
        for (const node of world.nodes.nodes.values()) node.podsAnswerAt = world.universe.clock.now() + 40_000;
      }),
    },
    "an API server that is not there yet when the new kubeconfig is tried": {
      prepare: after("publish-access", ({ world }) => isAway(world, 6)),
    },
    "a destroy": { next: [destroy] },
    "a destroy that deletes volumes": {
      request: { ...orchid, verify: { volume: true } },
      next: [{ machine: "destroy-cluster", input: { ...named, volumes: "delete" } }],
    },
    "a rebuild": { next: [{ machine: "rebuild-cluster", input: named }] },
  };
  for (const [what, story] of Object.entries(good)) {
    test(what, async () => {
      const ends = await demandSame(19, story);
      for (const { name, status, cause } of ends) assert.equal(status, "SUCCEEDED", `${name}: ${cause}`);
    });
  }
});

/** Both modes fail alike, in these words. */
interface Failure extends Story {
  readonly words: RegExp;
}

const refused = (nth: number): FaultRule => ({ operation: "SendCommand", code: "AccessDeniedException", nth, after: false });

const failures: Readonly<Record<string, Failure>> = {
  "an image that the bundle lacks": {
    prepare: (account) =>
      account.onImage({ kubeadmImages: [...account.row.core, "registry.k8s.io/b:v1", "registry.k8s.io/a:v1"] }),
    words: /kubeadm needs registry\.k8s\.io\/a:v1 registry\.k8s\.io\/b:v1 - which the bundle does not have/,
  },
  "the network plugin's image, lost on the workers": {
    prepare: after("join-workers", loseImage("worker", "/calico/node:")),
    words: /is not Ready/,
  },
  "another pause image": {
    prepare: (account) => account.onImage({ sandboxImage: "registry.k8s.io/pause:3.8" }),
    words: /containerd's sandbox image is registry\.k8s\.io\/pause:3\.8/,
  },
  "an expired token": {
    prepare: after("join-workers", (account) => {
      for (const cluster of account.world.nodes.clusters.values())
        for (const [id, token] of cluster.tokens) cluster.tokens.set(id, { ...token, expiresAt: cluster.now() });
    }),
    words: /could not find a JWS signature in the cluster-info ConfigMap for token ID/,
  },
  "an API server that does not take the new kubeconfig": {
    prepare: after("publish-access", ({ world }) => isAway(world, 3600)),
    words: /the API server takes the new kubeconfig: not so after 30 seconds: .*connection refused/,
  },
  "a closed overlay port": {
    prepare: rulesGo(({ from }) => from === 4789),
    words: /cannot reach the pod at .* is UDP 4789 open/,
  },
  "pods that never answer": {
    prepare: after("verify-cluster", ({ world }) => {
      for (const node of world.nodes.nodes.values()) node.podsAnswerAt = Number.POSITIVE_INFINITY;
    }),
    words: /this node cannot reach the pod at \S+ to ask whether it gets out: is UDP 4789 open/,
  },
  "a name that does not resolve on the nodes": {
    prepare: after("wait-for-nodes", (account) => {
      for (const endpoint of ec2(account).endpoints.all())
        if (endpoint.service === "ec2") Object.assign(endpoint, { hasPrivateDns: false });
    }),
    words: /ec2\..* does not resolve|outside the private subnets/,
  },
  "no way to S3": {
    prepare: after("wait-for-dns", (account) => {
      for (const table of ec2(account).routeTables.all())
        table.routes.splice(0, table.routes.length, ...table.routes.filter(({ target }) => !target.startsWith("vpce-")));
    }),
    words: /cannot read s3:\/\/.*Connect timeout/,
  },
  "subnets without their tag": {
    request: withLoadBalancer,
    prepare: after("create-network", (account) => {
      for (const subnet of ec2(account).subnets.all()) subnet.tags.delete("kubernetes.io/role/internal-elb");
    }),
    words: /could not find any suitable subnets for creating the ELB/,
  },
  "an endpoint in front of the API that does not hairpin": {
    request: threePlanes,
    prepare: after("create-api-endpoint", (account) => {
      for (const group of account.world.elb.targetGroups.values()) group.attributes.set("preserve_client_ip.enabled", "true");
    }),
    words: /i\/o timeout: context deadline exceeded/,
  },
};

describe("a failure told with quick scripts is the same as with interpreted ones, to its last words", () => {
  for (const [what, { words, ...story }] of Object.entries(failures)) {
    test(what, async () => {
      const [build] = await demandSame(7, story);
      assert.equal(build?.status, "FAILED");
      assert.match(build?.cause ?? "", words);
    });
  }

  test("rolled back, when the request says so", async () => {
    const ends = await demandSame(3, {
      request: { ...orchid, onFailure: "rollback" },
      prepare: rulesGo(({ from }) => from === 4789),
    });
    assert.deepEqual(
      ends.map(({ status }) => status),
      ["FAILED", "SUCCEEDED"],
    );
  });

  test("resumed, and then ready", async () => {
    const again = { machine: "build-cluster", input: orchid };
    const [first, second] = await demandSame(3, { faults: [refused(6)], next: [again] });
    assert.equal(first?.status, "FAILED");
    assert.equal(second?.status, "SUCCEEDED", second?.cause);
  });

  test("aborted amid its scripts, which the next build calls off and takes over", async () => {
    for (const abortAfter of [230, 260, 320]) {
      const again = { machine: "build-cluster", input: orchid };
      const [first, second] = await demandSame(abortAfter, { abortAfter, next: [again] });
      assert.equal(first?.status, "ABORTED");
      assert.equal(second?.status, "SUCCEEDED", second?.cause);
    }
  });

  test("of a destroy whose API server is dead", async () => {
    for (const seed of [2]) {
      const kill = ({ account }: Stage) => {
        for (const node of account.world.nodes.nodes.values()) node.cluster = null;
      };
      const ends = await demandSame(seed, { next: [{ ...destroy, before: kill }] });
      assert.equal(ends.at(-1)?.status, "SUCCEEDED", ends.at(-1)?.cause);
    }
  });
});

/** The same shipped scripts on a bare node of each kind, each after the other's end. */
async function onBareNodes(document: DocumentName, ...environments: Readonly<Record<string, string>>[]) {
  const results: ScriptResult[][] = [];
  for (const mode of ["interpreted", "quick"]) {
    const clock = new SimClock("2026-11-24T00:00:00Z");
    const nothing = () => ({});
    const programs = {
      ...{ umask: nothing, trap: nothing, flock },
      date: () => ({ stdout: "0\n" }),
      mktemp: () => ({ stdout: "/var/lib/cloister/secrets.000001\n" }),
      kubectl: () => ({ stdout: "one\n", stderr: "WARNING: no error\nerror: abcdef.0123456789abcdef is unknown\n", exitCode: 1 }),
    };
    const isUp = () => true;
    const shell = mode === "quick" ? new QuickShell(clock, programs, isUp, shipped) : new Shell(clock, programs, isUp);
    const said: ScriptResult[] = [];
    for (const environment of environments) said.push(await clock.run(shell.run(shippedDocument(document).script, environment)));
    results.push(said);
  }
  assert.deepEqual(results[1], results[0]);
  return results[1] ?? [];
}
const fence = (number: number) => ({ SSM_fence: String(number), SSM_region: "us-west-2" });

describe("a quick script", () => {
  test("is never another than the shipped one: a changed text is a gap, not a guess", async () => {
    const shell = new QuickShell(new SimClock("2026-11-24T00:00:00Z"), {}, () => true, shipped);
    const { script } = shippedDocument("join");
    const guard = userData({ hosts: ["ssm.us-west-2.amazonaws.com"], subnets: ["10.0.0.0/24"] }).replace("#cloud-boothook\n", "");
    for (const text of [script.replace("IfNotPresent", "Never"), guard.replace("sleep 2", "sleep 3"), "true"])
      await assert.rejects(shell.run(text, {}), (error) => error instanceof SimulationGap);
  });

  test("says which parameter an old agent left unset", async () => {
    const [none, some] = await onBareNodes("release-resources", {}, fence(1));
    assert.match(none?.stderr ?? "", /^SSM_fence is not set/);
    assert.match(some?.stderr ?? "", /^SSM_volumes is not set/);
  });

  test("refuses a fence that is lower than the node has seen, and takes one that is not", async () => {
    const said = await onBareNodes("release-resources", fence(5), fence(4), { ...fence(5), SSM_volumes: "retain" });
    assert.match(said[1]?.stderr ?? "", /^fence 4 is lower than 5: another execution/);
    assert.equal(said[2]?.stdout, '{"answered":false,"services":0,"claims":0,"left":0}\n');
  });

  test("ends with a failed program's reasons, and shows no token", async () => {
    const [said] = await onBareNodes("revoke-join", fence(1));
    assert.equal(said?.stderr, "kubectl -n failed: error: <token> is unknown \n");
    assert.equal(said?.exitCode, 1);
  });
});
