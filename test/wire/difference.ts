/** One difference that is known: which side AWS agrees with, and who says so. */
export interface Difference {
  /** An operation, for every step of it; or one step's whole name. */
  readonly step: string;
  readonly paths: readonly string[];
  /** What the world has there, then what moto has; `-` for nothing. */
  readonly says: string;
  /** `unproved`: nobody here has seen AWS do it. */
  readonly right: "world" | "moto" | "unproved";
  readonly why: string;
}

export const known = (step: string, paths: string, says: string, right: Difference["right"], why: string): Difference => ({
  step,
  paths: paths.split(" "),
  says,
  right,
  why,
});
