import { strict as assert } from "node:assert";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import { secretLeaks } from "../../rehearsal/audit.ts";
import { Stage } from "../../rehearsal/stage.ts";
import type { FaultRule } from "../../rehearsal/world/fault-rule.ts";
import { ownHost } from "../../scripts/cloister/host.ts";
import { type Terminal, terminal } from "./terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "cloister-command-"));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);
const orchid = { name: "orchid", workers: { count: 1 }, verify: { volume: false } };
writeFileSync(path("orchid.json"), JSON.stringify(orchid));

async function open(faults: readonly FaultRule[] = []): Promise<{ readonly stage: Stage; readonly at: Terminal }> {
  const stage = await Stage.open({ request: orchid, seed: 11, scripts: "quick", faults });
  return { stage, at: terminal(stage) };
}

describe("a cluster's life from a terminal", () => {
  let stage: Stage;
  let at: Terminal;
  let [printed, live] = ["", ""];
  /** The states that ended well, with when and how long. */
  const ended = (out: string): readonly string[] =>
    out
      .split("\n")
      .filter((line) => line.includes(" ✓ "))
      .sort();
  const cloister = async (...args: readonly string[]) => {
    const said = await at.cloister(...args);
    printed += `${said.out}${said.err}`;
    return said;
  };
  before(async () => {
    ({ stage, at } = await open());
    stage.attend();
  });

  test("doctor finds everything in its place", async () => {
    at.programs.add("aws").add("session-manager-plugin");
    const { code, out } = await cloister("doctor");
    assert.equal(code, 0, out);
    const checks = out
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/).slice(0, 2).join(" "));
    const wanted = ["credentials", "deployment", "image", "bundle", "quotas", "zones", "connect"];
    assert.deepEqual(
      checks,
      wanted.map((check) => `ok ${check}`),
    );
  });

  test("list says how to begin where there is nothing yet", async () => {
    assert.match((await cloister("list")).out, /no cluster yet.*cloister build NAME/);
  });

  test("build shows the states as they end, and then that the cluster is ready", async () => {
    const { code, out, err } = await cloister("build", "--request", path("orchid.json"));
    assert.equal(code, 0, out);
    live = out;
    assert.match(err, /execution:build-cluster:orchid-build-\d{8}T\d{9}Z has started/);
    for (const state of ["ValidateRequest", "WaitForDns", "KubeadmInit", "CertifyIsolation", "ClusterReady"])
      assert.match(out, new RegExp(`\\d:\\d\\d .*✓ ${state} `), state);
    assert.match(out, /WaitForDns +[\d.]+ s {2}0 of 5 endpoints answer/, "what a state waits for is shown");
    assert.match(out, /orchid is ready: generation 1/);
  });

  test("watch tells the same story again when it is over, from page after page of its history", async () => {
    const { code, out } = await cloister("watch", "orchid");
    assert.equal(code, 0);
    assert.deepEqual(ended(out), ended(live));
    assert.ok(ended(out).length > 30);
    assert.match(out, /orchid is ready: generation 1/);
    assert.ok((stage.account.world.stepFunctions.executions.values().next().value?.history.events.length ?? 0) > 400);
  });

  test("status and list say what stands and what may be done next", async () => {
    const { out } = await cloister("status", "orchid");
    assert.match(out, /^orchid: generation 1 serves, Kubernetes 1\.36\.3, 2 nodes$/m);
    assert.match(out, /generation 1 +proved, certified as isolated/);
    assert.match((await cloister("list")).out, /^orchid +g1 +1\.36\.3 +2 +no +ready$/m);
  });

  test("certificate shows each check, compares the hash, and exits with 1 when the file was changed", async () => {
    const { code, out } = await cloister("certificate", "orchid", "--output", path("certificate.json"));
    assert.equal(code, 0);
    assert.match(out, /orchid, generation 1: isolated[\s\S]*as on record[\s\S]*✓ routes-stay-inside/);
    const { s3 } = stage.account.world;
    const [bucket, key] = [stage.account.deployment.bucket, "evidence/orchid/g1/certificate.json"];
    const body = s3.object(bucket, key)?.body ?? "";
    assert.equal(readFileSync(path("certificate.json"), "utf8"), body);
    s3.put(bucket, key, body.replace("orchid", "violet"));
    const changed = await cloister("certificate", "orchid");
    assert.deepEqual([changed.code, /NOT the one on record/.test(changed.out)], [1, true]);
    s3.put(bucket, key, body);
  });

  test("kubeconfig writes a file that only its owner may read", async () => {
    const file = path("orchid.kubeconfig");
    const commands = stage.account.world.door.calls.filter(({ operation }) => operation === "SendCommand").length;
    const { code, out } = await cloister("kubeconfig", "orchid", "--output", file);
    assert.equal(code, 0, out);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const { clusters } = parse(readFileSync(file, "utf8")) as { clusters: { cluster: { server: string } }[] };
    assert.match(clusters[0]?.cluster.server ?? "", /^https:\/\/ip-10-40-0-10\.us-west-2\.compute\.internal:6443$/);
    assert.equal(
      stage.account.world.door.calls.filter(({ operation }) => operation === "SendCommand").length,
      commands,
      "nothing was minted",
    );
  });

  test("a kubeconfig with less than an hour left is minted anew by the cluster itself", async () => {
    await stage.pass(23.5 * 3600);
    const { code, out, err } = await cloister("kubeconfig", "orchid", "--output", path("fresh.kubeconfig"));
    assert.equal(code, 0, err);
    assert.match(err, /ends soon: the cluster mints another/);
    const [, until = ""] = /until (\S+);/.exec(out) ?? [];
    const left = Date.parse(until) - stage.account.world.universe.clock.now();
    assert.ok(left > 23 * 3_600_000 && left <= 24 * 3_600_000, `${left} ms`);
    const again = await at.cloister("kubeconfig", "orchid", "--output", "-");
    assert.equal((parse(again.out) as { kind: string }).kind, "Config");
  });

  test("connect forwards a port to the first control plane and names the API server's own name for TLS", async () => {
    const file = path("tunnel.kubeconfig");
    assert.equal((await cloister("connect", "orchid", "--port", "16443", "--output", file)).code, 0);
    const { program, args } = at.started.at(-1) ?? assert.fail("nothing was started");
    assert.equal(program, "aws");
    const target = args[args.indexOf("--target") + 1] ?? "";
    const { instances } = stage.account.world.ec2.state;
    assert.equal(instances.find(target)?.tags.get("Name"), "orchid-g1-control-plane-1");
    assert.ok(args.includes("AWS-StartPortForwardingSession") && args.includes("portNumber=6443,localPortNumber=16443"));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const { clusters } = parse(readFileSync(file, "utf8")) as { clusters: { cluster: Record<string, string> }[] };
    assert.equal(clusters[0]?.cluster["server"], "https://127.0.0.1:16443");
    assert.equal(clusters[0]?.cluster["tls-server-name"], "ip-10-40-0-10.us-west-2.compute.internal");
  });

  test("a protected cluster is not destroyed, and a destroy that nobody confirmed does not begin", async () => {
    assert.match((await cloister("protect", "orchid")).out, /orchid is protected/);
    const refused = await cloister("destroy", "orchid", "--yes");
    assert.deepEqual([refused.code, /ConflictError[\s\S]*is protected/.test(refused.out)], [2, true], refused.out);
    assert.equal((await cloister("unprotect", "orchid")).code, 0);
    assert.match((await cloister("destroy", "orchid")).err, /wants --yes/);
    at.answers.push("violet");
    assert.match((await cloister("destroy", "orchid")).err, /not orchid: nothing was done/);
    assert.match((await cloister("list")).out, /^orchid +g1 .*ready$/m);
  });

  test("rebuild shows the nested build, and rollback goes back", async () => {
    const { code, out } = await cloister("rebuild", "orchid");
    assert.equal(code, 0, out);
    assert.match(out, /✓ PrepareRebuild[\s\S]*\n +\d+:\d\d {4}✓ CreateNetwork[\s\S]*orchid is ready: generation 2/);
    assert.match(
      (await cloister("status", "orchid")).out,
      /generation 1 +retired, destroyed after[\s\S]*cloister promote orchid/,
    );
    assert.equal((await cloister("rollback", "orchid")).code, 0);
    assert.match((await cloister("status", "orchid")).out, /^orchid: generation 1 serves/m);
  });

  test("extend keeps the retired generation longer, and promote lets the sweep destroy it", async () => {
    const until = async () =>
      /generation 2 +retired, destroyed after (\S+?),/.exec((await cloister("status", "orchid")).out)?.[1] ?? "";
    const first = await until();
    assert.match((await cloister("extend", "orchid", "--hours", "72")).out, /generation 2 stays for 72 hours more/);
    assert.ok(Date.parse(await until()) > Date.parse(first) + 40 * 3_600_000);
    assert.equal((await cloister("promote", "orchid")).code, 0);
    await stage.pass(3600);
    assert.match((await cloister("status", "orchid")).out, /generation 2 +gone/);
  });

  test("destroy proves that nothing is left; again, there is nothing to destroy", async () => {
    at.answers.push("orchid");
    const { code, out } = await cloister("destroy", "orchid");
    assert.equal(code, 0, out);
    assert.match(out, /✓ AuditResidueAgain/);
    assert.match((await cloister("list")).out, /^orchid +- .*gone$/m);
    const again = await cloister("destroy", "orchid", "--yes");
    assert.deepEqual([again.code, /^Nothing to destroy: /m.test(again.out)], [0, true], again.out);
    const slip = await cloister("destroy", "orchit", "--yes");
    assert.deepEqual([slip.code, /^Nothing to destroy: /m.test(slip.out)], [2, true], slip.out);
  });

  test("nothing of all that was printed is a secret", () => {
    assert.ok(printed.length > 10_000);
    assert.deepEqual(secretLeaks(stage.account.world.nodes.secrets(), [{ place: "the terminal", text: printed }]), []);
  });
});

