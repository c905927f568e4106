import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DocumentName, documents } from "../../functions/domain/documents.ts";
import { assembleScript, buildDocument, type ScriptTexts } from "../../functions/domain/ssm-documents.ts";
import { userData } from "../../functions/domain/user-data.ts";

const folder = new URL("../../scripts/node/", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, folder), "utf8");
const lib = read("lib.sh");
const manifests = Object.fromEntries(
  readdirSync(new URL("manifests/", folder)).map((file) => [file.replace(/\.yaml$/, ""), read(`manifests/${file}`)]),
);
const texts = (name: DocumentName): ScriptTexts => ({ script: read(`${name}.sh`), lib, manifests });
const source = (name: DocumentName) => read(`${name}.sh`);
const names = DocumentName.options;
/** The guard as it is rendered for five endpoints. */
const guard = userData({
  hosts: ["ec2", "elasticloadbalancing", "ssm", "ssmmessages", "ec2messages"].map((name) => `${name}.us-west-2.amazonaws.com`),
  subnets: ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"],
});

/** Bash, with an environment that holds nothing but what is given. */
const bash = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  spawnSync("bash", ["--norc", ...args], { encoding: "utf8", env: { PATH: process.env["PATH"] ?? "", ...env } });

function withScript(text: string, use: (path: string) => void) {
  const directory = mkdtempSync(join(tmpdir(), "cloister-"));
  try {
    writeFileSync(join(directory, "script"), text);
    use(join(directory, "script"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const linter = spawnSync("shellcheck", ["--version"]).error === undefined;
test("shellcheck has nothing to say about a script as its document holds it", {
  skip: linter ? false : "shellcheck is not installed",
}, () => {
  for (const text of [...names.map((name) => assembleScript(name, texts(name))), guard.replace(/^#cloud-boothook\n/, "")]) {
    const { stdout, status } = spawnSync("shellcheck", ["-s", "bash", "-e", "SC2154", "-"], { input: text, encoding: "utf8" });
    assert.equal(status, 0, stdout);
  }
});

for (const name of names) {
  test(`the document ${name} fits, and hands every parameter over as an environment variable`, () => {
    const content = buildDocument(name, texts(name));
    assert.ok(Buffer.byteLength(JSON.stringify(content)) <= 65_536);
    assert.equal(content["schemaVersion"], "2.2");
    const parameters = Object.values(content["parameters"] as Record<string, Record<string, string>>);
    assert.equal(parameters.length, Object.keys(documents[name].parameters).length);
    for (const parameter of parameters) assert.equal(parameter["interpolationType"], "ENV_VAR");
    // What AWS would put into the text itself, before any shell quotes it.
    assert.doesNotMatch(assembleScript(name, texts(name)), /\{\{/);
  });

  test(`${name} is bash, and reads no parameter that its document lacks`, () => {
    const text = assembleScript(name, texts(name));
    withScript(text, (path) => assert.equal(bash(["-n", path]).stderr, ""));
    const used = [...source(name).matchAll(/SSM_(\w+)/g)].flatMap(([, parameter]) => parameter ?? []);
    for (const parameter of used) assert.ok(parameter in documents[name].parameters, `SSM_${parameter}`);
  });

  test(`${name} asks for every parameter before it uses one`, () => {
    const asked = [...`${source(name)}\n${lib}`.matchAll(/^need ((?:.*\\\n)*.*)$/gm)].flatMap(([, list]) =>
      (list ?? "").split(/[\s\\]+/),
    );
    for (const parameter of Object.keys(documents[name].parameters))
      assert.ok(asked.includes(`SSM_${parameter}`), `SSM_${parameter} is not asked for`);
  });
}

test("no parameter's pattern admits what a shell would act on, or a second line", () => {
  const hostile = ["$(id)", "`id`", "a;b", "a|b", "a&b", "a b", "a'b", 'a"b', "a>b", "a<b", "a\\b", "a*b", "../a\n", "-rf", ""];
  for (const name of names)
    for (const [parameter, pattern] of Object.entries<RegExp>(documents[name].parameters))
      for (const value of hostile) assert.doesNotMatch(value, pattern, `${name} ${parameter}`);
});

test("a script stops before it does anything when the agent left a parameter unset", () => {
  const prelude = lib.slice(lib.indexOf("die() {"), lib.indexOf("# The fencing number"));
  const { status, stderr } = bash(["-c", `set -euo pipefail\n${prelude}\nneed SSM_region SSM_role; echo on`], {
    SSM_region: "us-west-2",
  });
  assert.equal(status, 1);
  assert.match(stderr, /^SSM_role is not set/);
});

test("a reason never carries a bootstrap token", () => {
  const prelude = lib.slice(lib.indexOf("die() {"), lib.indexOf("# An SSM agent"));
  const { stderr } = bash(["-c", `${prelude}\ndie "token abcdef.0123456789abcdef is unknown"`]);
  assert.equal(stderr, "token <token> is unknown\n");
});

test("a lower fence is refused and a higher one goes through", () => {
  const directory = mkdtempSync(join(tmpdir(), "cloister-"));
  writeFileSync(join(directory, "fence"), "7\n");
  const prelude = lib.slice(lib.indexOf("die() {"), lib.indexOf("# Runs a program"));
  const run = (fence: string) =>
    bash(["-c", `set -euo pipefail\nstate='${directory}'\n${prelude}\ncheck_fence`], { SSM_fence: fence });
  assert.match(run("6").stderr, /fence 6 is lower than 7/);
  assert.equal(run("7").status, 0);
  assert.equal(run("8").status, 0);
  rmSync(directory, { recursive: true });
});

test("the storage driver's sidecars wait for as long as EBS may take, not for their own ten or fifteen seconds", () => {
  const [, sidecars = ""] = read("manifests/ebs-csi.yaml").split(/kind: Deployment\n/);
  const waits = [...sidecars.matchAll(/name: csi-(\w+)[\s\S]*?--timeout=(\w+)/g)].map(
    ([, name, timeout]) => `${name} ${timeout}`,
  );
  assert.deepEqual(waits, ["provisioner 60s", "attacher 6m", "resizer 60s"]);
});

test("no pipe ends in a program that stops reading early: where there is much to read, its writer dies of it, and the script with that", () => {
  for (const name of ["lib", ...names])
    for (const line of read(`${name}.sh`).split("\n")) assert.doesNotMatch(line, /\|\s*(?:head|grep -\w*[qm]|sed .*q)\b/, name);
});

test("no program gets a secret as an argument, which every process could read", () => {
  for (const name of names)
    for (const line of source(name)
      .split("\n")
      .filter((text) => !/^\s*(?:#|printf|echo|read)\b/.test(text))) {
      assert.doesNotMatch(line, /--(?:token|certificate-key|value)[ =]/, `${name}: ${line}`);
      assert.doesNotMatch(line, /(?:run|kubeadm|aws|curl)\b.*"\$(?:token|key|secret)"/, `${name}: ${line}`);
    }
});

test("the guard is bash, runs before any agent, and fits into user data", () => {
  assert.ok(guard.startsWith("#cloud-boothook\n"));
  assert.ok(Buffer.byteLength(guard) < 16_384);
  withScript(guard, (path) => assert.equal(bash(["-n", path]).stderr, ""));
});

test("the guard's idea of a subnet is arithmetic", () => {
  const functions = guard.slice(guard.indexOf("hosts='"), guard.indexOf("answers() {"));
  const inside = (address: string) => bash(["-c", `${functions}\ninside ${address}`]).status === 0;
  assert.deepEqual(["10.0.1.0", "10.0.3.255", "10.0.4.0", "52.94.1.1"].map(inside), [true, true, false, false]);
});
