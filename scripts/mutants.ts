import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type Defect, defects, mutated } from "../rehearsal/mutants/defect.ts";
import { firstSign, partNames, type Sign } from "../rehearsal/mutants/suite.ts";
import { inCopy, textOf } from "../rehearsal/mutants/tree.ts";
import { UsageError, wholeNumber } from "./options.ts";

const help = `Usage: npm run mutants -- [options]

Puts one seeded defect after another into a copy of the product, and runs the suite there until something notices it:
${partNames.join(", ")}. The unchanged product goes first: it must pass.

  --only TEXT   the defects whose name or file holds this text
  --draw N      so many, drawn by --seed
  --seed TEXT   of the draw, such as a commit's hash (default 1)
  --json        one JSON object
  --help        this text

Exit: 0 at most one defect in twenty survives, 1 more do or the product itself does not pass, 2 the options are wrong.`;

/** Two of forty (the project's own bound). */
const survivorShare = 1 / 20;

/** The whole suite takes a minute on an idle machine. */
const controlLimitSeconds = 900;

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

async function timed(defect: Defect | null, limitSeconds: number): Promise<Told> {
  const began = performance.now();
  const noticed = await inCopy(defect, (folder) => firstSign(folder, limitSeconds));
  const { name, file } = defect ?? { name: "none: the product as it is", file: "" };
  return { name, file, noticed, seconds: Math.round((performance.now() - began) / 100) / 10 };
}

/** As many at a time as the machine has cores. */
async function tellAll(wanted: readonly Defect[], limitSeconds: number, onTold: (told: Told) => void): Promise<Told[]> {
  const open = [...wanted];
  const all: Told[] = [];
  const work = async () => {
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      const told = await timed(next, limitSeconds);
      all.push(told);
      onTold(told);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return all;
}

const line = ({ name, noticed, seconds }: Told): string =>
  `${noticed === null ? "SURVIVES" : noticed.part.padEnd(10)}  ${seconds.toFixed(1).padStart(5)} s  ${name.padEnd(58)}  ${noticed?.sign.slice(0, 120) ?? ""}`;

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
  const control = await timed(null, controlLimitSeconds);
  if (control.noticed !== null) {
    console.error(`the product as it is does not pass: ${control.noticed.part}: ${control.noticed.sign}`);
    return 1;
  }
  // One part may take twice as long as the whole suite did: on a busy machine nothing is taken for endless that is only slow.
  const told = await tellAll(wanted, control.seconds * 2, say);
  const survivors = told.filter(({ noticed }) => noticed === null);
  const seconds = Math.round((performance.now() - began) / 1000);
  const result = { defects: told.length, noticed: told.length - survivors.length, seconds, told };
  if (options.json) console.log(JSON.stringify(result));
  else {
    console.log(
      `${result.noticed} of ${result.defects} defects noticed in ${seconds} s (the product as it is: ${control.seconds} s)`,
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
