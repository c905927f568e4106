/** One request fails; or the whole call, with all of the SDK's retries; or its Lambda dies at it; or its state is over, and its Lambda goes on without it. */
type FaultKind = "error" | "lasting" | "kill" | "orphan";

/** One planned failure: at the nth call of an operation, before its effect or, with `after`, when the answer is lost. */
export interface FaultRule {
  readonly operation: string;
  /** What a failed call throws, or what a state is told of its Lambda (life.ts). */
  readonly code: string;
  readonly nth: number;
  readonly after: boolean;
  /** `error` when left out. */
  readonly kind?: FaultKind;
  /** Then `nth` counts this state's calls of the operation, in all its visits; without it everybody's. */
  readonly state?: string;
}

/** Where a call stands among those of its operation: everybody's, and its own state's. */
export interface CallSite {
  readonly operation: string;
  readonly nth: number;
  /** Null for what is no Lambda's call. */
  readonly state: string | null;
  readonly nthInState: number;
  /** Whether its state can be ended by a neighbouring branch: `Branch.Stopped`. */
  readonly isInBranch: boolean;
}

const shape = /^(?:([A-Z]\w*)\/)?([A-Z]\w+):([A-Za-z][\w.]*)(?::(\d+))?(?::(lasting|kill|orphan))?(:after)?$/;

/** `[STATE/]OPERATION:CODE[:NTH][:lasting|:kill|:orphan][:after]`, or null. */
export function readFaultRule(text: string): FaultRule | null {
  const match = shape.exec(text);
  if (match === null) return null;
  const [, state, operation = "", code = "", nth = "1", kind, after] = match;
  return {
    ...{ operation, code, nth: Number(nth), after: after !== undefined },
    ...(state !== undefined && { state }),
    ...(kind !== undefined && { kind: kind as FaultKind }),
  };
}

/** The text that `readFaultRule` reads: what a replay is given. */
export function faultRuleText({ state, operation, code, nth, kind = "error", after }: FaultRule): string {
  const place = state === undefined ? operation : `${state}/${operation}`;
  return `${place}:${code}:${nth}${kind === "error" ? "" : `:${kind}`}${after ? ":after" : ""}`;
}

/** The rule that is meant for this call, if any. */
export const ruleAt = (rules: readonly FaultRule[], site: CallSite): FaultRule | undefined =>
  rules.find(({ operation, state, nth }) => {
    if (operation !== site.operation) return false;
    return state === undefined ? nth === site.nth : state === site.state && nth === site.nthInState;
  });
