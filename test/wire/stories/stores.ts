import * as eventssdk from "@aws-sdk/client-eventbridge";
import * as s3sdk from "@aws-sdk/client-s3";
import * as sfnsdk from "@aws-sdk/client-sfn";
import * as ssmsdk from "@aws-sdk/client-ssm";
import { bucket } from "../sides.ts";
import type { Story } from "../story.ts";

/** Parameters as nodes write them and steps take them away. */
export const parameters: Story = async ({ ssm }, note) => {
  const Name = "/story/g1/join";
  const put = (change: Partial<ssmsdk.PutParameterCommandInput> = {}) =>
    ssm.send(new ssmsdk.PutParameterCommand({ Name, Value: "secret", Type: "SecureString", ...change }));
  await note("PutParameter", put({ Tags: [{ Key: "story", Value: "wire" }] }));
  await note("PutParameter again", put());
  await note("PutParameter over it", put({ Overwrite: true }));
  await note("PutParameter over it with tags", put({ Overwrite: true, Tags: [{ Key: "a", Value: "b" }] }));
  await note("PutParameter that is too long", put({ Name: "/story/long", Value: "x".repeat(4097) }));
  await note("PutParameter advanced", put({ Name: "/story/g1/advanced", Value: "x".repeat(4097), Tier: "Advanced" }));
  await note("GetParameter", ssm.send(new ssmsdk.GetParameterCommand({ Name, WithDecryption: true })));
  await note("GetParameter undecrypted", ssm.send(new ssmsdk.GetParameterCommand({ Name })));
  await note("GetParameter of an unknown name", ssm.send(new ssmsdk.GetParameterCommand({ Name: "/story/none" })));
  await note("GetParametersByPath", ssm.send(new ssmsdk.GetParametersByPathCommand({ Path: "/story/g1" })));
  await note("GetParametersByPath of none", ssm.send(new ssmsdk.GetParametersByPathCommand({ Path: "/none" })));
  const Names = ["/story/g1/advanced", "/story/none"];
  await note("DeleteParameters", ssm.send(new ssmsdk.DeleteParametersCommand({ Names })));
  await note("DeleteParameter", ssm.send(new ssmsdk.DeleteParameterCommand({ Name })));
  await note("DeleteParameter again", ssm.send(new ssmsdk.DeleteParameterCommand({ Name })));
};

/** The cluster's record: compare and swap on one object. */
export const record: Story = async ({ s3 }, note) => {
  const Key = "clusters/story.json";
  const where = { Bucket: bucket, Key };
  const put = (change: Partial<s3sdk.PutObjectCommandInput> = {}) =>
    s3.send(new s3sdk.PutObjectCommand({ ...where, Body: "{}", ContentType: "application/json", ...change }));
  const read = async (key: string) => {
    const { Body, ...rest } = await s3.send(new s3sdk.GetObjectCommand({ Bucket: bucket, Key: key }));
    return { ...rest, Body: await Body?.transformToString() };
  };
  await note("GetObject of an unknown key", read(Key));
  await note("HeadObject of an unknown key", s3.send(new s3sdk.HeadObjectCommand(where)));
  await note("PutObject that must change what is not there", put({ IfMatch: '"0123456789abcdef0123456789abcdef"' }));
  const { ETag = "" } = await note("PutObject that must be the first", put({ IfNoneMatch: "*" }));
  await note("PutObject that must be the first, again", put({ IfNoneMatch: "*" }));
  await note("PutObject that must change what was read", put({ IfMatch: ETag, Body: '{"a":1}' }));
  await note("PutObject that must change what was read before", put({ IfMatch: ETag, Body: '{"a":2}' }));
  await note("GetObject", read(Key));
  await note("HeadObject", s3.send(new s3sdk.HeadObjectCommand(where)));
  await put({ Key: "clusters/other.json" });
  const list = { Bucket: bucket, Prefix: "clusters/" };
  await note("ListObjectsV2", s3.send(new s3sdk.ListObjectsV2Command(list)));
  await note("ListObjectsV2 by pages", s3.send(new s3sdk.ListObjectsV2Command({ ...list, MaxKeys: 1 })));
  await note("ListObjectsV2 of none", s3.send(new s3sdk.ListObjectsV2Command({ ...list, Prefix: "none/" })));
  await note("DeleteObject", s3.send(new s3sdk.DeleteObjectCommand(where)));
  await note("DeleteObject again", s3.send(new s3sdk.DeleteObjectCommand(where)));
  await note("GetObject once deleted", read(Key));
  await note("PutObject into an unknown bucket", put({ Bucket: "story-none" }));
};

/** What the watcher tells whoever listens. */
export const events: Story = async ({ events: bus }, note) => {
  const put = (...Entries: eventssdk.PutEventsRequestEntry[]) => bus.send(new eventssdk.PutEventsCommand({ Entries }));
  const entry = { Source: "cloister", DetailType: "Cluster Changed", Detail: '{"name":"story"}' };
  await note("PutEvents", put(entry));
  await note("PutEvents with a detail that is no JSON", put(entry, { ...entry, Detail: "story" }));
  await note("PutEvents of AWS's own", put({ ...entry, Source: "aws.ec2" }));
  await note("PutEvents of too many", put(...Array.from({ length: 11 }, () => entry)));
};

/** An execution as the command line starts and follows one. */
export const executions: Story = async ({ sfn, machine, pass }, note) => {
  const start = (change: Partial<sfnsdk.StartExecutionCommandInput> = {}) =>
    sfn.send(new sfnsdk.StartExecutionCommand({ stateMachineArn: machine, name: "story", input: '{"a":1}', ...change }));
  const { executionArn = "" } = await note("StartExecution", start());
  for (let look = 0; look < 100; look++) {
    if ((await sfn.send(new sfnsdk.DescribeExecutionCommand({ executionArn }))).status !== "RUNNING") break;
    await pass(1);
  }
  await note("DescribeExecution", sfn.send(new sfnsdk.DescribeExecutionCommand({ executionArn })));
  await note("StartExecution with a taken name and another input", start({ input: '{"a":2}' }));
  await note("StartExecution of an unknown machine", start({ stateMachineArn: `${machine}-none` }));
  await note(
    "DescribeExecution of an unknown one",
    sfn.send(new sfnsdk.DescribeExecutionCommand({ executionArn: `${executionArn}-none` })),
  );
  const list = { stateMachineArn: machine };
  await note("ListExecutions", sfn.send(new sfnsdk.ListExecutionsCommand(list)));
  await note("ListExecutions of none", sfn.send(new sfnsdk.ListExecutionsCommand({ ...list, statusFilter: "ABORTED" })));
  await note(
    "ListExecutions of an unknown machine",
    sfn.send(new sfnsdk.ListExecutionsCommand({ stateMachineArn: `${machine}-none` })),
  );
  await note(
    "StopExecution of an unknown one",
    sfn.send(new sfnsdk.StopExecutionCommand({ executionArn: `${executionArn}-none` })),
  );
};
