import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { type Identity, metadata } from "./metadata.ts";
import { metadataAddress } from "./rules.ts";
import type { BalancerState } from "./state.ts";
import { TargetHealth } from "./target-health.ts";

/**
 * What answers inside one VPC's namespace, where this file runs as a process of its own: endpoints and S3 by way of a socket file,
 * instance metadata by the caller's address, load balancers by their targets.
 */
export interface GatewayOrder {
  /** Addresses on which AWS answers over TLS. */
  readonly services: readonly string[];
  readonly balancers: readonly BalancerState[];
  /** Divides what AWS waits between two health checks. */
  readonly scale: number;
  /** The host whose API whoever keeps the lab may call, through a socket file of its own. */
  readonly api: string | null;
  /** By address. */
  readonly identities: Readonly<Record<string, Identity>>;
}

const [socketPath = "", apiSocket = ""] = process.argv.slice(2);
const listeners = new Map<string, Server>();
let order: GatewayOrder = { services: [], balancers: [], scale: 1, api: null, identities: {} };
const health = new TargetHealth((seconds) => pause((seconds * 1000) / order.scale));

/** Either end that goes takes the other with it. */
function join(client: Socket, upstream: Socket): void {
  client.pipe(upstream);
  upstream.pipe(client);
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}

let turn = 0;

/** To the next healthy target in turn. One that does not take the connection is not another's business: so is the call lost on AWS. */
function balance(client: Socket, address: string, port: number): void {
  const balancer = order.balancers.find(({ addresses }) => addresses.some((one) => one.address === address));
  const listener = balancer?.listeners.find((one) => one.port === port);
  const targets = listener === undefined ? [] : health.open(listener.targets, listener.check);
  const target = targets[turn++ % Math.max(targets.length, 1)];
  if (target === undefined) client.destroy();
  else join(client, connect({ host: target.address, port: target.port, localAddress: address }));
}

/** Makes the listeners what the order wants, by `address:port`. */
function follow(): void {
  const wanted = new Map<string, (client: Socket) => void>();
  for (const address of order.services) wanted.set(`${address}:443`, (client) => join(client, connect(socketPath)));
  for (const { addresses, listeners: ports } of order.balancers) {
    for (const { address } of addresses)
      for (const { port } of ports) wanted.set(`${address}:${port}`, (client) => balance(client, address, port));
  }
  for (const [key, server] of listeners) {
    if (wanted.has(key)) continue;
    server.close();
    listeners.delete(key);
  }
  for (const [key, serve] of wanted) {
    if (listeners.has(key)) continue;
    const [host, port] = key.split(":") as [string, string];
    const server = createServer(serve);
    server.on("error", (error) => console.error(`${key}: ${error.message}`));
    server.listen(Number(port), host);
    listeners.set(key, server);
  }
}

createServer((client) => {
  if (order.api === null) client.destroy();
  else join(client, connect({ host: order.api, port: 6443 }));
}).listen(apiSocket);

const metadataServer = createHttpServer((request, response) => {
  const identity = order.identities[request.socket.remoteAddress ?? ""];
  if (identity === undefined) return void response.writeHead(404).end();
  const given = request.headers["x-aws-ec2-metadata-token"];
  const { status, body, headers } = metadata(
    identity,
    request.method ?? "",
    request.url ?? "",
    typeof given === "string" ? given : undefined,
    new Date(),
  );
  response.writeHead(status, headers).end(body);
});
metadataServer.listen(80, metadataAddress, () => process.send?.("ready"));

process.on("message", (message: GatewayOrder) => {
  order = message;
  health.follow(order.balancers);
  follow();
  process.send?.("done");
});
// Whoever started it is gone: nothing of it may stay.
process.on("disconnect", () => process.exit());
