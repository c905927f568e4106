import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { paths } from "../../functions/api/paths.ts";
import { canonicalJson } from "../../functions/domain/ticket.ts";
import { Stage } from "../../rehearsal/stage.ts";
import type { FaultRule } from "../../rehearsal/world/fault-rule.ts";
import { document } from "./document.ts";
import { frontDoor } from "./front-door.ts";

const orchid = { name: "orchid", workers: { count: 1 }, verify: { volume: false } };

interface Progress {
  readonly execution: string;
  readonly state: string;
  readonly since: string;
  readonly entered: number;
}

async function opened(scripts: "quick" | "interpreted" = "quick", faults: readonly FaultRule[] = []) {
  const stage = await Stage.open({ request: orchid, seed: 21, scripts, faults });
  const { stepFunctions } = stage.account.world;
  const executions = () => [...stepFunctions.executions.keys()];
  /** Until nothing runs any more. */
  const settle = async () => {
    for (const execution of stepFunctions.executions.values()) await stage.account.world.universe.clock.run(execution.done);
  };
  return { stage, executions, settle, call: frontDoor(stage) };
}

describe("a ticketing system", () => {
  test("builds, polls, reads the certificate, rebuilds and destroys, each by one ticket", async () => {
    const { call, executions, settle, stage } = await opened();
    const accepted = await call("POST", "/clusters", { ticket: "CHG-1", body: orchid });
    assert.deepEqual([accepted.status, accepted.location], [202, "/v1/requests/CHG-1"]);
    const running = await call("GET", "/requests/CHG-1");
    assert.deepEqual([running.body["state"], running.body["action"], running.body["cluster"]], ["RUNNING", "build", "orchid"]);
    await stage.pass(120);
    const begun = (await call("GET", "/requests/CHG-1")).body["progress"] as Progress;
    assert.match(begun.execution, /:build-cluster:ticket-/);
    await stage.pass(60);
    const later = (await call("GET", "/requests/CHG-1")).body["progress"] as Progress;
    assert.ok(begun.entered > 5 && later.entered > begun.entered, `${begun.entered}, then ${later.entered}`);
    assert.ok(later.since > begun.since && later.state !== begun.state, `${begun.state}, then ${later.state}`);
    assert.equal((await call("GET", "/clusters/orchid/certificate")).status, 404, "not before it is proved");

    await settle();
    const { body: ready } = await call("GET", "/requests/CHG-1");
    assert.equal(ready["state"], "SUCCEEDED");
    assert.equal((ready["progress"] as Progress).state, "ClusterReady");
    assert.equal((ready["links"] as Record<string, unknown>)["certificate"], "/v1/clusters/orchid/certificate");
    const cluster = await call("GET", "/clusters/orchid");
    assert.deepEqual([cluster.body["current"], cluster.body["isWorkedOn"]], [1, false]);
    assert.deepEqual((await call("GET", "/clusters")).body["clusters"], [cluster.body]);
    const certificate = await call("GET", "/clusters/orchid/certificate");
    assert.equal(certificate.body["isolated"], true);

    assert.equal((await call("POST", "/clusters/orchid/rebuild", { ticket: "CHG-2" })).status, 202);
    await stage.pass(200);
    const nested = (await call("GET", "/requests/CHG-2")).body["progress"] as Progress;
    assert.match(nested.execution, /:build-cluster:orchid-g2-/, "the build that the rebuild waits for");
    await settle();
    assert.equal((await call("GET", "/clusters/orchid")).body["current"], 2);
    assert.equal((await call("DELETE", "/clusters/orchid", { ticket: "CHG-3" })).status, 202);
    await settle();
    assert.equal((await call("GET", "/clusters/orchid")).body["current"], null);
    const { body: destroyed } = await call("GET", "/requests/CHG-3");
    assert.equal((destroyed["links"] as Record<string, unknown>)["certificate"], null);
    for (const ticket of ["CHG-1", "CHG-2", "CHG-3"]) {
      const { body } = await call("GET", `/requests/${ticket}`);
      assert.deepEqual([body["state"], body["failure"]], ["SUCCEEDED", null], ticket);
    }
    assert.equal(executions().filter((arn) => arn.includes(":ticket-")).length, 3);
  });

  test("that sends a ticket twice gets one build, in whatever order its fields come and whichever session sends it", async () => {
    const { call, executions, settle } = await opened();
    const { name, ...rest } = orchid;
    const twin = { body: { ...rest, name }, userArn: "arn:aws:sts::111122223333:assumed-role/Ticketing/session-2" };
    for (const sent of [{ body: orchid }, twin])
      assert.equal((await call("POST", "/clusters", { ticket: "CHG-1", ...sent })).status, 202);
    await settle();
    assert.equal((await call("POST", "/clusters", { ticket: "CHG-1", ...twin })).status, 202, "when it is over, too");
    assert.equal(executions().length, 1);
  });

  test("that uses a ticket for something else is told of the conflict, and nothing starts", async () => {
    const { call, executions } = await opened();
    await call("POST", "/clusters", { ticket: "CHG-1", body: orchid });
    const others = [
      await call("POST", "/clusters", { ticket: "CHG-1", body: { ...orchid, workers: { count: 2 } } }),
      await call("DELETE", "/clusters/orchid", { ticket: "CHG-1" }),
      await call("POST", "/clusters/orchid/rebuild", { ticket: "CHG-1" }),
    ];
    for (const { status, type } of others) assert.deepEqual([status, type], [409, "application/problem+json"]);
    assert.equal(executions().length, 1);
  });

  test("that looks before the history can be seen is told everything but the progress", async () => {
    const young = { operation: "GetExecutionHistory", code: "ExecutionDoesNotExist", nth: 1, after: false };
    const { call } = await opened("quick", [young]);
    await call("POST", "/clusters", { ticket: "CHG-1", body: orchid });
    const { body } = await call("GET", "/requests/CHG-1");
    assert.deepEqual([body["state"], body["progress"]], ["RUNNING", null]);
  });

  test("that names the lines of its image and its bundle is taken, and told which parameters are none", async () => {
    const { call } = await opened();
    const images = { ami: "/cloister/_ami/arm64", bundle: "/cloister/_bundle/arm64" };
    assert.equal((await call("POST", "/clusters", { ticket: "CHG-1", body: { ...orchid, images } })).status, 202);
    const swapped = { ami: images.bundle, bundle: images.ami };
    const { status, body } = await call("POST", "/clusters", { ticket: "CHG-2", body: { ...orchid, images: swapped } });
    const pointers = (body["errors"] as { pointer: string }[]).map(({ pointer }) => pointer);
    assert.deepEqual([status, pointers], [400, ["/images/ami", "/images/bundle"]]);
  });

  test("sees its own tickets, and nobody else's", async () => {
    const { call } = await opened();
    await call("POST", "/clusters", { ticket: "CHG-1", body: orchid });
    const stranger = { userArn: "arn:aws:iam::111122223333:user/stranger" };
    assert.equal((await call("GET", "/requests/CHG-1", stranger)).status, 404);
  });

  test("learns the first cause of a build that failed and was rolled back", async () => {
    const { call, settle, stage } = await opened("interpreted");
    stage.account.document("check-dns", () => "echo the resolver is silent >&2\nexit 1\n");
    await call("POST", "/clusters", { ticket: "CHG-1", body: orchid });
    await settle();
    const { body } = await call("GET", "/requests/CHG-1");
    const failure = body["failure"] as { name: string; cause: string };
    assert.deepEqual([body["state"], failure.name], ["FAILED", "CommandFailedError"]);
    assert.match(failure.cause, /the resolver is silent/);
    assert.equal((body["progress"] as Progress).state, "BuildFailed");
    assert.equal((await call("GET", "/clusters/orchid")).body["current"], null);
  });
});

