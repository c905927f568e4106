import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { describe, test } from "node:test";
import type { StackStatus } from "@aws-sdk/client-cloudformation";
import { Options, readOptions } from "../../infra/options.ts";
import project from "../../package.json" with { type: "json" };
import { Stage } from "../../rehearsal/stage.ts";
import { workflowStack } from "../../scripts/cloister/site.ts";
import { type Terminal, terminal } from "../cli/terminal.ts";

const folder = new URL("../../", import.meta.url);

/** Runs `npm run deploy`'s script with nothing of this machine's AWS configuration. */
async function deploy(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; said: string }> {
  const clean = { PATH: process.env["PATH"] ?? "", HOME: tmpdir(), AWS_EC2_METADATA_DISABLED: "true" };
  const child = spawn(process.execPath, ["scripts/deploy.ts", ...args], { cwd: folder, env: { ...clean, ...env } });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += String(text)));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, said: said.trim() };
}

describe("a machine that is not set up for AWS is told so in one line, exit code 2", () => {
  const refused = async (args: readonly string[], env: Readonly<Record<string, string>>, words: RegExp) => {
    const { code, said } = await deploy(args, env);
    assert.deepEqual([code, said.split("\n").length], [2, 1], said);
    assert.match(said, words);
  };

  test("without a Region", () => refused([], {}, /no Region is set/));
  test("without credentials", () => refused([], { AWS_REGION: "us-west-2" }, /no AWS credentials/));
});

interface Present {
  /** The version that `cdk bootstrap` left; null: nobody ran it. */
  readonly bootstrap?: string | null;
  readonly parameters?: Readonly<Record<string, string>>;
  /** The workflow stack, where there is one, and what it says of itself beside its machines. */
  readonly stack?: { readonly status?: StackStatus; readonly version: string | null };
}

/** A terminal before an account in which so much stands. */
async function before({ bootstrap = "30", parameters = {}, stack }: Present): Promise<{ stage: Stage; at: Terminal }> {
  const stage = await Stage.open({ request: null, seed: 3, scripts: "quick" });
  const at = terminal(stage);
  const { parameters: store } = stage.account.world.ssm;
  if (bootstrap !== null) store.seed("/cdk-bootstrap/hnb659fds/version", bootstrap);
  for (const [name, value] of Object.entries(parameters)) store.seed(name, value);
  const { Version: _, ...machines } = at.stacks.get(workflowStack)?.outputs ?? {};
  at.stacks.clear();
  if (stack !== undefined) {
    const outputs = { ...machines, ...(stack.version !== null && { Version: stack.version }) };
    at.stacks.set(workflowStack, { status: stack.status ?? "UPDATE_COMPLETE", outputs });
  }
  return { stage, at };
}

