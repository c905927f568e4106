import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

/** The one gate, for people and CI, the quickest first: `test` is the tests alone, `static` all but the tests, nothing is everything. */
interface Part {
  readonly name: string;
  readonly command: readonly string[];
  /** Counts what the part saw; a part that saw nothing has failed. */
  seen(output: string): number;
}

const bin = (name: string): string => `node_modules/.bin/${name}`;
const number = (pattern: RegExp) => (output: string) => Number(pattern.exec(output)?.[1] ?? 0);
// From the end of the alphabet: the longest files are those of whole stories, and one of them begun last would keep the other core idle.
const tests = globSync("test/**/*.test.ts").sort().reverse();

const testPart: Part = {
  name: "tests",
  command: [process.execPath, "--test", "--test-concurrency=2", ...tests],
  seen: number(/^ℹ tests (\d+)/m),
};

const parts: readonly Part[] = [
  {
    name: "biome",
    command: [bin("biome"), "ci", "--colors=off", "--error-on-warnings", "."],
    seen: number(/Checked (\d+) files/),
  },
  {
    name: "tsc",
    command: [bin("tsc"), "--listFilesOnly"],
    seen: (output) => output.split("\n").filter((file) => !file.includes("node_modules")).length,
  },
  { name: "types", command: [bin("tsc")], seen: () => tests.length },
  testPart,
  { name: "knip", command: [bin("knip"), "--no-progress"], seen: () => tests.length },
];

/** Each test file is a process of its own, and they all load the same modules: what Node compiled once is not compiled again. */
const env = { ...process.env, NODE_COMPILE_CACHE: resolve("node_modules/.cache/node-compile") };

function run({ name, command, seen }: Part): { passed: number; failed: number } {
  const began = performance.now();
  const [program = "", ...args] = command;
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 256 * 2 ** 20, env });
  const output = `${stdout}${stderr}`;
  const count = seen(output);
  const isGood = status === 0 && count > 0;
  const isTests = name === testPart.name;
  const passed = isTests ? number(/^ℹ pass (\d+)/m)(output) : isGood ? 1 : 0;
  const failed = isTests ? Math.max(number(/^ℹ fail (\d+)/m)(output), isGood ? 0 : 1) : isGood ? 0 : 1;
  if (!isGood) console.log(isTests ? output.slice(Math.max(0, output.indexOf("✖ failing tests"))) : output);
  console.log(`${isGood ? "ok  " : "FAIL"} ${name.padEnd(8)} saw ${count}, ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return { passed, failed };
}

if (tests.length === 0) throw new Error("there are no tests");
mkdirSync("out", { recursive: true });
const only = process.argv[2];
const results = parts.filter((part) => only === undefined || (part === testPart) === (only === "test")).map(run);
const sum = (of: (result: { passed: number; failed: number }) => number): number =>
  results.reduce((total, result) => total + of(result), 0);
console.log(
  `Cloister ${(JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version}, Node ${process.version}`,
);
console.log(`${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed`);
process.exitCode = sum(({ failed }) => failed) === 0 ? 0 : 1;
