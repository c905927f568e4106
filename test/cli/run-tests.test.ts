import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../scripts/run-tests.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "cloister-run-tests-"));
after(() => rmSync(folder, { recursive: true }));

/** Runs one test with this body; a test runner that finds itself inside another one would report to that one. */
function run(body: string) {
  const file = join(folder, "one.test.mjs");
  writeFileSync(file, `import { test } from "node:test";\ntest("one", async () => { ${body} });\n`);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return spawnSync(process.execPath, [script, file], { encoding: "utf8", env });
}
const awhile = "await new Promise((resolve) => setTimeout(resolve, 20));";

describe("a run of the tests", () => {
  test("is good when all of them are", () => {
    const { status, stdout } = run(awhile);
    assert.match(stdout, /ℹ pass 1/);
    assert.equal(status, 0);
  });

  const bad: Readonly<Record<string, string>> = {
    "a test fails": 'throw new Error("oops");',
    "an error escapes through a promise": `void Promise.reject(new Error("oops")); ${awhile}`,
    "an error escapes through a timer": `setTimeout(() => { throw new Error("oops"); }, 1); ${awhile}`,
    "an error comes after the test's end": 'setTimeout(() => { throw new Error("oops"); }, 20);',
  };
  for (const [what, body] of Object.entries(bad)) {
    test(`is bad when ${what}`, () => {
      const { status, stdout, stderr } = run(body);
      assert.match(`${stdout}${stderr}`, /Error: oops/);
      assert.equal(status, 1);
    });
  }

  test("is bad when there are none", () => {
    const { status, stderr } = spawnSync(process.execPath, [script, join(folder, "none")], { encoding: "utf8" });
    assert.match(stderr, /no tests in .*none/);
    assert.equal(status, 1);
  });
});