describe("a build that fails", () => {
  const denied: readonly FaultRule[] = [{ operation: "SendCommand", code: "AccessDeniedException", nth: 3, after: false }];
  const keeping = { ...orchid, onFailure: "keep" };
  writeFileSync(path("keeping.json"), JSON.stringify(keeping));

  test("ends with 1, its first cause and what to do; resume goes on with it", async () => {
    const { at } = await open(denied);
    const failed = await at.cloister("build", "--request", path("keeping.json"));
    assert.equal(failed.code, 1);
    assert.match(failed.out, /It failed in \w+: AccessError\n {2}\S[\s\S]*Advice {2}Grant the action/);
    assert.match(failed.out, /✗ BootstrapCluster .*injected before call 3/);
    assert.match((await at.cloister("status", "orchid")).out, /generation 1 +kept, kept until[\s\S]*cloister resume orchid/);
    assert.equal((await at.cloister("extend", "orchid", "--hours", "48")).code, 0);
    const resumed = await at.cloister("resume", "orchid");
    assert.deepEqual([resumed.code, /orchid is ready: generation 1/.test(resumed.out)], [0, true], resumed.out);
  });

  test("and is rolled back shows the destroy inside of it", async () => {
    const { at } = await open(denied);
    const { code, out } = await at.cloister("build", "--request", path("orchid.json"));
    assert.equal(code, 1);
    assert.match(out, /✓ RollBack/);
    assert.match(out, /\n +\d+:\d\d {4}✓ TerminateNodes/);
    assert.match(out, /It failed in \w+: AccessError/);
  });
});

