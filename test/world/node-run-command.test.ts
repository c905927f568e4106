import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { Chance } from "../../rehearsal/world/chance.ts";
import { SimClock } from "../../rehearsal/world/clock.ts";
import { Door } from "../../rehearsal/world/door.ts";
import type { ScriptResult } from "../../rehearsal/world/ssm/command.ts";
import { readDocument } from "../../rehearsal/world/ssm/documents.ts";
import { Ssm } from "../../rehearsal/world/ssm/ssm.ts";

const fails = (call: Promise<unknown>, name: string) => assert.rejects(call, (error: Error) => error.name === name);
const content = {
  schemaVersion: "2.2",
  parameters: { fence: { type: "String", allowedPattern: "^[0-9]+$", interpolationType: "ENV_VAR" } },
  mainSteps: [{ action: "aws:runShellScript", inputs: { timeoutSeconds: "300", runCommand: ["true"] } }],
};
const good: ScriptResult = { exitCode: 0, stdout: "x".repeat(30_000), stderr: "" };
const order = { DocumentName: "join", Targets: [{ Key: "tag:role", Values: ["worker"] }], Parameters: { fence: ["1"] } };

interface Node {
  readonly id: string;
  readonly isOnline?: boolean;
  run?(script: string, environment: object, kill?: AbortSignal): Promise<ScriptResult>;
}

function account(...nodes: readonly Node[]) {
  const clock = new SimClock("2026-11-24T00:00:00Z");
  const universe = { clock, chance: new Chance(1), region: "us-west-2", account: "111122223333" };
  const ssm = new Ssm(universe);
  ssm.commands.documents.set("join", readDocument("join", content));
  for (const { id, isOnline = true, run = async () => good } of nodes) {
    ssm.agents.register({
      instanceId: id,
      subject: id,
      tags: new Map([["role", "worker"]]),
      version: "3.3.3050.0",
      address: "10.40.0.10",
      lastPing: () => clock.now(),
      online: () => (isOnline ? Promise.resolve("online") : new Promise<never>(() => {})),
      run,
    });
  }
  const door = new Door(clock, universe.chance, [ssm], []);
  const call = (operation: string, input: Record<string, unknown>) =>
    clock.run(door.send("ssm", operation, input, { kind: "harness" })) as Promise<Record<string, unknown>>;
  const send = async (change = {}): Promise<string> =>
    ((await call("SendCommand", { ...order, ...change })) as { Command: { CommandId: string } }).Command.CommandId;
  const invocation = (id: string, node: string) =>
    call("GetCommandInvocation", { CommandId: id, InstanceId: node }) as Promise<Record<string, unknown>>;
  return { clock, call, send, invocation, pass: (seconds: number) => clock.run(clock.sleep(seconds)) };
}

