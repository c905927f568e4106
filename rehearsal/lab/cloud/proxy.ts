import { createServer, type IncomingMessage, type RequestListener, request, type Server, type ServerResponse } from "node:http";

/** One call as it came: who signed it, for which service. Calls that nobody signed have neither. */
export interface Call {
  readonly accessKeyId: string;
  readonly service: string;
  /** `AmazonSSM.SendCommand` or `Action=RunInstances`, by their operation; of S3 the method alone. */
  readonly operation: string;
  readonly body: Buffer;
  readonly path: string;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers a call itself, or leaves it to moto with null. */
export type Desk = (call: Call) => Promise<Answer | null>;

const scope = /Credential=([^/]+)\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/;
/** Bodies of S3 are passed on as they come, some being archives; all others are small. */
const bodyMax = 4 * 2 ** 20;

export interface ProxyOptions {
  readonly motoPort: number;
  readonly desks: readonly Desk[];
  /** Answers what it can of S3, and says whether it did. */
  objects(incoming: IncomingMessage, outgoing: ServerResponse): boolean;
  /** After a call that may have changed something. */
  changed(call: Call): void;
}

/** The one place where all calls arrive: routed on the credential scope of their signature, as AWS routes on the host. */
export function proxyListener({ motoPort, desks, objects, changed }: ProxyOptions): RequestListener {
  return async (incoming, outgoing) => {
    try {
      const [, accessKeyId = "", service = ""] = scope.exec(incoming.headers.authorization ?? "") ?? [];
      if (service === "") return answer(outgoing, { status: 403, type: "text/plain", body: "no signature" });
      if (service === "s3") {
        if (!objects(incoming, outgoing)) forward(incoming, outgoing, null, motoPort);
        return;
      }
      const body = await read(incoming);
      const call: Call = { accessKeyId, service, operation: operationOf(incoming, body), body, path: incoming.url ?? "/" };
      for (const desk of desks) {
        const said = await desk(call);
        if (said !== null) return answer(outgoing, said);
      }
      if (!/^(Describe|Get|List)/.test(call.operation)) outgoing.once("finish", () => changed(call));
      forward(incoming, outgoing, body, motoPort);
    } catch (error) {
      answer(outgoing, { status: 500, type: "text/plain", body: String(error) });
    }
  };
}

function operationOf({ headers, method = "" }: IncomingMessage, body: Buffer): string {
  const target = headers["x-amz-target"];
  if (typeof target === "string") return target.split(".").at(-1) ?? "";
  return /(?:^|&)Action=(\w+)/.exec(body.toString("latin1"))?.[1] ?? method;
}

async function read(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length;
    if (bytes > bodyMax) throw new RangeError(`a body of more than ${bodyMax} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** AWS gives every answer an id; clients put it into their errors. */
let answered = 0;
function answer(outgoing: ServerResponse, { status, type, body, headers = {} }: Answer): void {
  outgoing.writeHead(status, { "content-type": type, "x-amzn-requestid": `lab-${++answered}`, ...headers });
  outgoing.end(body);
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer | null, port: number): void {
  const { method, url: path, headers } = incoming;
  const onward = request({ host: "127.0.0.1", port, method, path, headers }, (reply) => {
    outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(outgoing);
  });
  onward.on("error", (error) => answer(outgoing, { status: 502, type: "text/plain", body: `moto: ${error.message}` }));
  if (body === null) incoming.pipe(onward);
  else onward.end(body);
}

/** Listens where only this machine can call, on a port of the system's choice. */
export async function listenLoopback(listener: RequestListener): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the proxy has no port");
  return { server, port: address.port };
}

/** An answer of a JSON service, dates as the seconds that its protocol has. */
export function json(value: unknown): Answer {
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key, inner: unknown) {
    const raw = this[key];
    return raw instanceof Date ? raw.getTime() / 1000 : inner;
  });
  return { status: 200, type: "application/x-amz-json-1.1", body: text };
}

export const jsonError = (code: string, message: string): Answer => ({
  status: 400,
  type: "application/x-amz-json-1.1",
  body: JSON.stringify({ __type: code, message }),
  headers: { "x-amzn-errortype": code },
});
