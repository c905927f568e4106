import { strict as assert } from "node:assert";
import { test } from "node:test";
import { ssmCommands } from "../../functions/aws/ssm-commands.ts";
import type { Lock } from "../../functions/domain/lock.ts";
import { awaitCommand } from "../../functions/steps/await-command.ts";
import { VirtualAccount } from "../../rehearsal/virtual-account.ts";

const execution = "arn:aws:states:us-west-2:111122223333:execution:build-cluster:one";
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const lock = { cluster: "orchid", generation: 1, number: 1, execution, since: "2026-11-24T06:00:00.000Z" } as unknown as Lock;
const common = {
  fence: "1",
  region: "us-west-2",
  bucket: "bundles",
  bundleKey: "1.36.3/bundle.json",
  bundleSha256: "0".repeat(64),
};

/** What the await step says of a command to 120 nodes, all of which did well but those that are lost. */
async function awaited(lost: readonly number[]): Promise<unknown> {
  const account = new VirtualAccount({ seed: 1 });
  const { clock } = account.world.universe;
  const tags = Object.entries({ "cloister:cluster": "orchid", "cloister:generation": "1", "cloister:role": "worker" });
  for (let n = 0; n < 120; n++)
    account.world.ssm.agents.register({
      instanceId: `i-${String(n).padStart(17, "0")}`,
      subject: `worker/${n}`,
      tags: new Map(tags),
      version: "3.3.3050.0",
      address: "10.40.0.10",
      lastPing: () => clock.now(),
      online: () => (lost.includes(n) ? new Promise<never>(() => {}) : Promise.resolve("online")),
      run: async () => ({ exitCode: 0, stdout: '{"hosts":1}', stderr: "" }),
    });
  const aws = account.clientsFor({ kind: "function", step: "await-command", state: "AwaitCommandCheckDns", execution });
  const parameters = { ...common, hosts: "ec2.us-west-2.amazonaws.com", subnets: "10.40.0.0/17" };
  const order = { document: "check-dns", parameters, target: { roles: ["worker"] }, comment: "cloister test", turns: 1 } as const;
  const commandId = await clock.run(ssmCommands(aws).send(lock, order));
  await clock.run(clock.sleep(120));
  const event = { lock, document: "check-dns", command: { commandId, targets: 120 } };
  return clock.run(awaitCommand.execute(event, aws, quiet as never) as Promise<unknown>);
}

test("a command that Run Command calls a success is none where one of 120 nodes never heard of it", async () => {
  assert.deepEqual(await awaited([]), { output: null });
  let undeliverable = 0;
  for (const lost of [1, 60, 61, 118]) {
    await assert.rejects(awaited([lost]), (error: Error) => {
      assert.equal(error.name, "CommandFailedError");
      assert.match(error.message, /\(1 of 120 nodes\): (?:Undeliverable|DeliveryTimedOut)$/);
      if (error.message.endsWith("Undeliverable")) undeliverable++;
      return true;
    });
  }
  assert.ok(undeliverable > 0, "the seed has none that Run Command calls a success");
});
