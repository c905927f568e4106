import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { inspect } from "node:util";
import { ApiGateway } from "../../rehearsal/serve/api-gateway.ts";
import { type Served, serve } from "../../rehearsal/serve/server.ts";
import { Stage } from "../../rehearsal/stage.ts";
import { isDocumented } from "./document.ts";
import { type Key, type Letter, signedWithSecret, signedWithSigV4 } from "./signing.ts";

const orchid = JSON.stringify({ name: "orchid", workers: { count: 1 }, verify: { volume: false } });
const [old, next, others] = ["o", "n", "x"].map((letter) => letter.repeat(40)) as [string, string, string];
const ticketing: Key = { id: "ticketing", secret: old };
const now = new Date("2026-11-24T12:00:00Z");
const build: Letter = { method: "POST", path: "/hmac/clusters", ticket: "CHG-1", body: orchid };
const rebuild: Letter = { method: "POST", path: "/hmac/clusters/orchid/rebuild", ticket: "CHG-2" };

type Change = Partial<Letter> & { readonly headers?: Readonly<Record<string, string>> };

async function opened(callers: Record<string, string[]> = { ticketing: [old, next], billing: [others] }) {
  const stage = await Stage.open({ request: JSON.parse(orchid), seed: 31, scripts: "quick" });
  const { clock } = stage.account.world.universe;
  const said: unknown[] = [];
  const keep = (...words: unknown[]) => said.push(...words);
  const log = { debug: keep, info: keep, warn: keep, error: keep };
  const gateway = new ApiGateway(stage, { principals: [], callers, mappings: { partners: "hmac" }, log, now: () => now });
  /** Sends one letter under another's signature, or with other headers. */
  async function send(letter: Letter, { key = ticketing, at = now, ...change }: Change & { key?: Key; at?: Date } = {}) {
    const { headers: others, ...parts } = change;
    const { method, path, query = "", body = "" } = { ...letter, ...parts };
    const headers = Object.entries({ ...signedWithSecret(letter, key, at), ...others });
    const arrived = { method, path, query: new URLSearchParams(query), headers, body: Buffer.from(body) };
    const answer = await clock.run(gateway.answer(arrived));
    const { location = null } = answer.headers;
    return { status: answer.status, location, body: JSON.parse(answer.body) as Record<string, unknown> };
  }
  return {
    send,
    logged: () => inspect(said, { depth: 10 }),
    executions: () => stage.account.world.stepFunctions.executions.size,
  };
}