describe("what AWS or the workflow refuses is one line, exit code 1", () => {
  test("a change while an execution works on the cluster", async () => {
    const { stage, at } = await open();
    await at.cloister("build", "orchid", "--detach");
    await stage.pass(60);
    const { code, out, err } = await at.cloister("protect", "orchid");
    assert.deepEqual([code, out, err.trim().split("\n").length], [1, "", 1], err);
    assert.match(err, /^ConflictError: orchid is being worked on by \S+orchid-build-/);
    assert.match((await at.cloister("list")).out, /^orchid .*worked on by build-cluster$/m);
    assert.match((await at.cloister("kubeconfig", "orchid")).err, /^no generation of orchid serves/);
  });

  test("a kubeconfig that may not be minted anew", async () => {
    const { stage, at } = await open();
    assert.equal((await at.cloister("build", "--request", path("orchid.json"))).code, 0);
    await stage.pass(23.5 * 3600);
    const denied = { operation: "SendCommand", code: "AccessDeniedException", nth: 1, after: false } as const;
    stage.account.world.door.planned = (_, { operation }) => (operation === denied.operation ? denied : undefined);
    const { code, out, err } = await at.cloister("kubeconfig", "orchid", "--output", path("denied.kubeconfig"));
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /ends soon[^\n]*\nAWS refused: AccessDeniedException: [^\n]+\n$/);
    assert.ok(!existsSync(path("denied.kubeconfig")));
  });
});

