import type { Retrier } from "../world/asl/definition.ts";

/**
 * A machine whose states look `scale` times as often and wait as long in all as the shipped ones: a loaded machine must not make a
 * wait run out. `patience` multiplies what they wait in all, for whoever is after what happens when it runs out, or must not let it.
 */
export const patient = (text: string, scale: number, patience: number): string =>
  JSON.stringify(
    JSON.parse(text, (_, value: Partial<Retrier> | null) =>
      value?.ErrorEquals?.includes("NotReadyError") && value.MaxAttempts !== undefined
        ? { ...value, MaxAttempts: Math.ceil(value.MaxAttempts * scale * patience) }
        : value,
    ),
  );

interface Timed {
  readonly Type?: unknown;
  readonly Seconds?: number;
  readonly ErrorEquals?: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
}

/** A machine whose waits are shorter by what can be written: whole seconds, and one at the least. A wait lasts as long in all. */
export const hurried = (text: string, scale: number): string =>
  JSON.stringify(
    JSON.parse(text, (_, value: Timed | null) => {
      if (value?.Type === "Wait" && value.Seconds !== undefined)
        return { ...value, Seconds: Math.max(1, Math.ceil(value.Seconds / scale)) };
      const { ErrorEquals = [], IntervalSeconds, MaxAttempts } = value ?? {};
      if (!ErrorEquals.includes("NotReadyError") || IntervalSeconds === undefined || MaxAttempts === undefined) return value;
      const interval = Math.max(1, Math.ceil(IntervalSeconds / scale));
      return { ...value, IntervalSeconds: interval, MaxAttempts: Math.ceil((MaxAttempts * IntervalSeconds) / interval) };
    }),
  );
