import { userData } from "../../../../functions/domain/user-data.ts";
import { inside, type Script } from "./script.ts";

/** What the guard's text names. */
interface Guard {
  readonly hosts: readonly string[];
  readonly subnets: readonly string[];
}

/** The guard of functions/domain/user-data.ts, as an instance gets it; null for any other text. */
export function guardOf(script: string): Guard | null {
  const [, hosts = ""] = /^hosts='([^']*)'$/m.exec(script) ?? [];
  const [, subnets = ""] = /^# Only the private addresses of this cluster count as an answer: (.+)\.$/m.exec(script) ?? [];
  if (hosts === "" || subnets === "") return null;
  const guard = { hosts: hosts.split(" "), subnets: subnets.split(", ") };
  return userData(guard) === `#cloud-boothook\n${script}` ? guard : null;
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

/** The guard: the agent is started once all names answer, or after half an hour. */
export async function standGuard(sh: Script, guard: Guard): Promise<void> {
  if (sh.files.has(mark)) return;
  sh.files.set(mark, "");
  for (let tries = 0; tries < 900 && !(await allAnswer(sh, guard)); tries++) await sh.ok("sleep 2");
  if (!(await sh.ok("systemctl enable --now snap.amazon-ssm-agent.amazon-ssm-agent")))
    await sh.ok("systemctl enable --now amazon-ssm-agent");
}
