import asyncHooks from "node:async_hooks";
import { globSync } from "node:fs";
import { resolve } from "node:path";

/**
 * The tests of the given files (globs too), all in this process.
 *
 * node:test follows every promise of the process, to tell under which test's name an escaped error belongs: more than half of the
 * time that our tests take. `node --test` stands before anything of ours is read, so the files are loaded by hand.
 */
const { createHook } = asyncHooks;
asyncHooks.createHook = (callbacks) => createHook({ trackPromises: false, ...callbacks });

/** What nobody is named for fails the run all the same, and also what comes after its test's end, which node:test lets pass. */
for (const event of ["uncaughtException", "unhandledRejection"])
  process.on(event, (error: unknown) => {
    console.error("an error escaped its test:", error);
    process.exitCode = 1;
  });

const files = globSync(process.argv.slice(2)).sort();
if (files.length === 0) throw new RangeError(`no tests in ${process.argv.slice(2).join(" ")}`);
for (const file of files) await import(resolve(file));
