/** What becomes of one transfer. */
export interface Reply {
  readonly outcome: "open" | "timeout" | "refused" | "unresolved";
  /** null: somebody took the connection, and what it would say is not modelled. */
  readonly status: number | null;
  readonly body: string;
  /** How long it takes; a timeout takes as long as the caller lets it. */
  readonly seconds: number;
}

export const unreached = (outcome: Exclude<Reply["outcome"], "open">): Reply => ({ outcome, status: null, body: "", seconds: 0 });
