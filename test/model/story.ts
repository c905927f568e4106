import type { Found } from "./explore.ts";

/** How it came to what must not be, step by step. */
export const tellStory = ({ says, story }: NonNullable<Found["violation"]>): string =>
  [...story.map((line, index) => `${String(index + 1).padStart(4)}. ${line}`), `   => ${says}`].join("\n");
