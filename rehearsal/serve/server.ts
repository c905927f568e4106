import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Answer, type ApiGateway, bodyBytesMax } from "./api-gateway.ts";
import type { Arrived } from "./events.ts";

export interface ServeOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  /** Moves virtual time while an answer is being worked on; where something else moves it, gives the answer as it is. */
  drive(answer: Promise<Answer>): Promise<Answer>;
  /** Told of each request and how it was answered. */
  readonly onAnswer?: (arrived: Arrived, answer: Answer) => void;
}

export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

/** The whole body, or as much of it as shows that it is too large; the rest is read and dropped, so that the caller hears the answer. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (bytes <= bodyBytesMax) chunks.push(chunk);
    bytes += chunk.length;
  }
  return Buffer.concat(chunks);
}

async function arrivedBy(request: IncomingMessage): Promise<Arrived> {
  const { method = "", url = "", rawHeaders } = request;
  const [path = "", ...query] = url.split("?");
  const headers = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""] as const] : []));
  return { method, path, query: new URLSearchParams(query.join("?")), headers, body: await bodyOf(request) };
}

/** Puts the two APIs on a port of this machine's own; nobody else reaches it. */
export async function serve(gateway: ApiGateway, { port, drive, onAnswer }: ServeOptions): Promise<Served> {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const arrived = await arrivedBy(request);
    const answer = await drive(gateway.answer(arrived));
    onAnswer?.(arrived, answer);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
