import { SimulationGap } from "../../service.ts";
import { type NodeAws, NodeCallError } from "../aws-access.ts";
import type { VirtualNode } from "../node.ts";
import type { Program } from "../shell.ts";
import { type Command, fail, program } from "./command-line.ts";

/** The CLI gives up connecting after so long (its default connect timeout). */
const connectTimeout = 60;
const gibibyte = 2 ** 30;

type Call = (service: "s3" | "ssm", operation: string, input: Record<string, unknown>) => Promise<unknown>;

/** The CLI's own words and exit code for what a call is refused with. */
const answering = (operation: string, { run, ...command }: Command): Command => ({
  ...command,
  async run(line, context) {
    try {
      return await run(line, context);
    } catch (error) {
      if (error instanceof SimulationGap || !(error instanceof Error)) throw error;
      if (error instanceof NodeCallError && error.name === "ConnectTimeout") await context.sleep(connectTimeout);
      return fail(`An error occurred (${error.name}) when calling the ${operation} operation: ${error.message}`, 254);
    }
  },
});

const copy = (node: VirtualNode, call: Call, sizeOf: (bucket: string, key: string) => number): Command => ({
  flags: "--only-show-errors!",
  words: 2,
  async run({ words: [source = "", target = ""] }, { sleep }) {
    const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(source) ?? [];
    if (bucket === undefined || key === undefined || !target.startsWith("/"))
      throw new SimulationGap(`aws s3 cp ${source} ${target} is not modelled`);
    const { Body } = (await call("s3", "GetObject", { Bucket: bucket, Key: key })) as {
      Body: { transformToString(): Promise<string> };
    };
    const { chance, clock } = node.universe;
    // The bound is the volume's throughput (latencies.json): copies that run side by side write one after another.
    const seconds = (sizeOf(bucket, key) / gibibyte) * chance.seconds("s3.download.secondsPerGiB", `${node.subject}/${key}`);
    node.diskFreeAt = Math.max(node.diskFreeAt, clock.now()) + seconds * 1000;
    await sleep((node.diskFreeAt - clock.now()) / 1000);
    await node.shell.write(target, await Body.transformToString());
    return {};
  },
});

const put = (node: VirtualNode, call: Call): Command => ({
  flags: "--cli-input-json!=",
  async run(line) {
    const [, path] = /^file:\/\/(\/.+)$/.exec(line.get("--cli-input-json") ?? "") ?? [];
    if (path === undefined) throw new SimulationGap("aws --cli-input-json takes a file here");
    const text = await node.shell.read(path);
    if (text === null) return fail(`Error parsing parameter '--cli-input-json': Unable to load paramfile file://${path}`, 252);
    const { Version, Tier } = (await call("ssm", "PutParameter", JSON.parse(text) as Record<string, unknown>)) as {
      Version: number;
      Tier: string;
    };
    return { stdout: `${JSON.stringify({ Version, Tier })}\n` };
  },
});

const get = (call: Call): Command => ({
  flags: "--name!= --with-decryption --query!=Parameter.Value --output!=text",
  async run(line) {
    const input = { Name: line.get("--name"), WithDecryption: line.has("--with-decryption") };
    const { Parameter } = (await call("ssm", "GetParameter", input)) as { Parameter: { Value: string } };
    return { stdout: `${Parameter.Value}\n` };
  },
});

/** The AWS CLI, as far as the scripts use it. `sizeOf` gives what an object weighs on AWS. */
export function awsCli(node: VirtualNode, aws: NodeAws, sizeOf: (bucket: string, key: string) => number): Program {
  const call: Call = (service, operation, input) => aws.call(node.instance.id, "aws", service, operation, input);
  return program(
    "aws",
    {
      "s3 cp": answering("GetObject", copy(node, call, sizeOf)),
      "ssm put-parameter": answering("PutParameter", put(node, call)),
      "ssm get-parameter": answering("GetParameter", get(call)),
    },
    `--region!=${node.universe.region}`,
  );
}