describe("a build that a person aborts", () => {
  test("has failed for whoever asked, in the state in which it was", async () => {
    const { call, stage } = await opened();
    await call("POST", "/clusters", { ticket: "CHG-1", body: orchid });
    await stage.pass(60);
    const running = (await call("GET", "/requests/CHG-1")).body["progress"] as Progress;
    const [execution = assert.fail()] = stage.account.world.stepFunctions.executions.values();
    execution.stop("Abort", "by a person");
    await stage.pass(1);
    const { body } = await call("GET", "/requests/CHG-1");
    assert.deepEqual([body["state"], body["failure"]], ["ABORTED", { name: "Abort", cause: "by a person" }]);
    assert.ok((body["progress"] as Progress).entered >= running.entered);
  });
});

describe("a rebuild that fails", () => {
  test("tells the first cause of the build that it waited for, and the old cluster serves on", async () => {
    const { call, settle, stage } = await opened("interpreted");
    await call("POST", "/clusters", { ticket: "CHG-1", body: orchid });
    await settle();
    stage.account.document("check-dns", () => "echo the resolver is silent >&2\nexit 1\n");
    await call("POST", "/clusters/orchid/rebuild", { ticket: "CHG-2" });
    await settle();
    const { body } = await call("GET", "/requests/CHG-2");
    const failure = body["failure"] as { name: string; cause: string };
    assert.deepEqual([body["state"], failure.name], ["FAILED", "CommandFailedError"]);
    assert.match(failure.cause, /the resolver is silent/);
    assert.equal((await call("GET", "/clusters/orchid")).body["current"], 1);
  });
});

