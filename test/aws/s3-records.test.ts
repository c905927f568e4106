import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { s3Records } from "../../functions/aws/s3-records.ts";
import type { ClusterRecord, Intent } from "../../functions/domain/cluster-record.ts";
import { ClusterRequest } from "../../functions/domain/cluster-request.ts";
import { ClusterName, ExecutionArn, VpcId } from "../../functions/domain/ids.ts";
import { VirtualAccount } from "../../rehearsal/virtual-account.ts";

const cluster = ClusterName.parse("orchid");
const arn = (name: string) => ExecutionArn.parse(`arn:aws:states:us-west-2:111122223333:execution:build-cluster:${name}`);
const asked = { name: "orchid" };
const acquire: Extract<Intent, { kind: "acquire" }> = {
  kind: "acquire",
  name: cluster,
  asked,
  request: ClusterRequest.parse(asked),
  parent: null,
};

function account() {
  const { world, deployment, clientsFor } = bound(new VirtualAccount({ seed: 1, faults: [] }));
  const records = s3Records(clientsFor({ kind: "function", step: "test", state: "Test", execution: arn("test") }));
  const { clock } = world.universe;
  const record = () =>
    JSON.parse(world.s3.object(deployment.bucket, "clusters/orchid/record.json")?.body ?? "{}") as ClusterRecord;
  /** All at the same moment, with the names of their errors. */
  const together = async <T>(...changes: readonly Promise<T>[]) =>
    (await clock.run(Promise.allSettled(changes))).map((one) =>
      one.status === "fulfilled" ? "changed" : (one.reason as Error).name,
    );
  const enter = (name: string) => records.change<"acquire">(cluster, arn(name), acquire);
  return { records, clock, record, together, enter };
}
const bound = (one: VirtualAccount) => ({
  world: one.world,
  deployment: one.deployment,
  clientsFor: one.clientsFor.bind(one),
});

describe("a cluster's record", () => {
  test("that two begin at the same moment is one's; the other looks again and finds him", async () => {
    const { enter, together, record } = account();
    assert.deepEqual((await together(enter("a"), enter("b"))).sort(), ["TransientError", "changed"]);
    assert.deepEqual([record().revision, record().lock.number], [1, 1]);
    assert.equal((await together(enter(record().lock.holders[0]?.execution === arn("a") ? "b" : "a")))[0], "ConflictError");
  });

  test("that two change at the same moment holds one's change, and the other is told", async () => {
    const { records, clock, enter, together, record } = account();
    const lock = await clock.run(enter("a"));
    const claim = (id: string) =>
      records.change<"claim">(cluster, arn("a"), { kind: "claim", lock, made: { vpcId: VpcId.parse(id) } });
    const [first, second] = await together(claim("vpc-11111111"), claim("vpc-22222222"));
    assert.deepEqual([first, second].sort(), ["TransientError", "changed"]);
    assert.equal(record().generations["1"]?.made.vpcId, first === "changed" ? "vpc-11111111" : "vpc-22222222");
  });

  test("is busy with a holder that does not show, and free five minutes after he came", async () => {
    const { clock, enter, together } = account();
    await clock.run(enter("a"));
    assert.deepEqual(await together(enter("b")), ["ConflictError"]);
    await clock.run(clock.sleep(290));
    assert.deepEqual(await together(enter("b")), ["ConflictError"]);
    await clock.run(clock.sleep(15));
    assert.deepEqual(await together(enter("b")), ["changed"]);
  });
});
