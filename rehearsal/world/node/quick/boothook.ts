import { inside, type Script } from "./script.ts";

/** What the guard's text names. */
export interface Guard {
  readonly hosts: readonly string[];
  readonly subnets: readonly string[];
}

const mark = "/run/cloister-guard";

async function answers(sh: Script, host: string, subnets: readonly string[]): Promise<boolean> {
  const { stdout, exitCode } = await sh.call(`getent ahostsv4 ${host}`);
  if (exitCode !== 0 || !inside(stdout.split(" ")[0] ?? "", subnets)) return false;
  return sh.ok(`curl -s -o /dev/null --connect-timeout 3 -m 5 https://${host}/`);
}

async function allAnswer(sh: Script, { hosts, subnets }: Guard): Promise<boolean> {
  for (const host of hosts) if (!(await answers(sh, host, subnets))) return false;
  return true;
}

/** The guard: the agent is restarted once all names answer, or after half an hour. */
export async function standGuard(sh: Script, guard: Guard): Promise<void> {
  if (sh.files.has(mark)) return;
  sh.files.set(mark, "");
  for (let tries = 0; tries < 900 && !(await allAnswer(sh, guard)); tries++) await sh.ok("sleep 2");
  let unit = "snap.amazon-ssm-agent.amazon-ssm-agent";
  if (!(await sh.ok(`systemctl enable ${unit}`))) {
    unit = "amazon-ssm-agent";
    await sh.ok(`systemctl enable ${unit}`);
  }
  await sh.ok(`systemctl restart ${unit}`);
}
