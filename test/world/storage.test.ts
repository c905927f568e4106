import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { GetServiceQuotaCommand, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from "@aws-sdk/client-sfn";
import { Door } from "../../rehearsal/world/door.ts";
import { ServiceQuotas } from "../../rehearsal/world/quotas.ts";
import { S3 } from "../../rehearsal/world/s3.ts";
import type { Service } from "../../rehearsal/world/service.ts";
import { SfnApi } from "../../rehearsal/world/sfn.ts";
import { Bench, chain } from "./machine.ts";

const config = { region: "sim-1", credentials: { accessKeyId: "sim", secretAccessKey: "sim" } };

/** The door to one service of a bench; the clock moves while a call is under way. */
function doorTo(bench: Bench, service: Service) {
  const { clock, chance } = bench.universe;
  const door = new Door(clock, chance, [service], []);
  return {
    bind: <C extends { send: unknown }>(client: C) => door.bind(client, service.name, { kind: "harness" }),
    during: <T>(work: Promise<T>) => clock.run(work),
  };
}

describe("S3", () => {
  const open = () => {
    const bench = new Bench();
    const s3 = new S3(() => bench.universe.clock.now());
    s3.addBucket("b");
    const { bind, during } = doorTo(bench, s3);
    const client = bind(new S3Client(config));
    const put = (Body: string, condition = {}) =>
      during(client.send(new PutObjectCommand({ Bucket: "b", Key: "k", Body, ...condition })));
    return { s3, client, during, put };
  };
  const failed = (name: string) => (error: unknown) => (error as Error).name === name;

  test("creates once under If-None-Match, and writes only over the ETag that was read", async () => {
    const { put } = open();
    const first = await put("one", { IfNoneMatch: "*" });
    await assert.rejects(put("two", { IfNoneMatch: "*" }), failed("PreconditionFailed"));
    const second = await put("two", { IfMatch: first.ETag });
    await assert.rejects(put("three", { IfMatch: first.ETag }), failed("PreconditionFailed"));
    assert.notEqual(first.ETag, second.ETag);
  });

  test("gives equal bodies equal ETags, in quotes", async () => {
    const { put } = open();
    const [one, other, again] = [await put("one"), await put("other"), await put("one")];
    assert.match(String(one.ETag), /^"[0-9a-f]{32}"$/);
    assert.equal(one.ETag, again.ETag);
    assert.notEqual(one.ETag, other.ETag);
    assert.notEqual(one.VersionId, again.VersionId);
  });

  test("refuses to replace what is not there", async () => {
    await assert.rejects(open().put("x", { IfMatch: '"0"' }), failed("NoSuchKey"));
  });

  test("reads what was written a moment ago, as text and as bytes", async () => {
    const { put, client, during } = open();
    await put("né");
    const { Body, ContentLength } = await during(client.send(new GetObjectCommand({ Bucket: "b", Key: "k" })));
    assert.equal(await Body?.transformToString(), "né");
    assert.equal((await Body?.transformToByteArray())?.length, 3);
    assert.equal(ContentLength, 3);
  });

  test("keeps the versions of what was deleted, for whoever looks for secrets", async () => {
    const { s3, put, client, during } = open();
    await put("one", { IfNoneMatch: "*" });
    await during(client.send(new DeleteObjectCommand({ Bucket: "b", Key: "k" })));
    await assert.rejects(during(client.send(new GetObjectCommand({ Bucket: "b", Key: "k" }))), failed("NoSuchKey"));
    await assert.rejects(during(client.send(new HeadObjectCommand({ Bucket: "b", Key: "k" }))), failed("NotFound"));
    assert.deepEqual(s3.inventory(), []);
    assert.deepEqual(
      s3.bodies("").map(({ text }) => text),
      ["one"],
    );
    await put("two", { IfNoneMatch: "*" });
    assert.equal(s3.object("b", "k")?.body, "two");
  });

  test("lists a prefix in pages", async () => {
    const { s3, client, during } = open();
    for (const key of ["a/1", "a/2", "a/3", "b/1"]) s3.put("b", key, key);
    const page = { Bucket: "b", Prefix: "a/", MaxKeys: 2 };
    const one = await during(client.send(new ListObjectsV2Command(page)));
    const two = await during(client.send(new ListObjectsV2Command({ ...page, ContinuationToken: one.NextContinuationToken })));
    assert.deepEqual(
      [...(one.Contents ?? []), ...(two.Contents ?? [])].map(({ Key }) => Key),
      ["a/1", "a/2", "a/3"],
    );
    assert.deepEqual([one.IsTruncated, two.IsTruncated], [true, false]);
  });
});

describe("the API of Step Functions", () => {
  const open = () => {
    const bench = new Bench();
    bench.stepFunctions.addMachine("machine", JSON.stringify(chain({ Pause: { Type: "Wait", Seconds: 10_000 } })));
    const { bind, during } = doorTo(bench, new SfnApi(bench.stepFunctions));
    const client = bind(new SFNClient(config));
    const stateMachineArn = bench.stepFunctions.machineArn("machine");
    const start = (name: string, input = '{"a":1}') =>
      during(client.send(new StartExecutionCommand({ stateMachineArn, name, input })));
    return { bench, client, during, start, stateMachineArn };
  };

  test("takes a repeated start for the same execution while it runs, and refuses its name afterwards", async () => {
    const { client, during, start } = open();
    const { executionArn } = await start("one");
    assert.equal((await start("one", '{ "a": 1 }')).executionArn, executionArn);
    await assert.rejects(start("one", '{"a":2}'), { name: "ExecutionAlreadyExists" });
    await during(client.send(new StopExecutionCommand({ executionArn, error: "E", cause: "c" })));
    const described = await during(client.send(new DescribeExecutionCommand({ executionArn })));
    assert.deepEqual([described.status, described.error, described.cause], ["ABORTED", "E", "c"]);
    await assert.rejects(start("one"), { name: "ExecutionAlreadyExists" });
  });

  test("knows neither an execution nor a machine that nobody made", async () => {
    const { client, during, stateMachineArn } = open();
    const describing = client.send(new DescribeExecutionCommand({ executionArn: "arn:none" }));
    await assert.rejects(during(describing), { name: "ExecutionDoesNotExist" });
    const starting = client.send(new StartExecutionCommand({ stateMachineArn: `${stateMachineArn}x`, name: "one" }));
    await assert.rejects(during(starting), { name: "StateMachineDoesNotExist" });
  });

  test("lists by status, newest first, in pages", async () => {
    const { client, during, start, stateMachineArn } = open();
    for (const name of ["one", "two", "three", "four"]) await start(name);
    const { executionArn } = await start("five");
    await during(client.send(new StopExecutionCommand({ executionArn })));
    const names: (string | undefined)[] = [];
    let nextToken: string | undefined;
    do {
      const query = { stateMachineArn, statusFilter: "RUNNING", maxResults: 3, nextToken } as const;
      const page = await during(client.send(new ListExecutionsCommand(query)));
      names.push(...(page.executions ?? []).map(({ name }) => name));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    assert.deepEqual(names, ["four", "three", "two", "one"]);
  });
});

test("a quota has the value it was set to, and one that is not known is refused", async () => {
  const quotas = new ServiceQuotas();
  quotas.values.set("vpc/L-F678F1CE", 1);
  const { bind, during } = doorTo(new Bench(), quotas);
  const client = bind(new ServiceQuotasClient(config));
  const value = (QuotaCode: string) => during(client.send(new GetServiceQuotaCommand({ ServiceCode: "vpc", QuotaCode })));
  assert.equal((await value("L-F678F1CE")).Quota?.Value, 1);
  await assert.rejects(value("L-00000000"), { name: "NoSuchResourceException" });
});
