import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { after, before, describe, test } from "node:test";
import { Options, readOptions } from "../../infra/options.ts";

const folder = new URL("../../", import.meta.url);
const keys = { AWS_REGION: "us-west-2", AWS_ACCESS_KEY_ID: "none", AWS_SECRET_ACCESS_KEY: "none" };

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

describe("a deployment that cannot begin says why in one line and exits with 2", () => {
  let server: Server;
  let answer: { status: number; body: object };
  const at = () => ({ ...keys, AWS_ENDPOINT_URL_SSM: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  before(async () => {
    server = createServer((_, response) => {
      response.writeHead(answer.status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(answer.body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  after(() => server.close());

  const refused = async (args: readonly string[], env: Readonly<Record<string, string>>, words: RegExp) => {
    const { code, said } = await deploy(args, env);
    assert.deepEqual([code, said.split("\n").length], [2, 1], said);
    assert.match(said, words);
  };

  test("without a Region", () => refused([], {}, /no Region is set/));
  test("without credentials", () => refused([], { AWS_REGION: "us-west-2" }, /no AWS credentials/));
  test("with an option that is wrong", () => refused(["-c", "webhookUrl=http://hooks.example.com"], {}, /webhookUrl: .*https/));
  test("in a Region that was not bootstrapped", () => {
    answer = { status: 400, body: { __type: "ParameterNotFound" } };
    return refused([], at(), /us-west-2 .*not bootstrapped.*cdk bootstrap/);
  });
  test("on a bootstrap stack that is too old", () => {
    answer = { status: 200, body: { Parameter: { Value: "4" } } };
    return refused([], at(), /version 4/);
  });
  test("with credentials that AWS does not take", () => {
    answer = { status: 400, body: { __type: "UnrecognizedClientException", message: "The security token is invalid." } };
    return refused([], at(), /UnrecognizedClientException: The security token is invalid/);
  });
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
