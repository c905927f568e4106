import { SimulationGap } from "../../service.ts";
import { type NodeAws, NodeCallError } from "../aws-access.ts";
import type { VirtualNode } from "../node.ts";
import type { Answer, Call, Program } from "../shell.ts";

/** The CLI gives up connecting after so long (its default connect timeout). */
const connectTimeout = 60;
const gibibyte = 2 ** 30;

const flag = (args: readonly string[], name: string): string | undefined => {
  const at = args.indexOf(name);
  return at === -1 ? undefined : args[at + 1];
};

/** The AWS CLI, as far as the scripts use it. `sizeOf` gives what an object weighs on AWS. */
export function awsCli(node: VirtualNode, aws: NodeAws, sizeOf: (bucket: string, key: string) => number): Program {
  const call = (service: "s3" | "ssm", operation: string, input: Record<string, unknown>) =>
    aws.call(node.instance.id, "aws", service, operation, input);
  const copy = async ({ args, sleep }: Call): Promise<Answer> => {
    const [source = "", target = ""] = args.filter(
      (argument, at) => at > 1 && !argument.startsWith("--") && args[at - 1] !== "--region",
    );
    const [, bucket = "", key = ""] = /^s3:\/\/([^/]+)\/(.+)$/.exec(source) ?? [];
    const { Body } = (await call("s3", "GetObject", { Bucket: bucket, Key: key })) as {
      Body: { transformToString(): Promise<string> };
    };
    await sleep(
      (sizeOf(bucket, key) / gibibyte) * node.universe.chance.seconds("s3.download.secondsPerGiB", `${node.subject}/${key}`),
    );
    await node.shell.write(target, await Body.transformToString());
    return {};
  };
  const put = async ({ args }: Call): Promise<Answer> => {
    const text = await node.shell.read((flag(args, "--cli-input-json") ?? "").replace(/^file:\/\//, ""));
    if (text === null) return { stderr: "aws: error: no such file\n", exitCode: 252 };
    await call("ssm", "PutParameter", JSON.parse(text) as Record<string, unknown>);
    return { stdout: '{"Version": 1}\n' };
  };
  const get = async ({ args }: Call): Promise<Answer> => {
    if (flag(args, "--query") !== "Parameter.Value" || flag(args, "--output") !== "text")
      throw new SimulationGap(`aws ${args.join(" ")} is not modelled`);
    const input = { Name: flag(args, "--name"), WithDecryption: args.includes("--with-decryption") };
    const { Parameter } = (await call("ssm", "GetParameter", input)) as { Parameter: { Value: string } };
    return { stdout: `${Parameter.Value}\n` };
  };
  return async (context) => {
    const run = { "s3 cp": copy, "ssm put-parameter": put, "ssm get-parameter": get }[context.args.slice(0, 2).join(" ")];
    if (run === undefined) throw new SimulationGap(`aws ${context.args.join(" ")} is not modelled`);
    try {
      return await run(context);
    } catch (error) {
      if (error instanceof SimulationGap || !(error instanceof Error)) throw error;
      if (error instanceof NodeCallError && error.name === "ConnectTimeout") await context.sleep(connectTimeout);
      return { stderr: `An error occurred (${error.name}) when calling ${context.args[1]}: ${error.message}\n`, exitCode: 254 };
    }
  };
}