test("the machine's own host starts programs, waits for their end, and knows which there are", async () => {
  const host = ownHost();
  assert.equal(await host.run(process.execPath, ["-e", "process.exit(3)"], "stderr"), 3);
  assert.deepEqual([host.has("node"), host.has("no-such-program-anywhere")], [true, false]);
  await assert.rejects(host.run("no-such-program-anywhere", [], "inherit"), /ENOENT/);
});

describe("--json", () => {
  test("prints one object, with the facts that the lines are made of", async () => {
    const { at } = await open();
    const detached = await at.json("build", "orchid", "--detach");
    assert.deepEqual([detached.code, detached.facts["status"]], [0, "started"]);
    const watched = await at.json("watch", "orchid");
    assert.deepEqual([watched.code, watched.facts["status"], watched.facts["error"]], [0, "ready", null]);
    assert.equal(watched.facts["execution"], detached.facts["execution"]);
    const { facts } = await at.json("status", "orchid");
    assert.deepEqual([facts["current"], facts["protected"], facts["workedOnBy"]], [1, false, []]);
    assert.deepEqual((await at.json("list")).facts["clusters"], [facts]);
    assert.equal((await at.json("certificate", "orchid")).facts["unchanged"], true);
    const written = await at.json("kubeconfig", "orchid", "--output", path("json.kubeconfig"));
    assert.deepEqual(Object.keys(written.facts), ["name", "generation", "expires", "file"], "and no secret");
    assert.deepEqual((await at.json("protect", "orchid")).facts, { name: "orchid", change: { kind: "protect" } });
    const doctor = await at.json("doctor");
    assert.deepEqual([doctor.code, doctor.facts["ok"]], [0, true], "connect alone needs the two programs");
    const refused = await at.json("destroy", "orchid", "--yes");
    assert.deepEqual([refused.code, refused.facts["status"]], [2, "refused"]);
  });
});

