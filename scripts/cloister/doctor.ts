import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { ssmParameters } from "../../functions/aws/parameters.ts";
import { awsPreflight } from "../../functions/aws/preflight.ts";
import { ClusterRequest } from "../../functions/domain/cluster-request.ts";
import { lineOf } from "../../functions/domain/lines.ts";
import { accountProblems } from "../../functions/domain/preflight.ts";
import type { Problem } from "../../functions/domain/problem.ts";
import { readRequest as readFields } from "../../functions/domain/request-problems.ts";
import { look } from "../../functions/steps/validate-request.ts";
import project from "../../package.json" with { type: "json" };
import { readRequest } from "../options.ts";
import { type AddCommands, type Context, tell } from "./command.ts";
import { explain } from "./failures.ts";
import type { Host } from "./host.ts";
import { readSite, type Site } from "./site.ts";

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly says: string;
  /** What to do; empty where nothing is. */
  readonly todo: string;
}

const fine = (check: string, says: string): Finding => ({ check, ok: true, says, todo: "" });
const bad = (check: string, says: string, todo: string): Finding => ({ check, ok: false, says, todo });

/** A look that may be refused: what AWS says then is the finding, and nothing after it can be looked at. */
async function finding<T>(check: string, todo: string, work: () => Promise<T>): Promise<T | Finding> {
  try {
    return await work();
  } catch (error) {
    const said = explain(error);
    if (said === null) throw error;
    return bad(check, said.line, todo);
  }
}
const isFinding = (value: unknown): value is Finding => typeof value === "object" && value !== null && "check" in value;

function versionFinding({ version, region }: Site): Finding {
  const says = `version ${version} in ${region}`;
  return version === project.version
    ? fine("deployment", says)
    : bad("deployment", `${says}, this command is ${project.version}`, "`cloister deploy --upgrade`, or check out that version");
}

type Subject = readonly [check: string, fits: (problem: Problem) => boolean, good: string, todo: string];

/** Where another one is to be named: in the line, or in a request that names its own. */
const named = (line: string | null, value: string): string =>
  line === null
    ? "name it in the request"
    : `name it: aws ssm put-parameter --overwrite --type String --name ${line} --value ${value}`;

/** Whom a problem of a request concerns, and what is to be done about it; the first that fits. */
function subjectsOf({ images }: ClusterRequest, site: Site): readonly Subject[] {
  const imageLine = lineOf(images.ami, site.defaultImageParameter);
  const bundleLine = lineOf(images.bundle, site.defaultBundleParameter);
  return [
    [
      "image",
      ({ path }) => path === "images.ami",
      `the image ${imageLine ?? images.ami} is there and fits`,
      `build one, and ${named(imageLine, "ami-...")}`,
    ],
    [
      "bundle",
      ({ path }) => path === "images.bundle",
      `the bundle ${bundleLine ?? images.bundle} is there and has all that it needs`,
      `\`npm run bundle -- DIR\`, put it into the bucket of bundles, and ${named(bundleLine, "s3://.../bundle.json")}`,
    ],
    [
      "quotas",
      ({ problem }) => problem.includes("quota"),
      "there is room for a cluster of this size",
      "ask for more in Service Quotas",
    ],
    ["zones", () => true, "enough zones offer the instance types and every endpoint", "another instance type, or another Region"],
  ];
}

/** The look at the account that a build begins with, for a request of default size or one from a file. */
async function accountFindings(host: Host, site: Site, request: ClusterRequest): Promise<readonly Finding[]> {
  const { ec2, s3, quotas, ssm } = host.clients;
  const looked = await finding("account", "grant what is named, read only", () =>
    look(request, {
      preflight: awsPreflight({ ec2, s3, quotas, deployment: site }),
      parameters: ssmParameters({ ssm }),
      deployment: site,
    }),
  );
  if (isFinding(looked)) return [looked];
  let problems: readonly Problem[] = accountProblems(request, looked, site);
  return subjectsOf(request, site).map(([check, fits, good, todo]) => {
    const own = problems.filter(fits);
    problems = problems.filter((problem) => !fits(problem));
    return own.length === 0
      ? fine(check, good)
      : bad(check, own.map(({ problem }) => problem.replaceAll(/\s*\n\s*/g, " ")).join("; "), todo);
  });
}

function toolFindings(host: Host): readonly Finding[] {
  const missing = ["aws", "session-manager-plugin"].filter((program) => !host.has(program));
  return missing.length === 0
    ? [fine("connect", "aws and session-manager-plugin are there")]
    : [bad("connect", `${missing.join(" and ")} cannot be found`, "install it; nothing but `cloister connect` needs it")];
}

async function examine(host: Host, request: ClusterRequest): Promise<readonly Finding[]> {
  const who = await finding("credentials", "sign in, and set AWS_REGION", async () => {
    const { Arn = "" } = await host.clients.sts.send(new GetCallerIdentityCommand({}));
    return { arn: Arn };
  });
  if (isFinding(who)) return [who];
  const found = [fine("credentials", who.arn)];
  const site = await finding("deployment", "`cloister deploy`", () => readSite(host.clients));
  if (isFinding(site)) return [...found, site];
  return [...found, versionFinding(site), ...(await accountFindings(host, site, request)), ...toolFindings(host)];
}

async function doctor(context: Context, { request: file }: { readonly request?: string }): Promise<number> {
  const given = file === undefined ? { name: "doctor" } : readRequest(file);
  const { request } = readFields(given);
  const findings = await examine(context.host, request ?? ClusterRequest.parse({ name: "doctor" }));
  const isWell = findings.every(({ ok, check }) => ok || check === "connect");
  tell(
    context,
    { ok: isWell, findings },
    findings.map(({ check, ok, says, todo }) => `${ok ? "ok " : "NOT"}  ${check.padEnd(12)} ${says}${ok ? "" : ` -> ${todo}`}`),
  );
  return isWell ? 0 : 1;
}

export const addDoctor: AddCommands = (program, ends) => {
  program
    .command("doctor")
    .description("say whether a build could begin, and what to do where it could not")
    .option("--request <file>", "for this request instead of one of default size")
    .action(ends(doctor));
};
