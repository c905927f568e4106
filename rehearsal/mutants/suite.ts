import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

interface Part {
  readonly name: string;
  /** For Node, in the tree's folder. */
  readonly args: readonly string[];
  /** What a line of its output says to be wrong, or null. */
  read(line: string): string | null;
}

/** All looks of a kind, or the one of that name. */
const looks = (name: string, ...one: readonly (string | undefined)[]): Part => ({
  name,
  args: ["rehearsal/mutants/look.ts", name, ...one.filter((word) => word !== undefined)],
  read: (line) => (line.startsWith('{"sign":') ? (JSON.parse(line) as { sign: string }).sign : null),
});
const tests = (name: string, ...files: readonly string[]): Part => ({
  name,
  args: ["--test-reporter=tap", "scripts/run-tests.ts", ...files],
  read: (line) => /^\s*not ok \d+ - (.*)$/.exec(line)?.[1] ?? null,
});

/** What must notice, the cheapest first: the product in its world, tests, the simulator, and the tests that take longer. */
const suite: readonly Part[] = [
  looks("rehearsals"),
  tests(
    "tests",
    ...["asl", "paths"].map((file) => `test/contract/${file}.test.ts`),
    ...["test/domain/*.test.ts", "test/steps/*.test.ts", "test/aws/*.test.ts", "test/node/*.test.ts"],
  ),
  tests("destroys", "test/workflow/destroy.test.ts", "test/workflow/watch.test.ts"),
  looks("storms"),
  looks("faults"),
  tests("records", "test/model/*.test.ts"),
  tests("fence", "test/contract/mutations.test.ts"),
  tests(
    "builds",
    ...["test/workflow/*.test.ts", "test/api/*.test.ts", "test/simulate/*.test.ts", "test/world/quick-scripts.test.ts"],
  ),
  tests("stacks", "test/infra/*.test.ts", "test/contract/bundles.test.ts"),
];

export const partNames: readonly string[] = suite.map(({ name }) => name);

/** The longest part takes a minute on an idle machine; on a busy one nothing is taken for endless that is only slow. */
const limitSeconds = 600;

/** The first thing that is wrong. */
export interface Sign {
  readonly part: string;
  readonly sign: string;
}

/** The part that a defect names as the one to notice it soonest. */
function likelyPart(soonest: string): Part {
  const [part = "", look] = soonest.split("/");
  return soonest.endsWith(".test.ts") ? tests(soonest.replace(/^.*\//, ""), soonest) : looks(part, look);
}

/** Runs what notices soonest, then the whole suite, in a tree until something is wrong. */
export async function firstSign(folder: string, soonest: string | null): Promise<Sign | null> {
  for (const part of [...(soonest === null ? [] : [likelyPart(soonest)]), ...suite]) {
    const sign = await signOf(part, folder);
    if (sign !== null) return { part: part.name, sign: sign.slice(0, 300) };
  }
  return null;
}

async function signOf({ args, read }: Part, cwd: string): Promise<string | null> {
  // A test runner that finds itself inside another one reports to that one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close") as Promise<[number | null]>;
  const errors: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => void errors.push(text));
  const late = { sign: null as string | null };
  const timer = setTimeout(() => {
    late.sign = `did not end in ${limitSeconds} s`;
    child.kill("SIGKILL");
  }, limitSeconds * 1000);
  const sign = await firstLine(child, read);
  clearTimeout(timer);
  const [code] = await ended;
  return sign ?? late.sign ?? (code === 0 ? null : `does not run: ${reasonIn(errors.join(""))}`);
}

/** What the first telling line says; the child is ended at it. */
async function firstLine(child: ChildProcess, read: Part["read"]): Promise<string | null> {
  if (child.stdout === null) throw new TypeError("a child without an output");
  for await (const line of createInterface({ input: child.stdout })) {
    const sign = read(line);
    if (sign === null) continue;
    child.kill("SIGKILL");
    return sign;
  }
  return null;
}

const reasonIn = (errors: string): string =>
  /^\w*Error.*$|(?<=escaped its test: ).*$/m.exec(errors)?.[0] ?? errors.trim().split("\n").at(-1) ?? "";