describe("Run Command", () => {
  test("refuses what a document or an instance does not allow", async () => {
    const { send } = account({ id: "i-1" });
    await fails(send({ DocumentName: "none" }), "InvalidDocument");
    await fails(send({ Parameters: { fence: ["1; reboot"] } }), "InvalidParameters");
    await fails(send({ Parameters: {} }), "InvalidParameters");
    await fails(send({ Parameters: { fence: ["1"], more: ["x"] } }), "InvalidParameters");
    await fails(send({ Targets: undefined, InstanceIds: ["i-unknown"] }), "InvalidInstanceId");
    await fails(send({ Comment: "x".repeat(101) }), "ValidationException");
  });

  test("does not show an invocation in its first second and keeps 24,000 characters of output", async () => {
    const { send, invocation, pass } = account({ id: "i-1" });
    const id = await send();
    await fails(invocation(id, "i-1"), "InvocationDoesNotExist");
    await pass(60);
    const { Status, StandardOutputContent } = await invocation(id, "i-1");
    assert.equal(Status, "Success");
    assert.equal(String(StandardOutputContent).length, 24_000);
  });

  describe("a listing", () => {
    const title = "\n----------ERROR-------\n";
    const listed = async (stdout: string, stderr: string) => {
      const at = account({ id: "i-1", run: async () => ({ exitCode: 0, stdout, stderr }) });
      const id = await at.send();
      await at.pass(60);
      const answer = await at.call("ListCommandInvocations", { CommandId: id, Details: true });
      const [invocation] = answer["CommandInvocations"] as { CommandPlugins: { Output: string }[] }[];
      return invocation?.CommandPlugins[0]?.Output ?? "";
    };

    test("shows the errors of a good script behind its output, as the agent joins them", async () => {
      assert.equal(await listed("{}\n", ""), "{}\n");
      assert.equal(await listed("{}\n", "a warning\n"), `{}\n${title}a warning\n`);
    });

    test("cuts the longer stream, or both, down to 2,400 characters, and says so", async () => {
      const [cutOutput, cutErrors] = ["\n---Output truncated---", "\n---Error truncated----"];
      const long = "x".repeat(3000);
      const room = 2400 - title.length;
      assert.equal(await listed("{}\n", long), `{}\n${title}${"x".repeat(room - cutErrors.length - 3)}${cutErrors}`);
      assert.equal(await listed(long, "no\n"), `${"x".repeat(room - cutOutput.length - 3)}${cutOutput}${title}no\n`);
      const each = "x".repeat(Math.floor((room - cutOutput.length - cutErrors.length) / 2));
      assert.equal(await listed(long, long), `${each}${cutOutput}${title}${each}${cutErrors}`);
      assert.equal((await listed(long, "")).length, 2400);
    });
  });

  test("gives up execution after the document's time, and delivery at the command's expiry", async () => {
    const never = () => new Promise<ScriptResult>(() => {});
    const { send, invocation, pass } = account({ id: "i-gone", isOnline: false }, { id: "i-slow", run: never });
    const id = await send({ TimeoutSeconds: 30 });
    await pass(295);
    for (const [node, status] of [
      ["i-gone", "Pending"],
      ["i-slow", "InProgress"],
    ] as const)
      assert.equal((await invocation(id, node))["Status"], status);
    await pass(20);
    assert.equal((await invocation(id, "i-slow"))["StatusDetails"], "ExecutionTimedOut");
    await pass(20);
    assert.match(String((await invocation(id, "i-gone"))["StatusDetails"]), /^(?:DeliveryTimedOut|Undeliverable)$/);
  });

  test("ends well although a node never heard of it, where another did well and the word for it is Undeliverable", async () => {
    const gone = Array.from({ length: 6 }, (_, n) => `i-gone${n}`);
    const ends = new Set<string>();
    for (const lost of gone) {
      const { call, send, invocation, pass } = account({ id: "i-1" }, { id: lost, isOnline: false });
      const id = await send({ TimeoutSeconds: 30, MaxErrors: "0" });
      await pass(340);
      const { Commands } = (await call("ListCommands", { CommandId: id })) as { Commands: { Status: string }[] };
      ends.add(`${(await invocation(id, lost))["StatusDetails"]}: ${Commands[0]?.Status}`);
    }
    assert.deepEqual([...ends].sort(), ["DeliveryTimedOut: TimedOut", "Undeliverable: Success"]);
  });

  test("has one expiry for all its nodes: who waits for his turn may never get it, and who has it goes on unheard", async () => {
    const ran: string[] = [];
    const slow = (id: string): Node => ({
      id,
      run: async () => {
        await at.clock.sleep(200);
        ran.push(id);
        return good;
      },
    });
    const at = account(slow("i-1"), slow("i-2"), slow("i-3"));
    const id = await at.send({ TimeoutSeconds: 30, MaxConcurrency: "1" });
    await at.pass(340);
    const details = [];
    for (const node of ["i-1", "i-2", "i-3"]) details.push((await at.invocation(id, node))["StatusDetails"]);
    assert.deepEqual(details, ["Success", "DeliveryTimedOut", "DeliveryTimedOut"]);
    await at.pass(600);
    assert.deepEqual(ran, ["i-1", "i-2"]);
  });

  test("runs one node after another when asked to, and tells the rest nothing after a failure", async () => {
    const ran: string[] = [];
    const node = (id: string): Node => ({
      id,
      run: async () => {
        ran.push(id);
        return { ...good, exitCode: 1 };
      },
    });
    const { send, invocation, pass } = account(node("i-1"), node("i-2"));
    const id = await send({ MaxConcurrency: "1" });
    await pass(120);
    assert.deepEqual(ran, ["i-1"]);
    assert.equal((await invocation(id, "i-2"))["Status"], "Cancelled");
  });

  describe("called off", () => {
    const status = async (at: ReturnType<typeof account>, id: string, node: string) => (await at.invocation(id, node))["Status"];

    test("is Cancelling, then Cancelled, where an agent never heard of it, and nothing runs there", async () => {
      const ran: string[] = [];
      const run = async () => {
        ran.push("i-gone");
        return good;
      };
      const at = account({ id: "i-gone", isOnline: false, run });
      const id = await at.send();
      await at.pass(30);
      await at.call("CancelCommand", { CommandId: id });
      const executing = async () => {
        const Filters = [{ key: "ExecutionStage", value: "Executing" }];
        return ((await at.call("ListCommands", { Filters })) as { Commands: object[] }).Commands.length;
      };
      assert.deepEqual([await status(at, id, "i-gone"), await executing()], ["Cancelling", 1]);
      await at.pass(60);
      assert.deepEqual([await status(at, id, "i-gone"), await executing()], ["Cancelled", 0]);
      const { Commands } = (await at.call("ListCommands", { CommandId: id })) as { Commands: { Status: string }[] };
      assert.deepEqual([Commands[0]?.Status, ran], ["Cancelled", []]);
    });

    test("comes too late for what has ended", async () => {
      const at = account({ id: "i-1" });
      const id = await at.send();
      await at.pass(60);
      await at.call("CancelCommand", { CommandId: id, InstanceIds: ["i-1"] });
      await at.pass(60);
      assert.equal(await status(at, id, "i-1"), "Success");
    });

    test("is Cancelled on every node, and some of the scripts go on to their end unheard", async () => {
      const finished: string[] = [];
      const killed: string[] = [];
      const ids = Array.from({ length: 8 }, (_, n) => `i-${n}`);
      const at = account(
        ...ids.map((id) => ({
          id,
          run: async (_script: string, _environment: object, kill?: AbortSignal) => {
            await at.clock.sleep(200);
            (kill?.aborted === true ? killed : finished).push(id);
            return good;
          },
        })),
      );
      const id = await at.send();
      await at.pass(30);
      await at.call("CancelCommand", { CommandId: id });
      await at.pass(30);
      for (const node of ids) assert.equal(await status(at, id, node), "Cancelled");
      await at.pass(600);
      assert.equal(killed.length + finished.length, ids.length);
      assert.ok(killed.length > 0 && finished.length > 0, `killed ${killed}, finished ${finished}`);
      for (const node of ids) assert.equal(await status(at, id, node), "Cancelled");
    });

    test("is refused for a command or a target that there is not", async () => {
      const at = account({ id: "i-1" });
      const id = await at.send();
      await fails(at.call("CancelCommand", { CommandId: "0" }), "InvalidCommandId");
      await fails(at.call("CancelCommand", { CommandId: id, InstanceIds: ["i-2"] }), "InvalidInstanceId");
      await fails(at.call("CancelCommand", { CommandId: id, InstanceIds: ["i-1", "i-1"] }), "DuplicateInstanceId");
    });
  });

  test("says NoInstancesInTag, not an error, when no node has the tag", async () => {
    const { call, send } = account();
    const { Commands } = await call("ListCommands", { CommandId: await send() });
    assert.equal((Commands as { StatusDetails: string }[])[0]?.StatusDetails, "NoInstancesInTag");
  });
});