describe("a caller who signs with a secret", () => {
  test("is let in by either of two, and his tickets are his key's, whichever of them he signs with", async () => {
    const { send, executions } = await opened();
    assert.equal((await send(build)).status, 202);
    assert.equal((await send(build, { key: { ...ticketing, secret: next } })).status, 202);
    assert.equal(executions(), 1);
    const look: Letter = { method: "GET", path: "/hmac/requests/CHG-1" };
    assert.equal((await send(look, { key: { ...ticketing, secret: next } })).status, 200);
    assert.equal((await send(look, { key: { id: "billing", secret: others } })).status, 404, "another's ticket");
  });

  test("is let in for five minutes before and after his timestamp, and no second longer", async () => {
    const { send } = await opened();
    const at = (seconds: number) =>
      send({ method: "GET", path: "/hmac/clusters" }, { at: new Date(now.getTime() + seconds * 1000) });
    assert.deepEqual([(await at(-300)).status, (await at(300)).status], [200, 200]);
    assert.deepEqual([(await at(-301)).status, (await at(301)).status], [401, 401]);
  });

  const changes: readonly (readonly [string, Letter, Change, number])[] = [
    ["the method", { ...rebuild, path: "/hmac/clusters/orchid" }, { method: "DELETE" }, 401],
    ["a rebuild's method and path", rebuild, { method: "DELETE", path: "/hmac/clusters/orchid" }, 401],
    ["a rebuild's method alone", rebuild, { method: "DELETE" }, 403],
    ["the path", rebuild, { path: "/hmac/clusters/violet/rebuild" }, 401],
    ["the query", build, { query: "dry=run" }, 401],
    ["the timestamp", build, { headers: { "X-Cloister-Timestamp": String(now.getTime() / 1000 - 1) } }, 401],
    ["the key", build, { headers: { "X-Cloister-Key": "billing" } }, 401],
    ["the ticket", build, { headers: { "Idempotency-Key": "CHG-9" } }, 401],
    ["a second ticket", build, { headers: { "idempotency-key": "CHG-9" } }, 401],
    ["the digest", build, { headers: { "Content-Digest": `sha-256=:${Buffer.alloc(32).toString("base64")}:` } }, 401],
    ["the signature", build, { headers: { "X-Cloister-Signature": "0".repeat(64) } }, 401],
    ["the body", build, { body: orchid.replace('"count":1', '"count":9') }, 400],
    ["the body, taken away", build, { body: "" }, 400],
    ["a body where none was signed", rebuild, { body: orchid }, 400],
    ["the stage", build, { path: "/v1/clusters" }, 403],
  ];
  for (const [part, letter, change, status] of changes)
    test(`is refused when ${part} was changed alone, and nothing starts`, async () => {
      const { send, executions } = await opened();
      const answer = await send(letter, change);
      assert.deepEqual([answer.status, executions()], [status, 0], JSON.stringify(answer.body));
    });

  test("leaves who called and why not in the log, and neither a secret nor a signature", async () => {
    const { send, logged } = await opened();
    await send(build);
    await send(build, { query: "x=1" });
    await send(build, { key: { id: "stranger", secret: others } });
    for (const words of [/request taken/, /key:ticketing/, /its signature is another/, /nobody has this key/])
      assert.match(logged(), words);
    const { "X-Cloister-Signature": signature = "?" } = signedWithSecret(build, ticketing, now);
    for (const secret of [old, next, others, signature]) assert.ok(!logged().includes(secret));
  });

  test("is refused without one of the three headers, with a key that nobody has, or with a secret that was taken out", async () => {
    const { send, executions } = await opened({ ticketing: [next] });
    for (const key of [ticketing, { id: "stranger", secret: others }, { id: "__proto__", secret: others }])
      assert.equal((await send(build, { key })).status, 401, key.id);
    for (const header of ["Key", "Timestamp", "Signature"])
      assert.equal((await send(build, { headers: { [`X-Cloister-${header}`]: "" } })).status, 401, header);
    assert.equal(executions(), 0);
  });

  test("finds an example in the manual that is signed as it says", () => {
    const manual = readFileSync(new URL("../../docs/operating.md", import.meta.url), "utf8");
    const [, text = ""] = /```\n(CLOISTER-HMAC-SHA256\n[^`]+)\n```/.exec(manual) ?? [];
    const [, secret = "", body = "", signature = ""] =
      /With the secret `([^`]+)` and the body `([^`]+)`[^`]+`([0-9a-f]{64})`/.exec(manual) ?? [];
    const [, method = "", path = "", timestamp = "", key = "", ticket = ""] = text.split("\n");
    const headers = signedWithSecret({ method, path, ticket, body }, { id: key, secret }, new Date(Number(timestamp) * 1000));
    assert.equal(headers["X-Cloister-Signature"], signature);
    assert.equal(headers["Content-Digest"], text.split("\n").at(-1));
  });

  test("signs the path of a custom domain where he calls that, and is told to look there", async () => {
    const { send } = await opened();
    const mapped = { ...build, path: "/partners/clusters" };
    assert.deepEqual((await send(mapped)).location, "/partners/requests/CHG-1");
    assert.equal((await send({ method: "GET", path: "/partners/requests/CHG-1" })).status, 200);
    assert.equal((await send(build, { path: mapped.path })).status, 401, "signed for the other address");
  });

  test("signs a query in one order, whatever order it is sent in", async () => {
    const { send } = await opened();
    const look: Letter = { method: "GET", path: "/hmac/clusters", query: "a=1&b=two%20words%21" };
    assert.equal((await send(look, { query: "b=two+words!&a=1" })).status, 200);
  });

  test("meets a failure, and no open door, when the secrets are not as they should be", async () => {
    const { send, executions, logged } = await opened({ ticketing: ["a-short-one"] });
    assert.equal((await send(build, { key: { ...ticketing, secret: "a-short-one" } })).status, 500);
    assert.equal(executions(), 0);
    assert.match(logged(), /not as docs\/operating\.md says/);
    assert.doesNotMatch(logged(), /a-short-one/);
  });
});

const principal = {
  accessKeyId: "VIRTUALTICKETING0001",
  secretAccessKey: "virtual-secret-access-key",
  userArn: "arn:aws:sts::111122223333:assumed-role/Ticketing/session-1",
};
const key = { id: "ticketing", secret: "virtual-secret-of-the-ticketing-system" };

/** One of the two APIs, and how its callers sign. */
interface Kind {
  readonly door: "v1" | "hmac";
  /** How a request is refused whose signature does not hold. */
  readonly refusedWith: number;
  /** What a changed body meets: the authorizer sees none, so there it is the handler. */
  readonly changedBody: number;
  sign(letter: Letter, host: string, now: Date): Promise<Record<string, string>>;
}
const kinds: readonly Kind[] = [
  { door: "v1", refusedWith: 403, changedBody: 403, sign: (letter, host, now) => signedWithSigV4(letter, host, principal, now) },
  { door: "hmac", refusedWith: 401, changedBody: 400, sign: async (letter, _, now) => signedWithSecret(letter, key, now) },
];

