import type { Rehearsal } from "../result.ts";
import { type CostLine, costs } from "./cost.ts";
import { created } from "./page-parts.ts";
import { counted, dollars, duration } from "./words.ts";

/** What a person does about each kind of failure; the README's failure table says the same. */
export const advice: Readonly<Record<string, string>> = {
  InvalidRequestError: "Correct the request; nothing was created.",
  TransientError: "AWS kept failing for longer than the retries last. Start the same request again later.",
  NotReadyError: "A wait ran out. Look at what it waited for: an endpoint, a machine, an agent.",
  CapacityError: "The zones have no stock of the instance type. Choose another type or other zones.",
  QuotaError: "Raise the quota that is named, then start again.",
  AccessError: "Grant the action that is named to the role that is named.",
  ConflictError: "The name is in use, or is being worked on. Choose another, or wait.",
  CommandFailedError: "A script on a node failed; its last words are above. The log is /var/log/cloister.log on that node.",
  NotIsolatedError: "The cluster works but is not isolated. The certificate's failed checks say where.",
  LockLostError: "Another execution works on this name. This one wrote nothing more.",
  DefectError: "This is a defect of Cloister, or an AWS code nobody knew. Please report it with the seed.",
};

/** The costs of what a rehearsal made and left. */
export const costsOf = ({ inventory, execution }: Rehearsal): CostLine[] =>
  costs(created(inventory), execution.virtualSeconds, execution.transitions);

const line = (name: string, value: string): string => `${name.padEnd(14)}${value}`;

/** The end of `npm start`, as plain lines. */
export function summary(rehearsal: Rehearsal, reportFile: string): string[] {
  const { execution, calls, certificate, audit, seed } = rehearsal;
  const path = execution.criticalPath.toSorted((a, b) => b.seconds - a.seconds).slice(0, 4);
  const money = costsOf(rehearsal);
  const sum = (of: (cost: CostLine) => number) => dollars(money.reduce((total, cost) => total + of(cost), 0));
  const passed = certificate?.checks.filter((check) => check.passed).length ?? 0;
  return [
    "",
    ...verdict(rehearsal),
    line("Time", `${duration(execution.virtualSeconds)} of virtual time, seed ${seed}`),
    line("Longest", path.map(({ state, seconds }) => `${state} ${duration(seconds)}`).join(", ")),
    line("AWS calls", `${calls.total}, ${calls.throttled} throttled; ${execution.transitions} transitions`),
    line("Cost", `${sum(({ run }) => run)} for the run, ${sum(({ perMonth }) => perMonth)} a month to keep`),
    line(
      "Certificate",
      certificate === null
        ? "none"
        : `${certificate.isolated ? "isolated" : "NOT isolated"}, ${passed} of ${certificate.checks.length} checks passed`,
    ),
    ...(certificate?.checks ?? []).map(
      ({ name, passed: isGood, evidence }) => `  ${isGood ? "✓" : "✗"} ${name.padEnd(36)} ${evidence.slice(0, 110)}`,
    ),
    line("Audit", auditWords(audit)),
    line("Report", reportFile),
  ];
}

function auditWords({ secretLeaks, breaches, foreignTouched }: Rehearsal["audit"]): string {
  const found = [...secretLeaks, ...breaches, ...foreignTouched];
  return found.length === 0
    ? "no secret outside its parameter, no way out at any moment, nothing of others touched"
    : found.join("; ");
}

const acts: Readonly<Record<string, string>> = {
  "build-cluster": "build",
  "destroy-cluster": "destruction",
  "rebuild-cluster": "rebuild",
};

function verdict(rehearsal: Rehearsal): string[] {
  const { status, error, cluster, execution, summary: said } = rehearsal;
  if (status === "ready")
    return [`${cluster?.name} is ready: ${counted(cluster?.nodes.length ?? 0, "node")}, API at ${cluster?.apiEndpoint}`];
  if (status === "destroyed") return said === "" ? [] : [said];
  const head = status === "refused" ? "The request is refused" : `The ${acts[execution.machine]} failed in ${error?.state}`;
  const left = created(rehearsal.inventory).filter(({ type }) => type !== "object");
  const kinds = [...Map.groupBy(left, ({ type }) => type)].map(([type, items]) => counted(items.length, type));
  return [
    `${head}: ${error?.name}`,
    ...(error?.cause ?? "").split("\n").map((text) => `  ${text}`),
    line("Advice", advice[error?.name ?? ""] ?? "See the execution's history in the report."),
    line("Left behind", left.length === 0 ? "nothing" : kinds.join(", ")),
  ];
}
