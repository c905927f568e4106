import type * as z from "zod";
import type { InvalidRequestError } from "../errors.ts";
import { ClusterRequest } from "./cluster-request.ts";
import { isFixed } from "./lines.ts";
import { addressProblems } from "./network-plan.ts";
import { type Problem, refusal } from "./problem.ts";
import { supportedVersions } from "./versions.ts";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Each of zod's issues as a path and a sentence; an unknown field is named itself. */
function problemsOfIssue(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: path === "" ? key : `${path}.${key}`, problem: "unknown field" }));
  }
  return [{ path, problem: issue.message }];
}

/** Everything that is wrong with an input, in one refusal. */
export const refusalOf = ({ issues }: z.ZodError): InvalidRequestError => refusal(issues.flatMap(problemsOfIssue));

/** The value without what stands at the path, so that the rest can still be judged. */
function without(value: unknown, [head, ...rest]: readonly string[]): unknown {
  if (head === undefined || !isObject(value)) return undefined;
  if (rest.length === 0) return Object.fromEntries(Object.entries(value).filter(([key]) => key !== head));
  return { ...value, [head]: without(value[head], rest) };
}

/** Stands in for a name that cannot be read, while the rest of the request is judged. */
const placeholderName = "unnamed";

/**
 * Reads a request as far as it can be read: `request` has the defaults in the place of every faulty field, so that the
 * cross-field rules and the look at the account find everything else that is wrong, and one answer names it all.
 */
export function readRequest(raw: unknown): { readonly request: ClusterRequest | null; readonly problems: readonly Problem[] } {
  if (!isObject(raw)) return { request: null, problems: [{ path: "", problem: "must be a JSON object with at least a name" }] };
  const parsed = ClusterRequest.safeParse(raw);
  if (parsed.success) return { request: parsed.data, problems: crossFieldProblems(parsed.data) };
  const problems = parsed.error.issues.flatMap(problemsOfIssue);
  let readable: unknown = raw;
  for (const { path } of problems) readable = without(readable, path.split("."));
  const named = isObject(readable) && "name" in readable ? readable : { ...(readable as object), name: placeholderName };
  const again = ClusterRequest.safeParse(named);
  if (!again.success) return { request: null, problems };
  const seen = new Set(problems.map(({ path }) => path));
  return {
    request: again.data,
    problems: [...problems, ...crossFieldProblems(again.data).filter(({ path }) => !seen.has(path))],
  };
}

function crossFieldProblems(request: ClusterRequest): Problem[] {
  const problems: Problem[] = addressProblems(request);
  const refuse = (path: string, problem: string) => problems.push({ path, problem });
  if (!supportedVersions().includes(request.kubernetesVersion)) {
    refuse("kubernetesVersion", `${request.kubernetesVersion} is not supported; supported are ${supportedVersions().join(", ")}`);
  }
  if (request.controlPlane.count % 2 === 0) {
    refuse("controlPlane.count", `${request.controlPlane.count} is even: etcd needs an odd number to survive the loss of one`);
  }
  if (request.rebuild.on.includes("image") && isFixed(request.images.ami)) {
    refuse("rebuild.on", '"image" has no effect beside a fixed images.ami');
  }
  return problems;
}
