import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { catalogue } from "../functions/catalogue.ts";
import { articleOrder, floor } from "../rehearsal/bench/designs.ts";
import { Draws } from "../rehearsal/bench/draws.ts";
import { rehearse } from "../rehearsal/rehearse.ts";
import { Stage } from "../rehearsal/stage.ts";
import { buildDefault, buildHandlers } from "./build.ts";
import { UsageError, wholeNumber } from "./options.ts";

const help = `Usage: npm run bench -- [--json] [--seeds N] [--workers A,B,...]

Speed of the rehearsal, of the build in virtual time over N seeds (default 200), growth with the number of workers
(default 2,50,500,1000), size and load time of every handler's bundle.`;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    seeds: { type: "string", default: "200" },
    workers: { type: "string", default: "2,50,500,1000" },
    help: { type: "boolean", default: false },
  },
});
const { seeds, workerCounts } = readCounts();
const shapes = {
  "1+2": { name: "orchid" },
  "3+3": { name: "orchid", network: { zones: 3 }, controlPlane: { count: 3 }, workers: { count: 3 } },
} as const;

/** A count that nothing can be measured with ends the command at once. */
function readCounts() {
  try {
    return {
      seeds: Array.from({ length: wholeNumber("--seeds", values.seeds, 1, 10_000) }, (_, index) => index + 1),
      workerCounts: values.workers.split(",").map((text) => wholeNumber("--workers", text, 1, 1000)),
    };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

const quantile = (sorted: readonly number[], share: number, digits: number): number =>
  Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(digits));
function quantiles(values: readonly number[], digits = 1) {
  const sorted = values.toSorted((a, b) => a - b);
  return { p50: quantile(sorted, 0.5, digits), p95: quantile(sorted, 0.95, digits) };
}
const began = performance.now();
/** Progress goes to stderr: stdout holds the result alone. */
const say = (text: string) => console.error(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${text}`);

/** One build of a shape, with the scripts' quick twins, which tell the same times (test/world/quick-scripts.test.ts): its own seconds, and what the two other designs take with the same draws. */
async function once(request: object, seed: number) {
  const stage = await Stage.open({ request, seed, scripts: "quick" });
  const { outcome, execution } = await stage.run("build-cluster", request, `bench-${seed}`);
  if (outcome.status !== "SUCCEEDED") {
    // A failed build has no time to ClusterReady; it is not hidden either.
    say(`seed ${seed} is not counted: ${outcome.error} ${outcome.cause}`);
    return null;
  }
  const { world } = stage.account;
  const draws = new Draws(world.universe.chance.draws);
  const weigh = (subject: string) => stage.account.bytesOf(subject);
  const figures = {
    ours: ((execution.endedAt ?? 0) - execution.startedAt) / 1000,
    articleOrder: articleOrder(draws, weigh),
    floor: floor(draws, weigh),
  };
  if (figures.ours < figures.floor) throw new Error(`seed ${seed}: the build beat the floor, so it is none`);
  return figures;
}

async function virtual() {
  const result: Record<string, Record<string, { p50: number; p95: number }>> = {};
  for (const [shape, request] of Object.entries(shapes)) {
    const runs: NonNullable<Awaited<ReturnType<typeof once>>>[] = [];
    for (const seed of seeds) {
      if (seed % 20 === 1) say(`virtual time of ${shape}, seed ${seed} of ${seeds.length}`);
      const run = await once(request, seed);
      if (run !== null) runs.push(run);
    }
    const of = (key: keyof (typeof runs)[number]) => quantiles(runs.map((run) => run[key]));
    // Seed by seed, since both come from the same draws: the quotient of two medians is that of two different builds.
    const oursByFloor = quantiles(
      runs.map(({ ours, floor }) => ours / floor),
      3,
    );
    result[shape] = { ours: of("ours"), articleOrder: of("articleOrder"), floor: of("floor"), oursByFloor };
  }
  return result;
}

async function rehearsalSpeed() {
  say("wall time of a rehearsal");
  await rehearse({ request: shapes["1+2"], seed: 1 });
  const walls: number[] = [];
  for (let seed = 2; seed < 12; seed++) {
    const began = performance.now();
    await rehearse({ request: shapes["1+2"], seed });
    walls.push(performance.now() - began);
  }
  const wallMs = Math.round(quantiles(walls).p50);
  return { wallMs, perSecond: Math.round(100_000 / wallMs) / 100 };
}

async function growth() {
  const rows: object[] = [];
  for (const workers of workerCounts) {
    say(`growth, ${workers} workers`);
    const { execution, callRecords, history, status } = await rehearse({
      request: { name: "orchid", workers: { count: workers } },
      seed: 1,
      scripts: "quick",
    });
    if (status !== "ready") throw new Error(`${workers} workers: ${status}`);
    const polls = history.filter(
      ({ type, details }) => type === "LambdaFunctionFailed" && details["error"] === "NotReadyError",
    ).length;
    // What the handlers call; each node's own reads of the bundle are its traffic, not ours.
    const calls = callRecords.filter(({ caller }) => caller.kind === "function").length;
    const statesEntered = history.filter(({ type }) => type.endsWith("StateEntered")).length;
    rows.push({
      workers,
      statesEntered,
      retries: execution.transitions - statesEntered,
      largestStateBytes: execution.largestStateBytes,
      calls,
      polls,
    });
  }
  return rows;
}

/** Milliseconds that a fresh Node takes to load a bundle; the middle of three. */
function loadMs(file: string): number {
  const code = `const t = performance.now(); await import(process.argv[1]); console.log(performance.now() - t); process.exit();`;
  const times = [1, 2, 3].map(() => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--input-type=module", "-e", code, `${process.cwd()}/${file}`],
      { encoding: "utf8" },
    );
    if (status !== 0) throw new Error(`${file} does not load: ${stderr}`);
    return Number(stdout);
  });
  return Math.round(quantiles(times).p50);
}

async function bundles() {
  say("bundles");
  const built = await buildHandlers();
  const rows: object[] = [];
  for (const { name: handler } of catalogue) {
    const ours = built.get(handler);
    if (ours === undefined) throw new Error(`${handler} was not built`);
    const plain = await buildDefault(handler);
    rows.push({
      handler,
      bytes: ours.bytes,
      loadMs: loadMs(ours.file),
      defaultBytes: plain.bytes,
      defaultLoadMs: loadMs(plain.file),
    });
  }
  return rows;
}

if (values.help) console.log(help);
else {
  const result = {
    rehearsal: await rehearsalSpeed(),
    virtual: await virtual(),
    growth: await growth(),
    bundles: await bundles(),
  };
  if (values.json) console.log(JSON.stringify(result));
  else {
    console.table([result.rehearsal]);
    for (const [shape, designs] of Object.entries(result.virtual))
      console.table(Object.entries(designs).map(([design, figures]) => ({ shape, design, ...figures })));
    console.table(result.growth);
    console.table(result.bundles);
  }
}
process.stdout.write("", () => process.exit());
