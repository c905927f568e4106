import type { Clock } from "../clock.ts";

/** One event, in Step Functions' own names; `input` and `output` are kept as JSON text, as AWS gives them. */
export interface HistoryEvent {
  /** Whose it is; ids count within one execution. */
  readonly execution: string;
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: number;
  readonly type: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A line of events: each knows the one before it in its own branch. */
export interface Thread {
  previous: number;
}

export class History {
  readonly events: HistoryEvent[] = [];
  readonly #execution: string;
  readonly #clock: Pick<Clock, "now">;
  readonly #onEvent: (event: HistoryEvent) => void;

  constructor(execution: string, clock: Pick<Clock, "now">, onEvent: (event: HistoryEvent) => void = () => {}) {
    this.#execution = execution;
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  add(thread: Thread, type: string, details: Readonly<Record<string, unknown>>): void {
    const text = Object.fromEntries(
      Object.entries(details).map(([key, value]) => [
        key,
        key === "input" || key === "output" || key === "parameters" ? JSON.stringify(value) : value,
      ]),
    );
    const event = {
      execution: this.#execution,
      id: this.events.length + 1,
      previousEventId: thread.previous,
      timestamp: this.#clock.now(),
      type,
      details: text,
    };
    thread.previous = event.id;
    this.events.push(event);
    this.#onEvent(event);
  }
}
