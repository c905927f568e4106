import { parts } from "./looks.ts";

/** `node look.ts PART [NAME]`: looks until something is wrong, and says what, as one line of JSON. Exit: 0 nothing is wrong, 1 something is. */
const part = process.argv[2] as keyof typeof parts;
const only = process.argv[3];

async function firstSign(): Promise<string | null> {
  let name = part as string;
  try {
    for await (const one of parts[part]()) {
      if (only !== undefined && one.name !== only) continue;
      name = one.name;
      const began = performance.now();
      const sign = await one.look();
      if (process.env["LOOK_TIMES"] !== undefined) console.error(`${name}: ${Math.round(performance.now() - began)} ms`);
      if (sign !== null) return `${name}: ${sign}`;
    }
    return null;
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const sign = await firstSign();
if (sign !== null) process.stdout.write(`${JSON.stringify({ sign })}\n`);
// Scripts of nodes that still run in virtual time hold real timers.
process.stdout.write("", () => process.exit(sign === null ? 0 : 1));
