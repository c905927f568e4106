import type { HistoryEvent } from "../world/asl/history.ts";
import { type Visit, VisitLog } from "./waterfall.ts";
import { duration } from "./words.ts";

export interface Screen {
  readonly isTerminal: boolean;
  readonly hasColour: boolean;
  readonly columns: number;
  write(text: string): void;
}

const marks = { running: "…", done: "✓", retried: "↻", failed: "✗", stopped: "–" } as const;
const colours = { running: "36", done: "32", retried: "33", failed: "31", stopped: "90" } as const;
/** A person sees what a state waits for; a line of the terminal holds it. */
const hidden = new Set(["Choice", "Pass"]);

const clock = (startedAt: number, at: number): string => {
  const seconds = Math.floor((at - startedAt) / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, "0")}`;
};

/** Shows the states as they begin, wait and end: in place on a terminal, otherwise a line for each. */
export class LiveView {
  readonly #screen: Screen;
  readonly #log = new VisitLog();
  readonly #shown = new Map<Visit, string>();
  #startedAt: number | null = null;
  #open = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  add(event: HistoryEvent): void {
    this.#startedAt ??= event.timestamp;
    const visit = this.#log.add(event);
    if (visit === null || hidden.has(visit.type)) return;
    if (this.#screen.isTerminal) this.#redraw();
    else this.#print(visit, event);
  }

  /** A line when a state begins to wait for something new, and when it ends. */
  #print(visit: Visit, { timestamp }: HistoryEvent): void {
    const isOver = visit.exitedAt !== null || visit.type === "Fail";
    const said = isOver ? "over" : (visit.waitingFor ?? "");
    if (said === "" || this.#shown.get(visit) === said) return;
    this.#shown.set(visit, said);
    this.#screen.write(`${this.#line(visit, timestamp)}\n`);
  }

  /** The open states and those after the first open one are drawn again; what stands above them stays. */
  #redraw(): void {
    const listed = this.#log.visits.filter(({ type }) => !hidden.has(type));
    const now = Math.max(
      ...this.#log.visits.flatMap(({ enteredAt, exitedAt, attempts }) => [
        enteredAt,
        exitedAt ?? 0,
        attempts.at(-1)?.endedAt ?? 0,
      ]),
    );
    const firstOpen = listed.findIndex((visit) => visit.outcome === "running");
    const settled = firstOpen === -1 ? listed.length : firstOpen;
    if (this.#open > 0) this.#screen.write(`\u001b[${this.#open}A\u001b[0J`);
    for (const visit of listed.slice(0, settled)) {
      if (this.#shown.has(visit)) continue;
      this.#shown.set(visit, "over");
      this.#screen.write(`${this.#line(visit, visit.exitedAt ?? now)}\n`);
    }
    const open = listed.slice(settled);
    for (const visit of open) this.#screen.write(`${this.#line(visit, now)}\n`);
    this.#open = open.length;
  }

  #line(visit: Visit, now: number): string {
    const { name, depth, waitingFor, enteredAt, exitedAt, attempts } = visit;
    const outcome = visit.type === "Fail" ? "failed" : visit.outcome;
    const took = duration(((exitedAt ?? now) - enteredAt) / 1000);
    const failed = attempts.findLast(({ error }) => error !== null && error !== "NotReadyError");
    const about =
      outcome === "running"
        ? (waitingFor ?? "")
        : outcome === "failed"
          ? (failed?.message ?? "")
          : outcome === "retried"
            ? `after ${failed?.error}`
            : "";
    const [reason = ""] = about.split("\n");
    const text = `${clock(this.#startedAt ?? now, exitedAt ?? now)}  ${"  ".repeat(depth)}${marks[outcome]} ${name.padEnd(40 - 2 * depth)} ${took.padStart(12)}  ${reason}`;
    const cut = this.#screen.isTerminal ? text.slice(0, this.#screen.columns - 1) : text;
    return this.#screen.hasColour ? `\u001b[${colours[outcome]}m${cut}\u001b[0m` : cut.trimEnd();
  }
}
