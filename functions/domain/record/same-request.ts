import type { Asked } from "./shape.ts";

/** What may differ between two requests for the same cluster (lifecycle 3.6). */
const immaterial = new Set(["onFailure", "keepHours", "protected", "rebuild", "verify"]);

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

const material = (asked: Asked) => canonical(Object.fromEntries(Object.entries(asked).filter(([key]) => !immaterial.has(key))));

/** Whether two requests, as given, ask for the same cluster. */
export const isSameRequest = (a: Asked, b: Asked): boolean => material(a) === material(b);
