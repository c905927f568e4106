import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { SimClock } from "../../rehearsal/world/clock.ts";
import { flock } from "../../rehearsal/world/node/programs/system.ts";
import { type Program, Shell } from "../../rehearsal/world/node/shell.ts";
import { SimulationGap } from "../../rehearsal/world/service.ts";

const start = "2026-11-24T00:00:00Z";
const sleep: Program = async ({ args, sleep: wait }) => {
  await wait(Number(args[0]));
  return {};
};

function machine(programs: Readonly<Record<string, Program>> = {}) {
  const clock = new SimClock(start);
  const shell = new Shell(clock, { sleep, ...programs });
  const run = (script: string, environment = {}) => clock.run(shell.run(script, environment));
  return { clock, shell, run, seconds: () => (clock.now() - Date.parse(start)) / 1000 };
}

describe("a node's shell", () => {
  test("moves virtual time by what the script sleeps and by nothing else", async () => {
    const { run, seconds } = machine();
    const { stdout, exitCode } = await run("for i in 1 2 3; do sleep 100; done; echo done");
    assert.deepEqual({ stdout, exitCode, seconds: seconds() }, { stdout: "done\n", exitCode: 0, seconds: 300 });
  });

  test("runs two nodes' scripts side by side in virtual time", async () => {
    const clock = new SimClock(start);
    const shells = [new Shell(clock, { sleep }), new Shell(clock, { sleep })];
    await clock.run(Promise.all(shells.map((shell) => shell.run("sleep 60", {}))));
    assert.equal((clock.now() - Date.parse(start)) / 1000, 60);
  });

  test("a script that is killed, or whose machine goes down, ends at its next program and gives the node's lock back", async () => {
    const ran: string[] = [];
    const programs: Record<string, Program> = {
      sleep,
      take: async ({ args, lock }) => {
        const isMine = await lock({ descriptor: "9", isShared: false, seconds: 30 });
        ran.push(`${args[0]} ${isMine}`);
        return {};
      },
    };
    const clock = new SimClock(start);
    let isUp = true;
    const shell = new Shell(clock, programs, () => isUp);
    const kill = new AbortController();
    void shell.run("take first; sleep 10; take again", {}, kill.signal);
    await clock.run(clock.sleep(5));
    kill.abort();
    await clock.run(clock.sleep(10));
    void shell.run("take second; sleep 100; take never", {});
    await clock.run(clock.sleep(50));
    isUp = false;
    await clock.run(clock.sleep(100));
    assert.deepEqual(ran, ["first true", "second true"]);
  });

  test("keeps a node's files from one script to the next", async () => {
    const { run, shell } = machine();
    await run("mkdir -p /var/lib/cloister && echo 7 > /var/lib/cloister/fence");
    assert.equal((await run("cat /var/lib/cloister/fence")).stdout, "7\n");
    await shell.remove("/var/lib/cloister/fence");
    assert.equal(await shell.read("/var/lib/cloister/fence"), null);
  });

  test("hands parameters over as environment and fails on one that is unset", async () => {
    const { run } = machine();
    assert.equal((await run('set -u; echo "$SSM_fence"', { SSM_fence: "3" })).stdout, "3\n");
    assert.notEqual((await run('set -u; echo "$SSM_fence"')).exitCode, 0);
  });

  test("runs a text that another node ran before as if it were the first, whatever that run redefined", async () => {
    const script =
      'say() { echo first; }; words=(a b); say() { echo second; printf "%s\\n" "$words"; }; words=(c); say; unset -f say';
    const runs = [await machine().run(script), await machine().run(script)];
    assert.deepEqual(
      runs.map(({ stdout, stderr, exitCode }) => [stdout, stderr, exitCode]),
      [1, 2].map(() => ["second\nc\n", "", 0]),
    );
  });

  test("makes a gap in the simulator an error of the rehearsal, even where the script would swallow it", async () => {
    const gap: Program = () => {
      throw new SimulationGap("kubeadm upgrade is not modelled");
    };
    const { run } = machine({ kubeadm: gap });
    await assert.rejects(run("kubeadm upgrade || true"), SimulationGap);
    await assert.rejects(run("etcdctl snapshot save x; true"), SimulationGap);
  });
});

describe("the node's lock", () => {
  test("a second script waits for the first, and gives up after its time", async () => {
    const { clock, shell } = machine({ flock });
    const first = shell.run("exec 9>/lock; flock -x -w 20 9; sleep 10", {});
    await clock.run(clock.sleep(1));
    const hasty = shell.run("exec 9>/lock; flock -x -w 2 9 || exit 3", {});
    const patient = shell.run("exec 9>/lock; flock -x -w 20 9 && echo got", {});
    assert.equal((await clock.run(hasty)).exitCode, 3);
    assert.equal((await clock.run(patient)).stdout, "got\n");
    assert.equal((await clock.run(first)).exitCode, 0);
  });

  test("those that share it run side by side, and whoever wants it alone waits for all of them", async () => {
    const { clock, shell } = machine({ flock });
    const began = clock.now();
    const endOf = async (script: string) => {
      assert.equal((await shell.run(`exec 9>/lock; ${script}`, {})).exitCode, 0);
      return (clock.now() - began) / 1000;
    };
    const sharers = [endOf("flock -s -w 20 9; sleep 10"), endOf("flock -s -w 20 9; sleep 15")];
    await clock.run(clock.sleep(1));
    const alone = endOf("flock -x -w 20 9");
    assert.deepEqual(await clock.run(Promise.all([...sharers, alone])), [10, 15, 15]);
  });

  test("a lock that is given up is free before its script ends", async () => {
    const { clock, shell } = machine({ flock });
    void shell.run("exec 8>/lock; flock -x -w 20 8; flock -u 8; sleep 10", {});
    await clock.run(clock.sleep(1));
    assert.equal((await clock.run(shell.run("exec 8>/lock; flock -x -w 0 8", {}))).exitCode, 0);
  });
});
