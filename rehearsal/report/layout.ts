import { arrowsOf, branchesOf, caughtFrom, type Flow, flowOf, type Machine } from "./flow.ts";

/** Pixels of the drawing; x and y are the upper left corner. */
export interface Node {
  readonly name: string;
  readonly shape: string;
  readonly comment: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface Edge {
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly label: string | null;
  readonly labelAt: readonly [x: number, y: number];
  readonly anchor: "start" | "middle" | "end";
}
interface Note {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}
/** A part of the drawing around its own axis x = 0, from y = 0 down. */
export interface Drawing {
  readonly nodes: Node[];
  readonly edges: Edge[];
  readonly notes: Note[];
  left: number;
  right: number;
  height: number;
}

const size = { height: 30, gap: 24, labelledGap: 30, letter: 6.7, padding: 26, header: 30, inset: 14, lane: 16 };

/** Of the words at an arrow, about. */
export const labelWidth = (label: string | null): number => (label ?? "").length * 6;

const widthOf = (name: string): number => Math.round(name.length * size.letter + size.padding);

/** `AwaitCommandX` belongs to the X before it and is drawn right under it, without an arrow. */
const isAttached = (name: string, before: string | undefined): boolean => name === `AwaitCommand${before}`;

/** One machine, its Parallel states with their branches inside. */
export function draw(machine: Machine): Drawing {
  const flow = flowOf(machine);
  const drawing: Drawing = { nodes: [], edges: [], notes: [], left: 0, right: 0, height: 0 };
  drawMain(machine, flow, drawing);
  const at = new Map(drawing.nodes.map((node) => [node.name, node]));
  drawSides(machine, flow, drawing, at);
  drawShortCuts(machine, flow, drawing, at);
  if (flow.failure.length > 0) drawFailures(machine, flow.failure, drawing);
  return drawing;
}

function drawMain(machine: Machine, { main }: Flow, drawing: Drawing): void {
  const width = Math.max(...main.filter((name) => branchesOf(stateOf(machine, name)).length === 0).map(widthOf));
  let y = 0;
  main.forEach((name, index) => {
    const before = main[index - 1];
    if (before !== undefined && !isAttached(name, before)) {
      const label = arrowsOf(stateOf(machine, before)).find(({ to }) => to === name)?.label ?? null;
      const gap = label === null ? size.gap : size.labelledGap;
      drawing.edges.push(
        edge(
          [
            [0, y],
            [0, y + gap],
          ],
          label,
          [8, y + gap / 2 + 2],
          "start",
        ),
      );
      y += gap;
    }
    const state = stateOf(machine, name);
    if (state.Type === "Parallel") {
      y += drawParallel(machine, name, y, drawing);
    } else {
      drawing.nodes.push(nodeOf(machine, name, -width / 2, y, width));
      y += size.height;
    }
  });
  drawing.height = y;
  drawing.left = Math.min(drawing.left, -width / 2);
  drawing.right = Math.max(drawing.right, width / 2);
}

/** Gives the box's height. */
function drawParallel(machine: Machine, name: string, y: number, drawing: Drawing): number {
  const branches = branchesOf(stateOf(machine, name)).map(draw);
  const inner = branches.reduce((sum, { left, right }) => sum + right - left, 0) + size.inset * 2 * (branches.length - 1);
  const width = Math.max(inner + size.inset * 2, widthOf(name));
  const height = size.header + Math.max(...branches.map((branch) => branch.height)) + size.inset;
  drawing.nodes.push({ ...nodeOf(machine, name, -width / 2, y, width), height });
  let x = -inner / 2;
  for (const branch of branches) {
    place(branch, x - branch.left, y + size.header, drawing);
    x += branch.right - branch.left + size.inset * 2;
  }
  drawing.left = Math.min(drawing.left, -width / 2);
  drawing.right = Math.max(drawing.right, width / 2);
  return height;
}

function place(part: Drawing, dx: number, dy: number, drawing: Drawing): void {
  drawing.nodes.push(...part.nodes.map((node) => ({ ...node, x: node.x + dx, y: node.y + dy })));
  drawing.notes.push(...part.notes.map((note) => ({ ...note, x: note.x + dx, y: note.y + dy })));
  for (const { points, label, labelAt, anchor } of part.edges) {
    const moved = points.map(([x, y]) => [x + dx, y + dy] as const);
    drawing.edges.push({ points: moved, label, labelAt: [labelAt[0] + dx, labelAt[1] + dy], anchor });
  }
}

/** States beside the main line stand right of it, one row below the Choice that leads there. */
function drawSides(machine: Machine, { main, side }: Flow, drawing: Drawing, at: Map<string, Node>): void {
  for (const [choice, names] of side) {
    const from = nodeAt(at, choice);
    const under = at.get(main[main.indexOf(choice) + 1] ?? choice) ?? from;
    const width = Math.max(...names.map(widthOf));
    const x = Math.max(from.x + from.width, under.x + under.width) + size.inset * 2;
    names.forEach((name, index) => {
      const node = nodeOf(machine, name, x, under.y + index * (size.height + size.gap), width);
      at.set(name, node);
      drawing.nodes.push(node);
      for (const { to } of arrowsOf(stateOf(machine, name))) {
        const target = nodeAt(at, to);
        const [sideways, level] = [x + width / 2, target.y + target.height / 2];
        drawing.edges.push(
          edge([
            [sideways, node.y + size.height],
            [sideways, level],
            [target.x + target.width, level],
          ]),
        );
      }
    });
    const label = arrowsOf(stateOf(machine, choice)).find(({ to }) => to === names[0])?.label ?? null;
    const level = from.y + from.height / 2;
    const turn = x + width / 2;
    const points = [
      [from.x + from.width, level],
      [turn, level],
      [turn, under.y],
    ] as const;
    drawing.edges.push(edge(points, label, [from.x + from.width + 8, level - 6], "start"));
    drawing.right = Math.max(drawing.right, x + width);
  }
}

/** A Choice's way past states of the main line, or back up, runs left of all that it passes. */
function drawShortCuts(machine: Machine, { main }: Flow, drawing: Drawing, at: Map<string, Node>): void {
  main.forEach((name, index) => {
    for (const { to, label } of arrowsOf(stateOf(machine, name))) {
      const end = main.indexOf(to);
      if (end === -1 || end === index + 1) continue;
      const passed = main.slice(Math.min(index, end), Math.max(index, end) + 1).map((each) => nodeAt(at, each));
      const lane = Math.min(...passed.map(({ x }) => x)) - size.lane;
      const [from, target] = [nodeAt(at, name), nodeAt(at, to)];
      const [start, level] = [from.y + from.height / 2, target.y + target.height / 2 - 5];
      const points = [
        [from.x, start],
        [lane, start],
        [lane, level],
        [target.x, level],
      ] as const;
      const words = labelWidth(label);
      // Where the lane is far enough, over its own end: another way out of the same Choice has its words at the state.
      const isFar = from.x - lane > 2 * words + size.lane;
      drawing.edges.push(edge(points, label, isFar ? [lane + 8, start - 6] : [from.x - 8, start - 6], isFar ? "start" : "end"));
      drawing.left = Math.min(drawing.left, lane - 4, isFar ? lane : from.x - 8 - words);
    }
  });
}

/** The failure states in rows by how far they are from the failure, each column as wide as the widest. */
function drawFailures(machine: Machine, names: readonly string[], drawing: Drawing): void {
  const rows = rowsOf(machine, names);
  const pitch = Math.max(...names.map(widthOf)) + 34;
  const top = drawing.height + 44;
  const left = (drawing.left + drawing.right - pitch * Math.max(...rows.map((row) => row.length)) + 34) / 2;
  const at = new Map<string, Node>();
  let y = top + 64;
  for (const row of rows) {
    row.forEach((name, column) => {
      const node = nodeOf(machine, name, left + column * pitch, y, pitch - 34);
      at.set(name, node);
      drawing.nodes.push(node);
      if (row !== rows[0]) return;
      caughtFrom(machine, name).forEach((text, line) => {
        const [errors = "", source = ""] = text.split(/ (?=of )/);
        const x = node.x + node.width / 2;
        drawing.notes.push({ text: errors, x, y: y - 30 - line * 30 }, { text: source, x, y: y - 16 - line * 30 });
      });
    });
    y += size.height + size.labelledGap + 12;
  }
  for (const name of names) failureEdges(machine, name, at, drawing);
  const height = y - top - 26;
  const [x, width] = [left - size.inset, pitch * Math.max(...rows.map((row) => row.length)) - 34 + size.inset * 2];
  drawing.nodes.unshift({ name: "When a state fails", shape: "group", comment: "", x, y: top, width, height });
  drawing.left = Math.min(drawing.left, x);
  drawing.right = Math.max(drawing.right, x + width);
  drawing.height = top + height;
}

function failureEdges(machine: Machine, name: string, at: ReadonlyMap<string, Node>, drawing: Drawing): void {
  for (const { to, label } of arrowsOf(stateOf(machine, name))) {
    const [from, target] = [at.get(name), at.get(to)];
    if (from === undefined || target === undefined) continue;
    const [start, end] = [from.x + from.width / 2, target.x + target.width / 2];
    const [bottom, turn] = [from.y + from.height, target.y - 22];
    const points = [
      [start, bottom],
      [start, turn],
      [end, turn],
      [end, target.y],
    ] as const;
    drawing.edges.push(
      edge(
        start === end
          ? [
              [start, bottom],
              [end, target.y],
            ]
          : points,
        label,
        [end + 7, target.y - 9],
        "start",
      ),
    );
  }
}

/** A state is one row under the last state that leads to it. */
function rowsOf(machine: Machine, names: readonly string[]): string[][] {
  const depth = new Map<string, number>();
  const sink = (name: string, row: number): void => {
    if (!names.includes(name) || (depth.get(name) ?? -1) >= row || row >= names.length) return;
    depth.set(name, row);
    for (const { to } of arrowsOf(stateOf(machine, name))) sink(to, row + 1);
  };
  for (const name of names) sink(name, 0);
  const rows: string[][] = [];
  for (const name of names) {
    const row = depth.get(name) ?? 0;
    rows[row] = [...(rows[row] ?? []), name];
  }
  return rows;
}

const edge = (
  points: Edge["points"],
  label: string | null = null,
  labelAt: Edge["labelAt"] = [0, 0],
  anchor: Edge["anchor"] = "start",
): Edge => ({ points, label, labelAt, anchor });

function nodeOf(machine: Machine, name: string, x: number, y: number, width: number): Node {
  const { Type, Comment } = stateOf(machine, name);
  const comment = typeof Comment === "string" ? Comment : "";
  return { name, shape: Type.toLowerCase(), comment, x, y, width, height: size.height };
}

function stateOf({ States }: Machine, name: string) {
  const state = States[name];
  if (state === undefined) throw new Error(`the machine has no state ${name}`);
  return state;
}

function nodeAt(at: ReadonlyMap<string, Node>, name: string): Node {
  const node = at.get(name);
  if (node === undefined) throw new Error(`${name} is not drawn`);
  return node;
}
