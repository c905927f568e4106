import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { parseOutput } from "../../functions/domain/command-output.ts";
import { documents } from "../../functions/domain/documents.ts";
import { readableCause } from "../../functions/domain/failure.ts";

const hash = `sha256:${"ab".repeat(32)}`;

describe("what a script printed", () => {
  test("only the last line counts", () => {
    assert.deepEqual(parseOutput("capture-join", `some noise\n{"caCertHash":"${hash}"}\n`), { caCertHash: hash });
  });

  test("a last line that is no JSON is the command's failure", () => {
    assert.throws(() => parseOutput("capture-join", "done"), { name: "CommandFailedError" });
    assert.throws(() => parseOutput("capture-join", ""), { name: "CommandFailedError" });
  });

  test("a field more than the document declares is refused, so that no node can grow the state", () => {
    assert.throws(() => parseOutput("capture-join", JSON.stringify({ caCertHash: hash, token: "abcdef.0123456789abcdef" })), {
      name: "CommandFailedError",
    });
  });
});

describe("the documents", () => {
  const values = Object.entries(documents).flatMap(([document, { parameters }]) =>
    Object.entries(parameters).map(([parameter, pattern]) => ({ document, parameter, pattern })),
  );

  test("every parameter's pattern is anchored and refuses shell metacharacters", () => {
    assert.ok(values.length > 30);
    for (const { document, parameter, pattern } of values) {
      assert.match(pattern.source, /^\^.*\$$/, `${document}.${parameter} is not anchored`);
      for (const evil of ["$(id)", "`id`", "a;b", "a b", "a|b", "a&b", "a>b", "a\nb", "'", '"', "\\", "$HOME", "*", ""]) {
        assert.doesNotMatch(evil, pattern, `${document}.${parameter} takes ${JSON.stringify(evil)}`);
        assert.doesNotMatch(
          `1${evil.replace("", "\n")}`,
          pattern,
          `${document}.${parameter} takes a metacharacter behind a good beginning`,
        );
      }
    }
  });

  test("every script gets the fencing number and the Region", () => {
    for (const [name, { parameters }] of Object.entries(documents))
      assert.ok("fence" in parameters && "region" in parameters, name);
  });
});

describe("a failure's cause", () => {
  test("Lambda's wrapping is taken off", () => {
    assert.equal(readableCause('{"errorType":"QuotaError","errorMessage":"no more","trace":[]}'), "no more");
  });
  test("anything else is given as it stands, cut at 4,000 characters", () => {
    assert.equal(readableCause("timed out"), "timed out");
    assert.equal(readableCause("x".repeat(5000)).length, 4000);
  });
});
