import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { explore } from "./explore.ts";
import { whole } from "./protocol.ts";
import { breaking, coverOf, rules } from "./rules.ts";
import { setNamed } from "./sets.ts";
import { tellStory } from "./story.ts";

describe("something breaks without the rule", () => {
  for (const rule of rules) {
    const cover = coverOf(rule);
    test(`${rule.says} (${rule.part})${cover === null ? "" : `, and: ${cover.says} (${cover.part})`}`, (context) => {
      const set = setNamed(rule.set);
      const { violation } = explore(set, breaking(rule)(whole), rule.tolerates);
      assert.ok(violation, "nothing breaks: who needs it?");
      assert.match(violation.says, rule.breaks, tellStory(violation));
      context.diagnostic(tellStory(violation));
    });
    // Two that cover each other are one pair.
    if (cover === null || (coverOf(cover) === rule && cover.key < rule.key)) continue;
    test(`either of "${rule.key}" and "${cover.key}" is enough for "${rule.set}"`, () => {
      for (const { out, tolerates } of [rule, cover]) {
        const { violation } = explore(setNamed(rule.set), out(whole), tolerates);
        assert.equal(violation, null, violation === null ? "" : tellStory(violation));
      }
    });
  }
});