describe("a slip of the tongue", () => {
  let at: Terminal;
  let stage: Stage;
  before(async () => ({ stage, at } = await open()));
  writeFileSync(path("bad.json"), "{bad");
  writeFileSync(path("list.json"), "[]");
  writeFileSync(path("wrong.yaml"), "name: orchid\nfoo: 1\ncontrolPlane: { count: 2 }\n");
  const named = [
    "rebuild",
    "resume",
    "watch",
    "status",
    "certificate",
    "kubeconfig",
    "promote",
    "rollback",
    "protect",
    "unprotect",
  ];
  const slips: readonly (readonly [said: RegExp, ...args: readonly string[]])[] = [
    [/^unknown command 'bulid' \(Did you mean build\?\)$/, "bulid"],
    ...named.map((command) => [/^there is no cluster violet/, command, "violet"] as const),
    ...named.map((command) => [/^missing required argument 'name'$/, command] as const),
    [/^there is no cluster violet/, "extend", "violet", "--hours", "3"],
    [/'X_1' is invalid for argument 'name'\. A name has 3 to 20/, "status", "X_1"],
    [/^too many arguments/, "status", "orchid", "violet"],
    [/^unknown option '--bogus'/, "list", "--bogus"],
    [/^build wants a NAME, or --request FILE$/, "build"],
    [/none\.json/, "build", "--request", path("none.json")],
    [/bad\.json/, "build", "--request", path("bad.json")],
    [/list\.json holds no request$/, "build", "--request", path("list.json")],
    [
      /controlPlane\.count: 2 is even.*foo: unknown field|foo: unknown field.*controlPlane\.count: 2 is even/,
      "build",
      "--request",
      path("wrong.yaml"),
    ],
    [/^required option '--hours <number>' not specified$/, "extend", "orchid"],
    [/'0' is invalid.*from 1 to 720/, "extend", "orchid", "--hours", "0"],
    [/'x' is invalid.*from 1 to 9999/, "certificate", "orchid", "--generation", "x"],
    [/'80' is invalid.*from 1024 to 65535/, "connect", "orchid", "--port", "80"],
    [/'burn' is invalid\. Allowed choices are delete, retain\.$/, "destroy", "orchid", "--volumes", "burn", "--yes"],
    [/^destroy wants --yes/, "destroy", "orchid"],
    [/^connect needs the AWS CLI, version 2: aws is not to be found$/, "connect", "orchid"],
    [/both want standard output$/, "--json", "kubeconfig", "orchid", "--output", "-"],
  ];
  for (const [said, ...args] of slips)
    test(`\`${args.map((word) => word.replace(`${folder}/`, "")).join(" ")}\` is one line, exits with 2, and starts nothing`, async () => {
      const { code, out, err } = await at.cloister(...args);
      assert.deepEqual([code, out], [2, ""], err);
      assert.equal(err.trim().split("\n").length, 1, err);
      assert.match(err.trim(), said);
      assert.equal(stage.account.world.stepFunctions.executions.size, 0);
    });

  test("no command at all is answered with the help, which names every command", async () => {
    const { code, err } = await at.cloister();
    assert.equal(code, 2);
    const commands =
      "deploy doctor build rebuild destroy resume watch list status certificate kubeconfig connect promote rollback extend";
    for (const command of [...commands.split(" "), "protect", "unprotect", "--json"]) assert.ok(err.includes(command), command);
    const { code: fine, out } = await at.cloister("kubeconfig", "--help");
    assert.deepEqual([fine, /--output <file>/.test(out)], [0, true]);
  });
});

