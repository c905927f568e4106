import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { EC2Client } from "@aws-sdk/client-ec2";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { SFNClient } from "@aws-sdk/client-sfn";
import { SSMClient } from "@aws-sdk/client-ssm";
import { STSClient } from "@aws-sdk/client-sts";
import { changeRecord } from "../../functions/api/change-record.ts";
import { MachineArn } from "../../functions/domain/ids.ts";
import project from "../../package.json" with { type: "json" };
import { machineArn } from "../../rehearsal/lambdas.ts";
import type { Stage } from "../../rehearsal/stage.ts";
import type { Json } from "../../rehearsal/world/asl/paths.ts";
import { openForOperators, type VirtualStack } from "../../rehearsal/world/operator.ts";
import type { Clients, Host } from "../../scripts/cloister/host.ts";
import { cloister } from "../../scripts/cloister/program.ts";
import { changeFunction, workflowStack } from "../../scripts/cloister/site.ts";

const config = { region: "us-west-2", credentials: { accessKeyId: "virtual", secretAccessKey: "virtual" } };

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Terminal {
  /** Runs one command; virtual time passes until it ends. */
  cloister(...args: readonly string[]): Promise<Said>;
  /** The same with --json: the one object that it prints. */
  json(...args: readonly string[]): Promise<{ readonly code: number; readonly facts: Readonly<Record<string, unknown>> }>;
  readonly stacks: Map<string, VirtualStack>;
  readonly host: Host;
  /** What a person answers, for as long as there are answers. */
  readonly answers: string[];
  /** Programs that can be started, and those that were. */
  readonly programs: Set<string>;
  readonly started: { readonly program: string; readonly args: readonly string[]; readonly stdout: string }[];
}

/** The deployment as its stack would tell of it: infra/workflow-stack.ts, held to it by test/infra/stacks.test.ts. */
function tellOfDeployment({ account: { deployment } }: Stage): Readonly<Record<string, string>> {
  return {
    Version: project.version,
    RecordBucket: deployment.bucket,
    BundleBucket: "cloister-bundles",
    DefaultImageParameter: deployment.defaultImageParameter,
    DefaultBundleParameter: deployment.defaultBundleParameter,
    TrustedImageOwners: "none",
    ...Object.fromEntries(
      ["build", "rebuild", "destroy"].map((action) => [`${action}clustermachine`, machineArn(`${action}-cluster`, deployment)]),
    ),
  };
}

/** The function that people's changes go through, as the stack deploys it. */
function addChangeFunction({ account }: Stage): void {
  const { region, account: id } = account.deployment;
  const machines = { destroy: MachineArn.parse(machineArn("destroy-cluster", account.deployment)) };
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  account.world.stepFunctions.addFunction(
    `arn:aws:lambda:${region}:${id}:function:${changeFunction}`,
    (event: Json, { life }) => {
      const aws = account.clientsFor({ kind: "function", step: "change-record", state: "ChangeRecord", execution: "", life });
      return changeRecord.execute(event, aws, machines, quiet);
    },
  );
}

/** Somebody at a keyboard before a virtual account: the shipped command, its clients answered by the world. */
export function terminal(stage: Stage): Terminal {
  const { world } = stage.account;
  const { clock } = world.universe;
  const stacks = openForOperators(world);
  stacks.set(workflowStack, { status: "CREATE_COMPLETE", outputs: tellOfDeployment(stage) });
  addChangeFunction(stage);
  const bind = <C extends { send: unknown }>(client: C, service: Parameters<typeof world.door.bind>[1]): C =>
    world.door.bind(client, service, { kind: "person" });
  const clients: Clients = {
    cloudFormation: bind(new CloudFormationClient(config), "cloudFormation"),
    ec2: bind(new EC2Client(config), "ec2"),
    lambda: bind(new LambdaClient(config), "lambda"),
    quotas: bind(new ServiceQuotasClient(config), "quotas"),
    s3: bind(new S3Client(config), "s3"),
    sfn: bind(new SFNClient(config), "sfn"),
    ssm: bind(new SSMClient(config), "ssm"),
    sts: bind(new STSClient(config), "sts"),
  };
  const [answers, programs]: [string[], Set<string>] = [[], new Set()];
  const started: Terminal["started"] = [];
  const [out, err]: [string[], string[]] = [[], []];
  const host: Host = {
    clients,
    screen: { isTerminal: false, hasColour: false, columns: 120, write: (text) => void out.push(text) },
    warn: (line) => void err.push(`${line}\n`),
    now: () => new Date(clock.now()),
    sleep: (seconds) => clock.sleep(seconds),
    ask: async () => answers.shift() ?? null,
    has: (program) => programs.has(program),
    run: async (program, args, stdout) => {
      started.push({ program, args, stdout });
      return 0;
    },
  };
  const run = async (...args: readonly string[]): Promise<Said> => {
    out.length = err.length = 0;
    const code = await clock.run(cloister(args, host));
    return { code, out: out.join(""), err: err.join("") };
  };
  const json: Terminal["json"] = async (...args) => {
    const { code, out: text } = await run("--json", ...args);
    return { code, facts: JSON.parse(text) as Readonly<Record<string, unknown>> };
  };
  return { cloister: run, json, stacks, host, answers, programs, started };
}