describe("a deployment that cannot begin says why in one line, exits with 2, and changes nothing", () => {
  const image = "defaultImageParameter=/cloister/_ami/custom";
  const bundle = "defaultBundleParameter=/cloister/_bundle/custom";
  const cases: readonly (readonly [what: string, present: Present, args: readonly string[], words: RegExp])[] = [
    ["with a webhook that is not https", {}, ["-c", "webhookUrl=http://hooks.example.com"], /webhookUrl: .*https/],
    [
      "with several options that are wrong",
      {},
      ["-c", "xray=maybe", "--context", "logRetentionDays=8"],
      /option xray: .*option logRetentionDays: /,
    ],
    ["in a Region that was not bootstrapped", { bootstrap: null }, [], /us-west-2 .*not bootstrapped.*cdk bootstrap/],
    ["on a bootstrap stack that is too old", { bootstrap: "4" }, [], /us-west-2 is of version 4.*cdk bootstrap/],
    [
      "with a default image that no parameter holds",
      {},
      ["-c", image],
      /no parameter \/cloister\/_ami\/custom; put an image's id/,
    ],
    [
      "with a default image that is none",
      { parameters: { "/cloister/_ami/custom": "latest" } },
      ["-c", image],
      /_ami\/custom holds no image's id/,
    ],
    [
      "with a default bundle that no parameter holds",
      {},
      ["-c", bundle],
      /no parameter \/cloister\/_bundle\/custom; put a bundle's/,
    ],
    [
      "over an older version, by mistake",
      { stack: { version: "0.0.9" } },
      [],
      /us-west-2 is of the older version 0\.0\.9.*deploy with --upgrade/,
    ],
    ["over one from before there were versions", { stack: { version: null } }, [], /older version 0\.0\.0/],
    ["over a newer version", { stack: { version: "9.0.0" } }, ["--upgrade"], /newer version 9\.0\.0.*check that version out/],
    [
      "over a stack that is being changed",
      { stack: { status: "UPDATE_IN_PROGRESS", version: project.version } },
      [],
      /being changed right now \(UPDATE_IN_PROGRESS\)/,
    ],
    [
      "over a stack that is stuck",
      { stack: { status: "UPDATE_ROLLBACK_FAILED", version: project.version } },
      [],
      /stuck \(UPDATE_ROLLBACK_FAILED\)/,
    ],
    ...(["ROLLBACK_FAILED", "DELETE_FAILED"] as const).map(
      (status) =>
        [
          `over what a first deployment left (${status})`,
          { stack: { status, version: null } },
          ["--upgrade"],
          new RegExp(`stuck \\(${status}\\): delete it`),
        ] as const,
    ),
  ];
  for (const [what, present, args, words] of cases)
    test(what, async () => {
      const { stage, at } = await before(present);
      const inventory = stage.account.world.inventory();
      const { code, out, err } = await at.cloister("deploy", ...args);
      assert.deepEqual([code, out, err.trim().split("\n").length], [2, "", 1], err);
      assert.match(err, words);
      assert.deepEqual([at.started, stage.account.world.inventory()], [[], inventory]);
    });

  test("as an upgrade, while a build runs whose scripts would change under it", async () => {
    const { stage, at } = await before({ stack: { version: "0.0.9" } });
    stage.account.world.stepFunctions.start("build-cluster", "CHG-7", { name: "orchid" });
    const { code, err } = await at.cloister("deploy", "--upgrade");
    assert.deepEqual([code, /^CHG-7 is running: its scripts would change/.test(err), at.started], [2, true, []], err);
  });

  test("in what is no Region", async () => {
    const { at } = await before({});
    at.host.clients.ssm.config.region = async () => "us-west";
    const { code, err } = await at.cloister("deploy");
    assert.deepEqual([code, /^us-west is no Region/.test(err)], [2, true], err);
  });

  test("in a Region of a partition whose names nobody knows here", async () => {
    for (const region of ["cn-north-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "eusc-de-east-1"]) {
      const { at } = await before({});
      at.host.clients.ssm.config.region = async () => region;
      const { code, err } = await at.cloister("deploy");
      assert.deepEqual(
        [code, err.trim()],
        [2, `${region}: Cloister knows the Regions of the partitions aws and aws-us-gov alone`],
      );
    }
  });

  test("with credentials that AWS does not take", async () => {
    const { at } = await before({});
    at.host.clients.ssm.send = async () =>
      Promise.reject(Object.assign(new Error("The security token is invalid."), { name: "UnrecognizedClientException" }));
    const { code, err } = await at.cloister("deploy");
    assert.deepEqual([code, /UnrecognizedClientException: The security token is invalid/.test(err)], [2, true], err);
  });
});

test("a deployment that nothing stands against builds the handlers, and hands every option to the CDK", async () => {
  const stacks: readonly Present["stack"][] = [
    undefined,
    { version: project.version },
    { version: "0.0.9" },
    // A first deployment that failed has no outputs, and is none.
    { status: "ROLLBACK_COMPLETE", version: null },
  ];
  for (const stack of stacks) {
    const isUpgrade = stack?.version === "0.0.9";
    const { at } = await before({
      ...(stack !== undefined && { stack }),
      parameters: { "/cloister/_ami/custom": "ami-0123456789abcdef0" },
    });
    const context = ["-c", "xray=true", "-c", "defaultImageParameter=/cloister/_ami/custom"];
    const upgrade = isUpgrade ? ["--upgrade"] : [];
    const { code, err } = await at.cloister("deploy", ...upgrade, ...context, "--require-approval", "never");
    assert.equal(code, 0, err);
    const [build, cdk] = at.started;
    assert.match(build?.args.join(" ") ?? "", /scripts.build\.ts$/);
    assert.match(cdk?.program ?? "", /node_modules.\.bin.cdk(?:\.cmd)?$/);
    assert.deepEqual(cdk?.args, ["deploy", "--all", ...context, "--require-approval", "never"]);
  }
});

describe("the options", () => {
  const read = (given: Readonly<Record<string, unknown>>) => readOptions((option) => given[option]);

  test("all have a default, and take what a command line gives as text", () => {
    assert.deepEqual(read({}), Options.parse({}));
    const { xray, logRetentionDays, trustedImageOwners } = read({
      xray: "true",
      logRetentionDays: "30",
      trustedImageOwners: '["111122223333"]',
    });
    assert.deepEqual([xray, logRetentionDays, trustedImageOwners], [true, 30, ["111122223333"]]);
  });

  test("that are wrong are named all at once", () => {
    assert.throws(
      () =>
        read({ xray: "maybe", bundleBucket: "No", logRetentionDays: "8", rebuildSchedule: "weekly", apiVpcEndpoints: '["x"]' }),
      (error: Error) => {
        assert.equal(error.name, "RangeError");
        for (const option of ["xray", "bundleBucket", "logRetentionDays", "rebuildSchedule", "apiVpcEndpoints.0"])
          assert.match(error.message, new RegExp(`option ${option}`));
        return true;
      },
    );
  });
});