describe("a request that cannot be taken", () => {
  const large = { ...orchid, tags: { text: "x".repeat(40_000) } };
  const cases: readonly (readonly [string, string, string, object, number, RegExp])[] = [
    ["no ticket", "POST", "/clusters", { body: orchid }, 400, /Idempotency-Key/],
    ["a ticket with a slash", "POST", "/clusters", { ticket: "a/b", body: orchid }, 400, /Idempotency-Key/],
    ["no JSON", "POST", "/clusters", { ticket: "A", raw: "{name:" }, 400, /not JSON/],
    ["no body", "POST", "/clusters", { ticket: "A" }, 400, /cannot be built/],
    ["a body that is too large", "POST", "/clusters", { ticket: "A", body: large }, 413, /32768/],
    ["a body to a destroy", "DELETE", "/clusters/orchid", { ticket: "A", body: {} }, 400, /no body/],
    ["another cluster's request", "POST", "/clusters/violet/rebuild", { ticket: "A", body: orchid }, 400, /another cluster/],
    ["a name that cannot be", "GET", "/clusters/No", {}, 404, /can have this name/],
    ["an unknown cluster", "GET", "/clusters/violet", {}, 404, /no such cluster/],
    ["an unknown ticket", "GET", "/requests/none", {}, 404, /no request of yours/],
    ["an unknown path", "GET", "/secrets", {}, 404, /no such path/],
    ["an unknown method", "DELETE", "/clusters", { ticket: "A" }, 404, /no such method/],
  ];
  for (const [what, method, path, sent, status, words] of cases)
    test(`for ${what} is answered with ${status} and problem details, and starts nothing`, async () => {
      const { call, executions } = await opened();
      const answer = await call(method, path, sent);
      assert.deepEqual([answer.status, answer.type, answer.body["status"]], [status, "application/problem+json", status]);
      assert.match(String(answer.body["detail"]), words);
      assert.deepEqual(executions(), []);
    });

  test("names every faulty field at once", async () => {
    const { call } = await opened();
    const body = { name: "orchid", kubernetesVersion: "1.20.0", controlPlane: { count: 2 }, color: "red" };
    const answer = await call("POST", "/clusters", { ticket: "A", body });
    const pointers = (answer.body["errors"] as { pointer: string }[]).map(({ pointer }) => pointer).sort();
    assert.deepEqual(pointers, ["/color", "/controlPlane/count", "/kubernetesVersion"]);
  });
});

describe("the front door", () => {
  test("knows every path and method that API Gateway lets through", async () => {
    const { call } = await opened();
    for (const [path, methods] of Object.entries(paths)) {
      for (const method of methods) {
        const { body } = await call(method, path.replace("{name}", "violet").replace("{ticket}", "none"));
        assert.doesNotMatch(String(body["detail"]), /no such path/, `${method} ${path}`);
      }
    }
  });

  test("serves a document that is valid OpenAPI 3.1, knows exactly these paths, and begins where it was asked for", async () => {
    const { call } = await opened();
    const { body } = await call("GET", "/openapi.json");
    const validator = new Validator();
    assert.deepEqual([await validator.validate(body), validator.version], [{ valid: true }, "3.1"]);
    assert.deepEqual(body["servers"], [{ url: "/v1" }]);
    const described = Object.entries(document.paths).map(([path, methods]) => [
      path,
      Object.keys(methods).map((method) => method.toUpperCase()),
    ]);
    assert.deepEqual(Object.fromEntries(described), paths);
  });

  test("takes JSON as the same whatever the order of its fields, and as another when a value differs", () => {
    assert.equal(
      canonicalJson({ b: [1, { d: null, c: "x" }], a: true }),
      canonicalJson({ a: true, b: [1, { c: "x", d: null }] }),
    );
    assert.notEqual(canonicalJson({ a: [1, 2] }), canonicalJson({ a: [2, 1] }));
    assert.notEqual(canonicalJson({ a: "1" }), canonicalJson({ a: 1 }));
  });
});
