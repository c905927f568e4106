import { spawn } from "node:child_process";
import { globSync, mkdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";

/** The one gate, for people and CI, the quickest first: `test` is the tests alone, `static` all but the tests, nothing is everything. */
interface Part {
  readonly name: string;
  /** Side by side. */
  readonly commands: readonly (readonly string[])[];
  /** Counts what the part saw; a part that saw nothing has failed. */
  seen(output: string): number;
}

const bin = (name: string): string => `node_modules/.bin/${name}`;
/** The sum of a number that each command of a part prints. */
const number = (pattern: RegExp) => (output: string) =>
  [...output.matchAll(pattern)].reduce((sum, [, found]) => sum + Number(found), 0);
const tests = globSync("test/**/*.test.ts").sort();
/** One process a core, and every other file in each: a process for every file would spend a third of its time on loading the same modules. */
const shares = [0, 1].map((share) => tests.filter((_, index) => index % 2 === share));

const testPart: Part = {
  name: "tests",
  commands: shares.map((files) => [process.execPath, "scripts/run-tests.ts", ...files]),
  seen: number(/^ℹ tests (\d+)/gm),
};

const parts: readonly Part[] = [
  {
    name: "biome",
    commands: [[bin("biome"), "ci", "--colors=off", "--error-on-warnings", "."]],
    seen: number(/Checked (\d+) files/g),
  },
  {
    name: "tsc",
    commands: [[bin("tsc"), "--listFilesOnly"]],
    seen: (output) => output.split("\n").filter((file) => !file.includes("node_modules")).length,
  },
  { name: "types", commands: [[bin("tsc")]], seen: () => tests.length },
  testPart,
  { name: "knip", commands: [[bin("knip"), "--no-progress"]], seen: () => tests.length },
];

/** What Node compiled once is not compiled again. */
const env = { ...process.env, NODE_COMPILE_CACHE: resolve("node_modules/.cache/node-compile") };

async function told([program = "", ...args]: readonly string[]): Promise<{ isGood: boolean; output: string }> {
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<boolean>((end) => {
    child.on("close", (status) => end(status === 0));
    child.on("error", () => end(false));
  });
  const [said, errors, isGood] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { isGood, output: `${said}${errors}` };
}

async function run({ name, commands, seen }: Part): Promise<{ passed: number; failed: number }> {
  const began = performance.now();
  const results = await Promise.all(commands.map(told));
  const output = results.map((result) => result.output).join("\n");
  const count = seen(output);
  const isGood = count > 0 && results.every((result) => result.isGood && seen(result.output) > 0);
  const isTests = name === testPart.name;
  const passed = isTests ? number(/^ℹ pass (\d+)/gm)(output) : isGood ? 1 : 0;
  const failed = isTests ? Math.max(number(/^ℹ fail (\d+)/gm)(output), isGood ? 0 : 1) : isGood ? 0 : 1;
  for (const result of results.filter((one) => !one.isGood))
    console.log(
      isTests ? result.output.slice(Math.max(0, result.output.search(/✖ failing tests|an error escaped/))) : result.output,
    );
  console.log(`${isGood ? "ok  " : "FAIL"} ${name.padEnd(8)} saw ${count}, ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return { passed, failed };
}

if (tests.length === 0) throw new Error("there are no tests");
mkdirSync("out", { recursive: true });
const only = process.argv[2];
const results: Awaited<ReturnType<typeof run>>[] = [];
for (const part of parts) if (only === undefined || (part === testPart) === (only === "test")) results.push(await run(part));
const sum = (of: (result: { passed: number; failed: number }) => number): number =>
  results.reduce((total, result) => total + of(result), 0);
console.log(
  `Cloister ${(JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version}, Node ${process.version}`,
);
console.log(`${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed`);
process.exitCode = sum(({ failed }) => failed) === 0 ? 0 : 1;
