import { strict as assert } from "node:assert";
import { after, before, describe, test } from "node:test";
import { ApiGateway } from "../../rehearsal/serve/api-gateway.ts";
import { type Served, serve } from "../../rehearsal/serve/server.ts";
import { Stage } from "../../rehearsal/stage.ts";
import { isDocumented } from "./document.ts";
import { type Letter, signedWithSecret, signedWithSigV4 } from "./signing.ts";

const orchid = JSON.stringify({ name: "orchid", workers: { count: 1 }, verify: { volume: false } });
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