describe("without what a command needs", () => {
  test("a Region in which nothing is deployed, and a stack of another version, are told of", async () => {
    const { at } = await open();
    const [stack] = at.stacks.values();
    const { Version: _, ...outputs } = stack?.outputs ?? {};
    at.stacks.set("CloisterWorkflow", { status: "UPDATE_COMPLETE", outputs });
    assert.match(
      (await at.cloister("list")).err,
      /^the stack CloisterWorkflow in us-west-2 tells no Version: it is of another version/,
    );
    at.stacks.clear();
    const { code, err } = await at.cloister("list");
    assert.deepEqual([code, /^Cloister is not deployed in us-west-2 of this account/.test(err)], [2, true]);
    const doctor = await at.cloister("doctor");
    assert.deepEqual([doctor.code, /NOT {2}deployment .*`cloister deploy`/.test(doctor.out)], [1, true], doctor.out);
  });

  test("doctor says of each thing that is missing what to do", async () => {
    const { stage, at } = await open();
    const [stack] = at.stacks.values();
    at.stacks.set("CloisterWorkflow", { status: "UPDATE_COMPLETE", outputs: { ...stack?.outputs, Version: "0.0.9" } });
    stage.account.image({ tags: { "cloister:agent": "3.1.0.0" } });
    stage.account.quota("L-F678F1CE", 1);
    stage.account.bundle((bundle) => ({ ...bundle, files: [] }));
    const { code, out } = await at.cloister("doctor");
    assert.equal(code, 1);
    for (const [check, said] of [
      ["deployment", /version 0\.0\.9 .*--upgrade/],
      ["image", /SSM agent 3\.1\.0\.0.*put-parameter .*--name \/cloister\/_ami\/default/],
      ["bundle", /npm run bundle.*put-parameter .*--name \/cloister\/_bundle\/default/],
      ["quotas", /L-F678F1CE.*Service Quotas/],
      ["connect", /aws and session-manager-plugin/],
    ] as const)
      assert.match(out.split("\n").find((line) => line.startsWith(`NOT  ${check}`)) ?? "", said, out);
    assert.match(out, /^ok {3}zones/m);
  });

  test("doctor names the parameters that it looked into, and fixed images as such", async () => {
    const { at } = await open();
    const lines = async (...args: readonly string[]) => (await at.cloister("doctor", ...args)).out;
    const [image, bundle] = [/^ok {3}image +the image (\S+)/m, /^ok {3}bundle +the bundle (\S+)/m];
    const said = (out: string) => [image, bundle].map((line) => line.exec(out)?.[1]);
    assert.deepEqual(said(await lines()), ["/cloister/_ami/default", "/cloister/_bundle/default"]);
    const arm = "statemachine/examples/orchid-arm64.json";
    assert.deepEqual(said(await lines("--request", arm)), ["/cloister/_ami/arm64", "/cloister/_bundle/arm64"]);
    writeFileSync(path("fixed.json"), JSON.stringify({ name: "orchid", images: { ami: "ami-0123456789abcdef0" } }));
    assert.equal(said(await lines("--request", path("fixed.json")))[0], "ami-0123456789abcdef0");
    writeFileSync(path("absent.json"), JSON.stringify({ name: "orchid", images: { ami: "/cloister/_ami/gpu" } }));
    assert.match(
      await lines("--request", path("absent.json")),
      /^NOT {2}image .*no parameter \/cloister\/_ami\/gpu.*--name \/cloister\/_ami\/gpu/m,
    );
  });

  const refusals: readonly (readonly [what: string, error: Error, code: number, said: RegExp])[] = [
    ["credentials", named("CredentialsProviderError", "Could not load credentials"), 2, /^there are no AWS credentials/],
    [
      "credentials that are taken",
      named("ExpiredTokenException", "The token is old\nreally"),
      2,
      /^AWS does not take these credentials here: ExpiredTokenException: The token is old$/,
    ],
    ["a Region", named("Error", "Region is missing"), 2, /^no Region is set/],
    [
      "a Region that exists",
      Object.assign(named("Error", "getaddrinfo ENOTFOUND cloudformation.us-west-9.amazonaws.com"), { code: "ENOTFOUND" }),
      2,
      /is there such a Region\?/,
    ],
    [
      "a permission",
      Object.assign(named("AccessDenied", "not authorized to perform: cloudformation:DescribeStacks"), { $fault: "client" }),
      1,
      /^AWS refused: AccessDenied: not authorized/,
    ],
    [
      "a connection",
      Object.assign(named("Error", "connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED", $metadata: { attempts: 3 } }),
      1,
      /^AWS gave no answer that can be read: connect ECONNREFUSED/,
    ],
    [
      "an answer of AWS's, but a proxy's page",
      Object.assign(named("Error", "XML parse error: mismatched tags\n  Deserialization error"), { $response: {} }),
      1,
      /^AWS gave no answer that can be read: XML parse error: mismatched tags$/,
    ],
  ];
  for (const [what, error, code, said] of refusals)
    test(`${what}: one line, exit ${code}`, async () => {
      const { at } = await open();
      at.host.clients.cloudFormation.send = async () => Promise.reject(error);
      const answer = await at.cloister("list");
      assert.deepEqual([answer.code, answer.out, answer.err.trim().split("\n").length], [code, "", 1], answer.err);
      assert.match(answer.err.trim(), said);
    });
});

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
