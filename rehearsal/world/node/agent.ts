import type { ManagedNode } from "../ssm/agents.ts";
import type { VirtualNode } from "./node.ts";
import type { Surroundings } from "./nodes.ts";

/** From start to the first ping. */
const startSeconds = 2;
/** Heartbeats (facts 5.7). */
const heartbeatSeconds = 300;

/** Hibernation after a first ping that failed: 300 s, then 600 s for half an hour, then 1200 s, at most 3600 s (facts 5.7). */
function hibernation(failures: number): number {
  if (failures === 1) return 300;
  if (failures <= 4) return 600;
  return failures <= 7 ? 1200 : 3600;
}
/** The credential refresher's sleep when the role is denied: 25 to 30 minutes (facts 5.7). */
const deniedSeconds = 1650;

/**
 * Starts the SSM agent, or starts it anew: it registers when its endpoints answer and its role may call, and sleeps long when they do not,
 * unless it is started anew (facts 5.10).
 */
export function startAgent(node: VirtualNode, around: Surroundings, runningAt: number): void {
  const run = ++node.agentRuns;
  const ping = (failures: number): void => {
    if (!node.isUp || run !== node.agentRuns) return;
    const wait = attempt(node, around, runningAt, failures);
    if (wait !== null) node.universe.clock.after(wait, () => ping(failures + 1));
  };
  node.universe.clock.after(startSeconds, () => ping(0));
}

/** One ping; gives after how many seconds the next one is due, or null: it registers. */
function attempt(node: VirtualNode, around: Surroundings, runningAt: number, failures: number): number | null {
  const { clock, chance } = node.universe;
  const id = node.instance.id;
  const answers = [
    around.aws().permits(id, "ssm", "ssm:UpdateInstanceInformation"),
    around.aws().permits(id, "ssmmessages", "ssmmessages:CreateControlChannel"),
  ];
  if (answers.every((answer) => answer === "yes")) {
    // The row counts from running; an agent that was held back by the guard needs at least the time it takes to register.
    const earliest = runningAt + 1000 * chance.seconds("ssm.agent.online", node.subject);
    const wait = Math.max(3, (earliest - clock.now()) / 1000);
    clock.after(wait, () => register(node, around));
    return null;
  }
  return answers.includes("denied") && !answers.includes("unreachable") ? deniedSeconds : hibernation(failures + 1);
}

function register(node: VirtualNode, around: Surroundings): void {
  if (!node.isUp) return;
  const { clock } = node.universe;
  const since = clock.now();
  let lastUp = since;
  const managed: ManagedNode = {
    instanceId: node.instance.id,
    subject: node.subject,
    tags: node.instance.tags,
    version: node.image.agentVersion,
    address: node.instance.address,
    lastPing: () => {
      if (node.isUp) lastUp = clock.now() - ((clock.now() - since) % (heartbeatSeconds * 1000));
      return lastUp;
    },
    online: () => (node.isUp ? Promise.resolve("online" as const) : new Promise<never>(() => {})),
    run: (script, environment, kill) => node.shell.run(script, isNewEnough(node.image.agentVersion) ? environment : {}, kill),
  };
  around.ssm.agents.register(managed);
}

/** Agents before 3.3.2746.0 leave ENV_VAR parameters unset (facts 8.6). */
function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  return major > 3 || (major === 3 && (minor > 3 || (minor === 3 && patch >= 2746)));
}