for (const { door, refusedWith, changedBody, sign } of kinds)
  describe(`over HTTP, a system that calls /${door}`, () => {
    let stage: Stage;
    let served: Served;
    const executions = () => stage.account.world.stepFunctions.executions.size;
    const now = () => new Date(stage.account.world.universe.clock.now());

    before(async () => {
      stage = await Stage.open({ request: JSON.parse(orchid), seed: 41, scripts: "quick" });
      const gateway = new ApiGateway(stage, { principals: [principal], callers: { [key.id]: [key.secret] }, now });
      // Time stands still between requests, and moves with nothing but the tests.
      served = await serve(gateway, { port: 0, drive: (answer) => stage.account.world.universe.clock.run(answer) });
    });
    after(() => served.close());

    /** What is signed, and what is sent: the same, unless somebody changed it on the way. */
    async function send(letter: Letter, { at = now(), ...change }: Partial<Letter> & { at?: Date } = {}) {
      const { host: own } = new URL(served.url);
      const { host: _, ...headers } = await sign({ ...letter, path: `/${door}${letter.path}` }, own, at);
      const { method, path, body } = { ...letter, ...change };
      const sent = { method, headers: { ...headers, "content-type": "application/json" }, ...(body !== undefined && { body }) };
      const response = await fetch(`${served.url}/${door}${path}`, sent);
      const [type, text] = [response.headers.get("content-type") ?? "", await response.text()];
      const answer = { status: response.status, type, body: JSON.parse(text) as Record<string, unknown> };
      isDocumented(method, path, body === undefined ? undefined : JSON.parse(body), answer);
      return { ...answer, location: response.headers.get("location") };
    }

    const build: Letter = { method: "POST", path: "/clusters", ticket: "CHG-1", body: orchid };
    const rebuild: Letter = { method: "POST", path: "/clusters/orchid/rebuild", ticket: "CHG-2" };

    async function ended(location: string | null): Promise<unknown> {
      for (let looks = 0; looks < 60; looks++) {
        const { body } = await send({ method: "GET", path: location?.replace(`/${door}`, "") ?? "" });
        if (body["state"] !== "RUNNING") return body["state"];
        await stage.pass(30);
      }
      return assert.fail("it never ended");
    }

    test("leaves nothing behind with a request that is late, early, changed, too large, or not signed at all", async () => {
      const shifted = (seconds: number) => send(build, { at: new Date(now().getTime() + seconds * 1000) });
      for (const seconds of [-301, 301]) assert.equal((await shifted(seconds)).status, refusedWith, `${seconds} s`);
      const violet = orchid.replace("orchid", "violet");
      assert.equal((await send(build, { body: violet })).status, changedBody, "another body");
      assert.equal((await send(rebuild, { path: "/clusters/violet/rebuild" })).status, refusedWith, "another path");
      const bare = { ...rebuild, path: "/clusters/orchid" };
      assert.equal((await send(bare, { method: "DELETE" })).status, refusedWith, "another method");
      assert.equal(
        (await send(rebuild, { method: "DELETE", path: "/clusters/orchid" })).status,
        refusedWith,
        "a rebuild as a destroy",
      );
      assert.equal((await send({ ...build, body: JSON.stringify({ text: "x".repeat(40_000) }) })).status, 413, "for us");
      assert.equal(
        (await send({ ...build, body: JSON.stringify({ text: "x".repeat(11_000_000) }) })).status,
        413,
        "for API Gateway",
      );
      const unsigned = await fetch(`${served.url}/${door}/clusters`, { method: "POST", body: orchid });
      assert.equal(unsigned.status, refusedWith, "unsigned");
      assert.match(unsigned.headers.get("content-type") ?? "", /problem\+json/);
      assert.equal(executions(), 0);
    });

    test("builds, polls, reads the certificate, sends its ticket again, rebuilds and destroys", async () => {
      const accepted = await send(build);
      assert.deepEqual([accepted.status, accepted.location], [202, `/${door}/requests/CHG-1`]);
      assert.equal(await ended(accepted.location), "SUCCEEDED");
      assert.equal((await send({ method: "GET", path: "/clusters/orchid/certificate" })).body["isolated"], true);
      assert.equal((await send(build)).status, 202, "the same request once more");
      assert.equal(executions(), 1);
      assert.equal((await send({ ...build, body: orchid.replace('"count":1', '"count":2') })).status, 409);
      assert.equal(await ended((await send(rebuild)).location), "SUCCEEDED");
      assert.equal((await send({ method: "GET", path: "/clusters/orchid" })).body["current"], 2);
      const destroyed = await send({ method: "DELETE", path: "/clusters/orchid", ticket: "CHG-3" });
      assert.equal(await ended(destroyed.location), "SUCCEEDED");
      assert.equal((await send({ method: "GET", path: "/clusters/orchid" })).body["current"], null);
    });
  });
