import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { archives } from "../../rehearsal/lab/cloud/archives.ts";
import { type Call, type Desk, json, jsonError, listenLoopback, proxyListener } from "../../rehearsal/lab/cloud/proxy.ts";

const signed = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=AKIALAB/20261124/us-west-2/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});

describe("the one place where all calls arrive", () => {
  const folder = mkdtempSync(join(tmpdir(), "cloister-proxy-"));
  const changes: string[] = [];
  const desk: Desk = async ({ service, operation }) => {
    if (service !== "ssm") return null;
    return operation === "SendCommand" ? json({ at: new Date(1500) }) : jsonError("InvalidDocument", "no");
  };
  let [moto, proxy]: (Server | undefined)[] = [];
  let url = "";

  before(async () => {
    mkdirSync(join(folder, "images"));
    writeFileSync(join(folder, "images/a.tar"), "0123456789");
    // Stands for moto: it says what reached it.
    const backend = createServer((request, response) => response.end(`moto ${request.method} ${request.url}`));
    moto = backend;
    await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
    const { port: motoPort } = backend.address() as AddressInfo;
    const changed = ({ operation }: Call) => changes.push(operation);
    const listening = await listenLoopback(
      proxyListener({ motoPort, desks: [desk], objects: archives("bundles", "1.36.3/", folder, (_, file) => file), changed }),
    );
    proxy = listening.server;
    url = `http://127.0.0.1:${listening.port}`;
  });
  after(() => {
    for (const server of [moto, proxy]) server?.close().closeAllConnections();
    rmSync(folder, { recursive: true });
  });

  const call = (service: string, operation: string) =>
    fetch(url, { method: "POST", headers: signed(service), body: `Action=${operation}&Version=1` }).then((answer) =>
      answer.text(),
    );

  test("a call is routed by the service that its signature names, and one without a signature is refused", async () => {
    assert.equal(await call("ec2", "DescribeVpcs"), "moto POST /");
    const target = { "x-amz-target": "AmazonSSM.SendCommand", ...signed("ssm") };
    assert.equal(await (await fetch(url, { method: "POST", headers: target, body: "{}" })).text(), '{"at":1.5}');
    assert.equal((await fetch(url)).status, 403);
  });

  test("a desk's refusal carries AWS's code where SDKs look for it", async () => {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "x-amz-target": "AmazonSSM.Other", ...signed("ssm") },
      body: "{}",
    });
    assert.deepEqual([answer.status, answer.headers.get("x-amzn-errortype")], [400, "InvalidDocument"]);
  });

  test("what may have changed something is told of, and what only reads is not", async () => {
    changes.length = 0;
    await call("ec2", "DescribeSubnets");
    await call("ec2", "CreateSubnet");
    assert.deepEqual(changes, ["CreateSubnet"]);
  });

  test("archives come from their folder, whole or in pieces, and everything else of S3 from moto", async () => {
    const get = (path: string, headers = {}) => fetch(`${url}${path}`, { headers: { ...signed("s3"), ...headers } });
    assert.equal(await (await get("/bundles/1.36.3/images/a.tar")).text(), "0123456789");
    const piece = await get("/bundles/1.36.3/images/a.tar", { range: "bytes=2-4" });
    assert.deepEqual([piece.status, piece.headers.get("content-range"), await piece.text()], [206, "bytes 2-4/10", "234"]);
    for (const path of ["/bundles/1.36.3/bundle.json", "/bundles/1.36.3/images/none.tar", "/bundles/1.36.3/images/..%2Fsecret"])
      assert.match(await (await get(path)).text(), /^moto GET/, path);
  });
});