describe("Parameter Store", () => {
  const secret = { Name: "/cloister/orchid/g1/join", Value: "token", Type: "SecureString" };

  test("overwrites only when asked to and keeps a tier's limit", async () => {
    const { call } = account();
    await call("PutParameter", secret);
    await fails(call("PutParameter", secret), "ParameterAlreadyExists");
    await call("PutParameter", { ...secret, Overwrite: true, Value: "x".repeat(4096) });
    await fails(call("PutParameter", { ...secret, Overwrite: true, Value: "x".repeat(4097) }), "ValidationException");
    await call("PutParameter", { ...secret, Overwrite: true, Tier: "Advanced", Value: "x".repeat(8192) });
  });

  test("gives a SecureString's value only when decryption is asked for", async () => {
    const { call } = account();
    await call("PutParameter", secret);
    const read = async (WithDecryption: boolean) =>
      ((await call("GetParameter", { Name: secret.Name, WithDecryption })) as { Parameter: { Value: string } }).Parameter.Value;
    assert.equal(await read(true), "token");
    assert.notEqual(await read(false), "token");
    await call("DeleteParameter", { Name: secret.Name });
    await fails(read(true), "ParameterNotFound");
  });

  test("deletes up to ten at once and lists what was not there", async () => {
    const { call } = account();
    for (const name of ["join", "kubeconfig"]) await call("PutParameter", { ...secret, Name: `/cloister/orchid/g1/${name}` });
    const names = ["/cloister/orchid/g1/join", "/cloister/orchid/g1/none"];
    const answer = await call("DeleteParameters", { Names: names });
    assert.deepEqual([answer["DeletedParameters"], answer["InvalidParameters"]], [[names[0]], [names[1]]]);
    await fails(call("DeleteParameters", { Names: Array.from({ length: 11 }, (_, n) => `/p${n}`) }), "ValidationException");
  });

  test("lists a path in pages of ten, and what lies deeper only when asked to", async () => {
    const { call } = account();
    for (let n = 0; n < 12; n++) await call("PutParameter", { ...secret, Name: `/cloister/orchid/g1/p${n}` });
    const list = async (input: object) =>
      (await call("GetParametersByPath", { Path: "/cloister/orchid", ...input })) as { Parameters: object[]; NextToken?: string };
    assert.deepEqual((await list({})).Parameters, []);
    const first = await list({ Recursive: true });
    const second = await list({ Recursive: true, NextToken: first.NextToken });
    assert.deepEqual([first.Parameters.length, second.Parameters.length, second.NextToken], [10, 2, undefined]);
  });
});
