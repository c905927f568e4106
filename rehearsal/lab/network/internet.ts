import { createServer } from "node:http";

/** The pretend Internet, a process in a namespace of its own: every address of it answers, and says so. */
const servers = [80, 443].map((port) => createServer((_, response) => response.end("the Internet\n")).listen(port, "0.0.0.0"));
await Promise.all(servers.map((server) => new Promise((resolve) => server.once("listening", resolve))));
process.send?.("ready");
// Whoever started it is gone: nothing of it may stay.
process.on("disconnect", () => process.exit());
