import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { graphSvg, type StateOutcome } from "../../rehearsal/report/graph.ts";
import { draw, labelWidth } from "../../rehearsal/report/layout.ts";
import { pictureOf } from "../../rehearsal/report/picture.ts";
import type { Definition } from "../../rehearsal/world/asl/definition.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const machine = read("statemachine/build-cluster.asl.json");
const definition = JSON.parse(machine) as Definition;

test("the committed picture is the one of the committed machine", () => {
  assert.ok(read("docs/build-cluster.svg") === pictureOf(machine), "run: node scripts/picture.ts");
});

test("no two states of the machine overlap, and all are inside the drawing", () => {
  const { nodes, left, right, height } = draw(definition);
  const states = nodes.filter(({ shape }) => shape !== "parallel" && shape !== "group");
  for (const [index, a] of states.entries()) {
    assert.ok(a.x >= left && a.x + a.width <= right && a.y >= 0 && a.y + a.height <= height, `${a.name} is outside`);
    for (const b of states.slice(index + 1)) {
      const isApart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
      assert.ok(isApart, `${a.name} overlaps ${b.name}`);
    }
  }
});

test("no words at one arrow overlap those at another", () => {
  const labelled = draw(definition).edges.flatMap(({ label, labelAt: [x, y], anchor }) => {
    if (label === null) return [];
    const width = labelWidth(label);
    const left = { start: x, middle: x - width / 2, end: x - width }[anchor];
    return [{ label, left, right: left + width, y }];
  });
  assert.ok(labelled.length >= 8, `${labelled.length} labels`);
  for (const [index, a] of labelled.entries()) {
    for (const b of labelled.slice(index + 1)) {
      // Two arrows that end as one may share their words.
      const isOne = a.label === b.label && a.left === b.left && a.y === b.y;
      const isApart = Math.abs(a.y - b.y) >= 11 || a.right <= b.left || b.right <= a.left;
      assert.ok(isOne || isApart, `"${a.label}" overlaps "${b.label}"`);
    }
  }
});

/** Start, a Choice that goes back to it, one aside, and a failure end. */
const small: Definition = {
  StartAt: "Look",
  States: {
    Look: {
      Type: "Task",
      Resource: "x",
      Next: "IsThere",
      Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: null, Next: "Lost" }],
    },
    IsThere: {
      Type: "Choice",
      Choices: [
        { Variable: "$.found.count", NumericGreaterThan: 1, Next: "Many" },
        { Variable: "$.found", IsPresent: false, Next: "Look" },
      ],
      Default: "Keep",
    },
    Many: { Type: "Pass", Next: "Done" },
    Keep: { Type: "Task", Resource: "x", Next: "KeepMore" },
    KeepMore: { Type: "Task", Resource: "x", Next: "Done" },
    Done: { Type: "Succeed" },
    Lost: { Type: "Fail" },
  },
};

test("the longest way stands in one column, the other way beside it, the failure below", () => {
  const at = new Map(draw(small).nodes.map((node) => [node.name, node]));
  const [look, keep, many, done, lost] = ["Look", "Keep", "Many", "Done", "Lost"].map((name) => at.get(name));
  assert.ok(look && keep && many && done && lost);
  assert.deepEqual([look.x, keep.x], [done.x, done.x]);
  assert.ok(many.x > keep.x + keep.width);
  assert.ok(lost.y > done.y + done.height);
});

test("a way back up the main line is drawn, left of what it passes", () => {
  const { nodes, edges } = draw(small);
  const back = edges.find(({ label }) => label === "found is missing");
  const look = nodes.find(({ name }) => name === "Look");
  assert.ok(back !== undefined && look !== undefined);
  const [x, y] = back.points.at(-1) ?? [0, 0];
  assert.ok(x === look.x && y > look.y && y < look.y + look.height);
  assert.ok(back.points.slice(1, 3).every(([turn]) => turn < look.x));
});

test("a Choice's edges carry its conditions, and a Catch is a note", () => {
  const svg = graphSvg(small);
  for (const text of ["count &gt; 1", "else", "any failure", "of Look"]) assert.ok(svg.includes(`>${text}</text>`), text);
});

test("outcomes become classes; a state that was not entered is skipped", () => {
  const outcomes = new Map<string, StateOutcome>([["Keep", "retried"]]);
  assert.match(graphSvg(small, outcomes), /<g class="task retried">.*>Keep</);
  assert.match(graphSvg(small, outcomes), /<g class="task skipped">.*>KeepMore</);
  assert.doesNotMatch(graphSvg(small), /retried|skipped/);
});
