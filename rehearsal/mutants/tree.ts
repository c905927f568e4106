import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Defect, mutated } from "./defect.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));
/** What the suite reads. */
const parts = ["functions", "infra", "rehearsal", "scripts", "statemachine", "test", "package.json", "cdk.json", "docs"];

/** Does something with a copy of the product that has the defect (null: none) in it. The product itself is only read. */
export async function inCopy<T>(defect: Defect | null, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "cloister-mutant-"));
  try {
    for (const part of parts) cpSync(join(project, part), join(folder, part), { recursive: true });
    symlinkSync(join(project, "node_modules"), join(folder, "node_modules"));
    if (defect !== null) {
      const file = join(folder, defect.file);
      writeFileSync(file, mutated(readFileSync(file, "utf8"), defect));
    }
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The product's own text of a file. */
export const textOf = (file: string): string => readFileSync(join(project, file), "utf8");
