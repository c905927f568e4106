import { X509Certificate } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { DescribeInstancesCommand } from "@aws-sdk/client-ec2";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { parse, stringify } from "yaml";
import * as z from "zod";
import { ssmCommands } from "../../functions/aws/ssm-commands.ts";
import { nobody } from "../../functions/domain/cluster-record.ts";
import { toFirstControlPlane } from "../../functions/domain/deliveries.ts";
import { documents } from "../../functions/domain/documents.ts";
import type { ClusterName } from "../../functions/domain/ids.ts";
import type { Lock } from "../../functions/domain/lock.ts";
import { nodeName, parameterName } from "../../functions/domain/naming.ts";
import { UsageError, usage } from "../options.ts";
import { type AddCommands, type Context, clusterName, currentOf, type Known, knownCluster, tell, whole } from "./command.ts";
import { RemoteError } from "./failures.ts";
import type { Host } from "./host.ts";

/** A certificate with less left than this is no use to somebody who begins to work now. */
const leastSeconds = 3600;
const lookSeconds = 3;

/** What of a kubeconfig is read or changed; the rest is handed on as it is. */
const Kubeconfig = z.looseObject({
  clusters: z.array(z.looseObject({ cluster: z.looseObject({ server: z.url() }) })).min(1),
  users: z.array(z.looseObject({ user: z.looseObject({ "client-certificate-data": z.base64() }) })).min(1),
});

interface Access {
  readonly generation: number;
  /** A secret: it goes to a file of mode 0600 or to standard output, because somebody asked for it there, and nowhere else. */
  readonly kubeconfig: z.infer<typeof Kubeconfig>;
  readonly expires: Date;
}

/** What the parameter holds, or null where there is none. */
async function readAccess({ clients }: Host, name: ClusterName, generation: number): Promise<Access | null> {
  try {
    const Name = parameterName({ cluster: name, generation }, "kubeconfig");
    const { Parameter } = await clients.ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
    const parsed = Kubeconfig.safeParse(parse(Parameter?.Value ?? ""));
    if (!parsed.success) throw new RemoteError("DefectError", `${Name} holds no kubeconfig`);
    const pem = Buffer.from(parsed.data.users[0]?.user["client-certificate-data"] ?? "", "base64");
    return { generation, kubeconfig: parsed.data, expires: new X509Certificate(pem).validToDate };
  } catch (error) {
    if (error instanceof Error && error.name === "ParameterNotFound") return null;
    throw error;
  }
}

/** The kubeconfig of the generation that serves, with at least an hour left: a node mints another where this one's time is up. */
async function access({ host }: Context, name: ClusterName): Promise<Access & Known> {
  const known = await knownCluster(host, name);
  const generation = currentOf(known, name);
  const isGood = (found: Access | null): found is Access =>
    found !== null && found.expires.getTime() - host.now().getTime() >= leastSeconds * 1000;
  const found = await readAccess(host, name, generation);
  if (isGood(found)) return { ...found, ...known };
  host.warn(`${found === null ? "There is no kubeconfig" : "The kubeconfig ends soon"}: the cluster mints another one.`);
  await publish(host, known, name, generation);
  const fresh = await readAccess(host, name, generation);
  if (!isGood(fresh)) throw new RemoteError("DefectError", `${name} minted a kubeconfig that has no hour left`);
  return { ...fresh, ...known };
}

/** Sends publish-access under the record's own number, so that a node which a newer execution has fenced refuses it. */
async function publish(
  { clients, now, sleep }: Host,
  { site, record }: Known,
  name: ClusterName,
  generation: number,
): Promise<void> {
  const request = record.generations[String(generation)]?.request;
  if (request === undefined || request === null)
    throw new UsageError(`nobody knows how generation ${generation} of ${name} was asked for`);
  const since = now().toISOString();
  const { number } = record.lock;
  const lock: Lock = { cluster: name, generation, number, execution: nobody, since, origin: "ready", certificate: null };
  const commands = ssmCommands({ ssm: clients.ssm });
  const commandId = await commands.send(lock, {
    document: "publish-access",
    parameters: { fence: String(number), region: site.region, kubeconfigParameter: parameterName(lock, "kubeconfig") },
    target: toFirstControlPlane({ lock, request }).target,
    comment: `cloister kubeconfig ${since}`,
    turns: 1,
  });
  const { deliverySeconds, executionSeconds } = documents["publish-access"];
  for (let waited = 0; waited <= deliverySeconds + executionSeconds; waited += lookSeconds) {
    await sleep(lookSeconds);
    const { status, completed, detail } = await commands.look(commandId);
    if (status === "succeeded" && completed > 0) return;
    if (status !== "failed" && status !== "succeeded") continue;
    const [output] = await commands.outputs(commandId);
    const reason = output === undefined ? detail : await commands.reason(commandId, output.instanceId);
    throw new RemoteError("CommandFailedError", `publish-access on ${name}: ${reason || detail}`);
  }
  throw new RemoteError("NotReadyError", `publish-access on ${name} did not come to an end`);
}

