import { parseArgs } from "node:util";
import { type Answer, ApiGateway } from "../rehearsal/serve/api-gateway.ts";
import type { Arrived } from "../rehearsal/serve/events.ts";
import { examples } from "../rehearsal/serve/examples.ts";
import { keepPace } from "../rehearsal/serve/pace.ts";
import { type Served, serve } from "../rehearsal/serve/server.ts";
import { Stage } from "../rehearsal/stage.ts";
import { UsageError, usage, wholeNumber } from "./options.ts";

const help = `Usage: npm run serve -- [options]

Serves the API on 127.0.0.1 before a virtual AWS: the shipped router, authorizer, state machines, handlers and node scripts. Requests have to be
signed as they have to be in an account, with keys that it prints; examples to paste are printed, too. Virtual time runs along with real time; times in answers are virtual.

  --port N    the port, 0 for any that is free (default 8080)
  --speed N   virtual seconds in a real one, 1 to 3600 (default 20: a build takes about 20 seconds)
  --seed N    the chance behind every duration (default 1)
  --json      prints one line, an object with the address and the keys, once it listens
  --help      this text

It runs until it is interrupted. Exit: 0 it was, 2 the options are wrong or the port is taken.`;

/** Good for nothing outside of this process. */
const principal = {
  accessKeyId: "VIRTUALTICKETING0001",
  secretAccessKey: "virtual-secret-access-key",
  userArn: "arn:aws:sts::111122223333:assumed-role/Ticketing/serve",
};
const key = { id: "ticketing", secret: "virtual-secret-of-the-ticketing-system" };

interface Options {
  readonly port: number;
  readonly speed: number;
  readonly seed: number;
  readonly isJson: boolean;
}

function readOptions(args: readonly string[]): Options | "help" {
  const options = {
    port: { type: "string", default: "8080" },
    speed: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  } as const;
  const { values } = usage(() => parseArgs({ args: [...args], options, strict: true }));
  if (values.help) return "help";
  return {
    port: wholeNumber("--port", values.port, 0, 65_535),
    speed: wholeNumber("--speed", values.speed, 1, 3600),
    seed: wholeNumber("--seed", values.seed),
    isJson: values.json,
  };
}

/** On the port, or with the reason why not. */
async function listen(gateway: ApiGateway, { port, isJson }: Options): Promise<Served> {
  const onAnswer = ({ method, path }: Arrived, { status }: Answer) => console.log(`${method} ${path} ${status}`);
  try {
    return await serve(gateway, { port, drive: (answer) => answer, ...(!isJson && { onAnswer }) });
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw new UsageError(`--port ${port}: ${error.message}`);
  }
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    console.log(help);
    return;
  }
  const { speed, seed, isJson } = options;
  const stage = await Stage.open({ request: {}, seed });
  const { region } = stage.account.deployment;
  const callers = { [key.id]: [key.secret] };
  const gateway = new ApiGateway(stage, { principals: [principal], callers, now: () => new Date() });
  const { url, close } = await listen(gateway, options);
  stage.attend();
  const pace = keepPace(stage.account.world.universe.clock, speed);
  const door = { url, region, principal, key };
  if (isJson) console.log(JSON.stringify(door));
  else
    console.log(`Serving ${url} before a virtual AWS, ${speed} virtual seconds a second. Ctrl-C ends it.\n\n${examples(door)}\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  pace.stop();
  await close();
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\nSee npm run serve -- --help.`);
  process.exitCode = 2;
}
// Scripts of nodes that still run in virtual time hold real timers.
process.stdout.write("", () => process.exit());
