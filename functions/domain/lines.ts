import * as z from "zod";

/** Where lines lie in Parameter Store: whoever may write there decides what clusters are built from. */
export const lineFolders = { image: "/cloister/_ami/", bundle: "/cloister/_bundle/" } as const;

/** A line: the parameter in which a person or a pipeline keeps the newest of one kind, under one word. */
const lineIn = (folder: string, what: string) =>
  z
    .string()
    .regex(new RegExp(`^${folder}[\\w.-]{1,100}$`), `${folder} and a word`)
    .describe(`The parameter that holds ${what}; each build takes what it holds then`);
export const ImageLine = lineIn(lineFolders.image, "an AMI's id");
export const BundleLine = lineIn(lineFolders.bundle, "a bundle's address");

/** Whether a request names the thing itself, so that a new one never comes to it. */
export const isFixed = (chosen: string | null): boolean => chosen !== null && !chosen.startsWith("/");

/** The line that a choice is drawn from, or null where it is fixed. */
export const lineOf = (chosen: string | null, byDefault: string): string | null =>
  isFixed(chosen) ? null : (chosen ?? byDefault);
