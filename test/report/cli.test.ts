import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../scripts/rehearse.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "cloister-cli-"));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const run = (...args: string[]) =>
  spawnSync(process.execPath, [script, "--report", join(folder, "page.html"), ...args], { encoding: "utf8" });

test("help names every command, every option and every exit code", () => {
  const { status, stdout } = run("--help");
  assert.equal(status, 0);
  for (const word of [
    "--request",
    "--workers",
    "--seed",
    "--fault",
    "--report",
    "--json",
    "Exit: 0",
    "rebuild",
    "resume",
    "destroy",
  ])
    assert.ok(stdout.includes(word), word);
});

const wrong: readonly (readonly [what: string, args: readonly string[], said: RegExp])[] = [
  ["an unknown option", ["--bogus"], /--bogus/],
  ["a seed that is no number", ["--seed", "x"], /--seed wants a whole number/],
  ["a fault without a code", ["--fault", "RunInstances"], /--fault wants OPERATION:CODE/],
  ["a fault at call 0", ["--fault", "RunInstances:InternalError:0"], /counts calls from 1/],
  ["a request that is not there", ["--request", join(folder, "none.json")], /none\.json/],
  ["a request that is no JSON", ["--request", file("bad.json", "{bad")], /bad\.json/],
  ["--workers on a request that is no object", ["--request", file("null.json", "null"), "--workers", "3"], /is an object/],
];
for (const [what, args, said] of wrong)
  test(`${what} ends with 2, says so in its first line and prints no result`, () => {
    const { status, stdout, stderr } = run(...args);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr.split("\n")[0] ?? "", said);
  });

test("a refused request ends with 2, with each problem's field path, as one object", () => {
  const request = file("wrong.yaml", "name: X\nfoo: 1\ncontrolPlane: { count: 2 }\n");
  const { status, stdout, stderr } = run("--request", request, "--json", "--fault", "NoSuchCall:InternalError");
  const { status: verdict, error } = JSON.parse(stdout) as { status: string; error: { name: string; cause: string } };
  assert.deepEqual([status, verdict, error.name], [2, "refused", "InvalidRequestError"]);
  for (const path of ["name:", "foo:", "controlPlane.count:"]) assert.ok(error.cause.includes(path), path);
  assert.match(stderr, /NoSuchCall:InternalError:1 never happened/);
});

test("a build that fails ends with 1 and names the failure", () => {
  const { status, stdout } = run("--fault", "CreateVpc:UnauthorizedOperation");
  assert.equal(status, 1);
  assert.match(stdout, /The build failed in CreateNetwork: AccessError/);
});

const serving = fileURLToPath(new URL("../../scripts/serve.ts", import.meta.url));
test("serve with a speed of nothing ends with 2 and serves nothing", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [serving, "--speed", "0"], { encoding: "utf8" });
  assert.deepEqual([status, stdout], [2, ""]);
  assert.match(stderr, /--speed wants a whole number from 1/);
});

const bench = fileURLToPath(new URL("../../scripts/bench.ts", import.meta.url));
for (const args of [
  ["--seeds", "x"],
  ["--workers", "2,0"],
])
  test(`bench ${args.join(" ")} ends with 2 and measures nothing`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [bench, ...args], { encoding: "utf8" });
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /wants a whole number from 1/);
  });
