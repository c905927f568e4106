import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { explore } from "./explore.ts";
import { machinesFor } from "./machines.ts";
import { whole } from "./protocol.ts";
import { setNamed, sets } from "./sets.ts";
import { tellStory } from "./story.ts";

describe("the cluster's record under every interleaving of", () => {
  for (const set of sets) {
    test(set.name, (context) => {
      const { states, moves, violation, ends } = explore(set, whole);
      context.diagnostic(`${states} states, ${moves} moves`);
      assert.equal(violation, null, violation === null ? "" : tellStory(violation));
      assert.deepEqual(
        set.reaches.filter((end) => !ends.has(end)),
        [],
        "an end that nobody comes to",
      );
    });
  }

  test("a set that is explored twice has the same states", () => {
    const set = setNamed("builds of a ready cluster");
    const [first, second] = [explore(set, whole), explore(set, whole)];
    assert.deepEqual([first.states, first.moves], [second.states, second.moves]);
    assert.ok(first.states > 1000);
  });

  test("more states than it may hold are an error, not a verdict", () => {
    assert.throws(() => explore(setNamed("two builds and one death"), whole, undefined, 100), /more than 100 states/);
  });
});

/** Every state's name, branches included. */
const namesIn = (states: Readonly<Record<string, { readonly Branches?: readonly { readonly States: never }[] }>>): string[] =>
  Object.entries(states).flatMap(([name, { Branches }]) => [name, ...(Branches ?? []).flatMap(({ States }) => namesIn(States))]);

describe("the machines in small", () => {
  const machines = machinesFor(["vpc", "nodes", "script"], true);
  for (const machine of ["build", "destroy", "rebuild"] as const) {
    test(`${machine} has no state that ${machine}-cluster has not`, () => {
      const file = new URL(`../../statemachine/${machine}-cluster.asl.json`, import.meta.url);
      const real = new Set(namesIn((JSON.parse(readFileSync(file, "utf8")) as { States: never }).States));
      const ours = Object.keys(machines[machine]).map((name) => name.replace(/ .*/, ""));
      assert.deepEqual(
        ours.filter((name) => !real.has(name)),
        [],
      );
    });
  }
});
