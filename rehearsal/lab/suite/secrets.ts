import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { secretLeaks, type Written } from "../../audit.ts";
import { found, type LabCheck } from "../checks.ts";
import type { Lab } from "../lab.ts";

const everyMilliseconds = 250;

/** Reads the arguments of every process of the machine, those of the hosts among them, again and again. */
export function watchProcesses(): { seen(): Written[]; stop(): void } {
  const lines = new Set<string>();
  const look = () => {
    for (const pid of readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        lines.add(
          readFileSync(join("/proc", pid, "cmdline"), "utf8")
            .replaceAll("\0", " ")
            .slice(0, 4_000),
        );
      } catch {
        // It ended meanwhile.
      }
    }
  };
  const timer = setInterval(look, everyMilliseconds).unref();
  return { seen: () => [...lines].map((text) => ({ place: "the process list", text })), stop: () => clearInterval(timer) };
}

/** Every value that was ever written to a SecureString, looked for verbatim where it must never rest. */
export async function checkSecrets(lab: Lab, processes: readonly Written[]): Promise<LabCheck> {
  const histories = [...lab.stage.stepFunctions.executions.values()].flatMap(({ name, history }) =>
    history.events.map(
      ({ id, details }): Written => ({ place: `history of ${name}, event ${id}`, text: JSON.stringify(details) }),
    ),
  );
  const journals = await Promise.all(
    lab.site.hosts().map(
      async ({ host }): Promise<Written> => ({
        place: `journal of ${host.options.hostname}`,
        text: await host.on("bash", "-c", "journalctl --no-pager; cat /var/log/cloister.log"),
      }),
    ),
  );
  const written = [...histories, ...journals, ...processes, ...lab.stage.commands.written(), ...lab.logs()];
  const leaks = secretLeaks([...lab.hooks.secrets], written);
  const looked = `${lab.hooks.secrets.size} secrets looked for in ${written.length} texts`;
  return {
    name: "no secret of this run was written anywhere",
    ...found(leaks.length === 0 && lab.hooks.secrets.size > 0, leaks.join("; ") || looked),
  };
}
