import type { Definition } from "../world/asl/definition.ts";
import { escaped } from "./html.ts";
import { draw, type Edge, type Node } from "./layout.ts";

export type StateOutcome = "done" | "retried" | "failed" | "stopped" | "skipped";

/** The drawing's own look. It takes its colours from custom properties, so that a page can theme it. */
export const graphStyle = `
.graph text { font: 12px ui-sans-serif, system-ui, "Segoe UI", "Liberation Sans", sans-serif; fill: var(--ink); text-anchor: middle; }
.graph .note, .graph .label { font-size: 11px; fill: var(--muted); }
.graph .label { paint-order: stroke; stroke: var(--surface); stroke-width: 4px; }
.graph .body { fill: var(--surface); stroke: var(--line-strong); stroke-width: 1.2; }
.graph .parallel > .body, .graph .group > .body { fill: var(--inset); stroke: var(--line); }
.graph .group > .body { stroke-dasharray: 4 4; }
.graph .parallel > text, .graph .group > text { fill: var(--muted); font-weight: 600; }
.graph .pass > .body { stroke-dasharray: 3 3; }
.graph .fail > .body { stroke: var(--bad); }
.graph .succeed > .body { stroke: var(--good); }
.graph .edge { fill: none; stroke: var(--line-strong); stroke-width: 1.3; }
.graph .tip { fill: var(--line-strong); }
.graph .done > .body { fill: var(--good-soft); stroke: var(--good); }
.graph .retried > .body { fill: var(--warn-soft); stroke: var(--warn); }
.graph .failed > .body { fill: var(--bad-soft); stroke: var(--bad); stroke-width: 2; }
.graph .stopped > .body { fill: var(--surface); stroke: var(--warn); stroke-dasharray: 5 3; }
.graph .parallel.done > .body { fill: var(--inset); }
.graph .skipped > .body, .graph .skipped > text { opacity: .55; }
`;

/** Inline SVG of a machine. Without outcomes it shows the plan, with them what became of each state. */
export function graphSvg(definition: Definition, outcomes?: ReadonlyMap<string, StateOutcome>): string {
  const { nodes, edges, notes, left, right, height } = draw(definition);
  const margin = 8;
  const box = [left - margin, -margin, right - left + 2 * margin, height + 2 * margin].map(Math.round);
  // Lines first: a state's body covers the end of whatever runs under it. Boxes come before what is in them by their order.
  const boxes = nodes.filter(({ shape }) => shape === "parallel" || shape === "group");
  const states = nodes.filter((node) => !boxes.includes(node));
  return [
    `<svg class="graph" xmlns="http://www.w3.org/2000/svg" viewBox="${box.join(" ")}" width="${box[2]}" height="${box[3]}" role="img">`,
    `<title>${escaped(definition.Comment ?? "State machine")}</title>`,
    ...boxes.map((node) => nodeSvg(node, outcomes)),
    ...edges.map(edgeSvg),
    ...states.map((node) => nodeSvg(node, outcomes)),
    ...edges.map(labelSvg),
    ...notes.map(({ text, x, y }) => `<text class="note" x="${round(x)}" y="${round(y)}">${escaped(text)}</text>`),
    "</svg>",
  ].join("\n");
}

function nodeSvg(node: Node, outcomes: ReadonlyMap<string, StateOutcome> | undefined): string {
  const { name, shape, comment, x, y, width, height } = node;
  const outcome = outcomes === undefined || shape === "group" ? "" : ` ${outcomes.get(name) ?? "skipped"}`;
  const isBox = shape === "parallel" || shape === "group";
  const baseline = isBox ? y + 19 : y + height / 2 + 4;
  const title = comment === "" ? "" : `<title>${escaped(comment)}</title>`;
  const text = `<text x="${round(x + width / 2)}" y="${round(baseline)}">${escaped(name)}</text>`;
  return `<g class="${shape}${outcome}">${title}${bodySvg(node)}${text}</g>`;
}

function bodySvg({ shape, x, y, width, height }: Node): string {
  if (shape === "choice") {
    const [middle, tip] = [y + height / 2, 12];
    const points = [
      [x, middle],
      [x + tip, y],
      [x + width - tip, y],
      [x + width, middle],
      [x + width - tip, y + height],
      [x + tip, y + height],
    ];
    return `<polygon class="body" points="${points.map((point) => point.map(round).join(",")).join(" ")}"/>`;
  }
  const radius = shape === "succeed" || shape === "fail" ? height / 2 : 6;
  return `<rect class="body" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="${radius}"/>`;
}

/** A line with rounded corners and an arrow's tip, drawn by hand: a marker needs an id, and ids clash when a page has two drawings. */
function edgeSvg({ points }: Edge): string {
  const [[endX, endY] = [0, 0], [beforeX, beforeY] = [0, 0]] = points.toReversed();
  const length = Math.hypot(endX - beforeX, endY - beforeY) || 1;
  const [ux, uy] = [(endX - beforeX) / length, (endY - beforeY) / length];
  const [baseX, baseY] = [endX - ux * 7, endY - uy * 7];
  const tip = [
    [endX, endY],
    [baseX - uy * 4, baseY + ux * 4],
    [baseX + uy * 4, baseY - ux * 4],
  ];
  const line = [...points.slice(0, -1), [baseX, baseY] as const];
  const path = line.map((point, index) => corner(line, point, index)).join("");
  return `<path class="edge" d="${path}"/><polygon class="tip" points="${tip.map((point) => point.map(round).join(",")).join(" ")}"/>`;
}

function corner(line: Edge["points"], [x, y]: readonly [number, number], index: number): string {
  const [before, after] = [line[index - 1], line[index + 1]];
  if (before === undefined) return `M${round(x)} ${round(y)}`;
  if (after === undefined) return `L${round(x)} ${round(y)}`;
  const towards = ([otherX, otherY]: readonly [number, number]): string => {
    const distance = Math.hypot(otherX - x, otherY - y) || 1;
    const radius = Math.min(8, distance / 2);
    return `${round(x + ((otherX - x) / distance) * radius)} ${round(y + ((otherY - y) / distance) * radius)}`;
  };
  return `L${towards(before)}Q${round(x)} ${round(y)} ${towards(after)}`;
}

const labelSvg = ({ label, labelAt: [x, y], anchor }: Edge): string =>
  label === null
    ? ""
    : `<text class="label" style="text-anchor:${anchor}" x="${round(x)}" y="${round(y)}">${escaped(label)}</text>`;

const round = (value: number): number => Math.round(value * 10) / 10;
