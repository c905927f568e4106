import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type Defect, defects, mutated } from "../rehearsal/mutants/defect.ts";
import { firstSign, partNames, type Sign } from "../rehearsal/mutants/suite.ts";
import { inCopy, textOf } from "../rehearsal/mutants/tree.ts";
import { UsageError, wholeNumber } from "./options.ts";

const help = `Usage: npm run mutants -- [options]

Puts one seeded defect after another into a copy of the product, and runs there what is to notice it soonest, then the whole suite until
something does: ${partNames.join(", ")}. The unchanged product must pass all of it.

  --only TEXT   the defects whose name or file holds this text
  --draw N      so many, drawn by --seed
  --seed TEXT   of the draw, such as a commit's hash (default 1)
  --json        one JSON object
  --help        this text

Exit: 0 at most one defect in twenty survives, 1 more do or the product itself does not pass, 2 the options are wrong.`;

/** Two of forty (the project's own bound). */
const survivorShare = 1 / 20;

/** Not a defect: the copy in which nothing may be wrong. */
const control = "none: the product as it is";

interface Told {
  readonly name: string;
  readonly file: string;
  /** What noticed it; null for a survivor. */
  readonly noticed: Sign | null;
  readonly seconds: number;
}

function readOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: "string", default: "" },
        draw: { type: "string" },
        seed: { type: "string", default: "1" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    return { ...values, draw: values.draw === undefined ? null : wholeNumber("--draw", values.draw, 1) };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
  }
}

/** The same seed draws the same, whatever the defects' order; another one draws others. */
function chosen({ only, draw, seed }: ReturnType<typeof readOptions>): readonly Defect[] {
  const wanted = defects.filter(({ name, file }) => name.includes(only) || file.includes(only));
  if (wanted.length === 0) throw new UsageError(`no defect's name or file holds ${only}`);
  if (draw === null) return wanted;
  const lot = ({ name }: Defect) => createHash("sha256").update(`${seed}/${name}`).digest("hex");
  return wanted.toSorted((a, b) => (lot(a) < lot(b) ? -1 : 1)).slice(0, draw);
}

async function timed(defect: Defect | null): Promise<Told> {
  const began = performance.now();
  const noticed = await inCopy(defect, (folder) => firstSign(folder, defect?.soonest ?? null));
  const { name, file } = defect ?? { name: control, file: "" };
  return { name, file, noticed, seconds: Math.round((performance.now() - began) / 100) / 10 };
}

/** As many at a time as the machine has cores; the product as it is, which takes longest, first. */
async function tellAll(wanted: readonly Defect[], onTold: (told: Told) => void): Promise<Told[]> {
  const open = [null, ...wanted];
  const all: Told[] = [];
  const work = async () => {
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      const told = await timed(next);
      all.push(told);
      onTold(told);
      // With a product that does not pass nothing says anything about a defect.
      if (next === null && told.noticed !== null) open.length = 0;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return all;
}

const line = ({ name, noticed, seconds }: Told): string =>
  `${(noticed?.part ?? (name === control ? "passes" : "SURVIVES")).padEnd(24)}  ${seconds.toFixed(1).padStart(5)} s  ${name.padEnd(58)}  ${noticed?.sign.slice(0, 120) ?? ""}`;

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(help);
    return 0;
  }
  const wanted = chosen(options);
  // All of them before any runs, and also those that are not drawn: a refactoring must not disarm one in silence.
  for (const defect of defects) mutated(textOf(defect.file), defect);
  const say = (told: Told) => (options.json ? undefined : console.log(line(told)));
  const began = performance.now();
  const all = await tellAll(wanted, say);
  const [told, asItIs] = [all.filter(({ name }) => name !== control), all.find(({ name }) => name === control)];
  if (asItIs?.noticed !== null) {
    console.error(`the product as it is does not pass: ${asItIs?.noticed.part}: ${asItIs?.noticed.sign}`);
    return 1;
  }
  const survivors = told.filter(({ noticed }) => noticed === null);
  const seconds = Math.round((performance.now() - began) / 1000);
  const result = { defects: told.length, noticed: told.length - survivors.length, seconds, told };
  if (options.json) console.log(JSON.stringify(result));
  else {
    console.log(
      `${result.noticed} of ${result.defects} defects noticed in ${seconds} s (the product as it is: ${asItIs.seconds} s)`,
    );
    for (const { name, file } of survivors) console.log(`survives: ${name} (${file})`);
  }
  return survivors.length <= told.length * survivorShare ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\nSee npm run mutants -- --help.`);
  process.exitCode = 2;
}
