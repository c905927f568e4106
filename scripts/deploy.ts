import { ownHost } from "./cloister/host.ts";
import { cloister } from "./cloister/program.ts";

process.exitCode = await cloister(["deploy", ...process.argv.slice(2)], ownHost());