/** Written beside and put in its place, so that no file of that name was ever readable by others. */
function writeSecret(file: string, text: string): void {
  usage(() => {
    const beside = `${file}.${process.pid}`;
    writeFileSync(beside, text, { mode: 0o600, flag: "wx" });
    renameSync(beside, file);
  }, `--output ${file}`);
}

interface OutputOptions {
  readonly output?: string;
}

async function kubeconfig(
  context: Context,
  name: ClusterName,
  { output = `${name}.kubeconfig` }: OutputOptions,
): Promise<number> {
  if (output === "-" && context.isJson) throw new UsageError("--output - and --json both want standard output");
  const { kubeconfig: content, generation, expires } = await access(context, name);
  const text = stringify(content, { lineWidth: 0 });
  if (output === "-") {
    context.host.screen.write(text);
    return 0;
  }
  writeSecret(output, text);
  tell(context, { name, generation, expires, file: output }, [
    `${output} has a kubeconfig of ${name}, generation ${generation}, until ${expires.toISOString()}; only you may read it`,
    `The API answers inside of the VPC alone; from elsewhere: cloister connect ${name}`,
  ]);
  return 0;
}

/** The API through a tunnel: another address, and the name for which the API server has its certificate. */
function throughTunnel({ clusters, ...rest }: Access["kubeconfig"], port: number): Access["kubeconfig"] {
  const moved = clusters.map((entry) => {
    const { hostname } = new URL(entry.cluster.server);
    return { ...entry, cluster: { ...entry.cluster, server: `https://127.0.0.1:${port}`, "tls-server-name": hostname } };
  });
  return { ...rest, clusters: moved };
}

const wanted: Readonly<Record<string, string>> = {
  aws: "the AWS CLI, version 2",
  "session-manager-plugin": "AWS's Session Manager plugin for the AWS CLI",
};

interface ConnectOptions extends OutputOptions {
  readonly port: number;
}

/** A tunnel by Session Manager to the first control plane: who may StartSession on it owns the cluster anyway (docs/threat-model.md). */
async function connect(context: Context, name: ClusterName, options: ConnectOptions): Promise<number> {
  const { host } = context;
  const { port, output = `${name}.kubeconfig` } = options;
  for (const [program, what] of Object.entries(wanted))
    if (!host.has(program)) throw new UsageError(`connect needs ${what}: ${program} is not to be found`);
  const { kubeconfig: content, generation, expires, site } = await access(context, name);
  const instanceId = await firstControlPlane(host, name, generation);
  writeSecret(output, stringify(throughTunnel(content, port), { lineWidth: 0 }));
  const apiPort = new URL(content.clusters[0]?.cluster.server ?? "").port;
  tell(context, { name, generation, instanceId, port, expires, file: output }, [
    `kubectl --kubeconfig ${output} get nodes   works while this command runs, until ${expires.toISOString()} at most`,
  ]);
  const session = ["ssm", "start-session", "--region", site.region, "--target", instanceId];
  const forward = ["--document-name", "AWS-StartPortForwardingSession"];
  const ports = ["--parameters", `portNumber=${apiPort},localPortNumber=${port}`];
  return (await host.run("aws", [...session, ...forward, ...ports], context.isJson ? "stderr" : "inherit")) === 0 ? 0 : 1;
}

async function firstControlPlane({ clients }: Host, name: ClusterName, generation: number): Promise<string> {
  const filters = [
    { Name: "tag:cloister:cluster", Values: [name] },
    { Name: "tag:cloister:generation", Values: [String(generation)] },
    { Name: "tag:Name", Values: [nodeName({ cluster: name, generation }, "control-plane", 1)] },
    { Name: "instance-state-name", Values: ["running"] },
  ];
  const { Reservations = [] } = await clients.ec2.send(new DescribeInstancesCommand({ Filters: filters }));
  const instanceId = Reservations[0]?.Instances?.[0]?.InstanceId;
  if (instanceId === undefined) throw new RemoteError("NotReadyError", `the first control plane of ${name} does not run`);
  return instanceId;
}

export const addAccess: AddCommands = (program, ends) => {
  program
    .command("kubeconfig")
    .description("write a kubeconfig that is good for an hour at least")
    .argument("<name>", "the cluster", clusterName)
    .option("--output <file>", "where to, NAME.kubeconfig by default; - for standard output")
    .action(ends(kubeconfig));
  program
    .command("connect")
    .description("forward a local port to the cluster's API through Session Manager, and write a kubeconfig for it")
    .argument("<name>", "the cluster", clusterName)
    .option("--port <number>", "the local port", whole(1024, 65_535), 6443)
    .option("--output <file>", "where the kubeconfig goes, NAME.kubeconfig by default")
    .action(ends(connect));
};
