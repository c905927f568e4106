import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { defects, mutated } from "../../rehearsal/mutants/defect.ts";
import { parts } from "../../rehearsal/mutants/looks.ts";
import { textOf } from "../../rehearsal/mutants/tree.ts";

const defect = { name: "an example", file: "a.ts", from: "wait();", to: "", soonest: "" };

describe("the seeded defects", () => {
  test("are at least forty, each with a name of its own", () => {
    assert.ok(defects.length >= 40);
    assert.equal(new Set(defects.map(({ name }) => name)).size, defects.length);
  });

  for (const each of defects)
    test(`"${each.name}" has its text in the product exactly once`, () => {
      assert.notEqual(mutated(textOf(each.file), each), textOf(each.file));
    });

  test("name a test or a look that is there as what notices them soonest", () => {
    const looks = ["rehearsals", "storms"].flatMap((part) =>
      [...parts[part as "rehearsals" | "storms"]()].map(({ name }) => `${part}/${name}`),
    );
    for (const { name, soonest } of defects)
      assert.ok(looks.includes(soonest) || (soonest.endsWith(".test.ts") && existsSync(soonest)), `${name}: ${soonest}`);
  });

  test("one whose text is gone, stands twice or changes nothing is refused by its name", () => {
    assert.equal(mutated("look(); wait();", defect), "look(); ");
    assert.throws(() => mutated("look();", defect), /"an example": its text stands 0 times in a\.ts/);
    assert.throws(() => mutated("wait(); wait();", defect), /stands 2 times/);
    assert.throws(() => mutated("wait();", { ...defect, to: defect.from }), /changes nothing/);
  });
});
