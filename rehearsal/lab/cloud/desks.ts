import type { DescribeExecutionCommand } from "@aws-sdk/client-sfn";
import type { PutParameterCommand } from "@aws-sdk/client-ssm";
import type { StepFunctions } from "../../world/asl/step-functions.ts";
import type { Operation } from "../../world/service.ts";
import { type Answer, type Desk, json, jsonError } from "./proxy.ts";

/** The SDK's own exceptions carry AWS's code as their name; anything else is a fault of the lab. */
const refusal = (error: unknown): Answer => {
  if (error instanceof Error && "$fault" in error) return jsonError(error.name, error.message);
  throw error;
};

/** Run Command and managed instances: moto says that a command succeeded and runs nothing (facts, wire 2). */
export const ssmDesk =
  (operations: Readonly<Record<string, Operation>>): Desk =>
  async ({ service, operation, body }) => {
    const known = service === "ssm" ? operations[operation] : undefined;
    if (known === undefined) return null;
    try {
      return json(await known.run(JSON.parse(body.toString()) as never, { kind: "harness" }));
    } catch (error) {
      return refusal(error);
    }
  };

/** Keeps what is written to SecureStrings, to be looked for where it must not be; moto answers. */
export const secretsDesk =
  (secrets: Set<string>): Desk =>
  async ({ service, operation, body }) => {
    if (service === "ssm" && operation === "PutParameter") {
      const { Type, Value = "" } = JSON.parse(body.toString()) as PutParameterCommand["input"];
      // Of a kubeconfig the key alone; its other words are names, and certificates are no secret.
      const key = /client-key-data: (\S+)/.exec(Value)?.[1];
      if (Type === "SecureString")
        for (const word of key === undefined ? Value.split(" ") : [key]) if (word.length >= 16) secrets.add(word);
    }
    return null;
  };

/** What the lab's own interpreter does without a call, moto's does as Step Functions does: it invokes a function by its ARN. */
export const lambdaDesk =
  (functions: ReadonlyMap<string, (event: unknown) => Promise<unknown>>): Desk =>
  async ({ service, path, body }) => {
    if (service !== "lambda") return null;
    const arn = decodeURIComponent(/\/functions\/([^/]+)\/invocations/.exec(path)?.[1] ?? "");
    const handler = functions.get(arn);
    if (handler === undefined) return jsonError("ResourceNotFoundException", `Function not found: ${arn}`);
    try {
      return json((await handler(JSON.parse(body.toString()))) ?? null);
    } catch (error) {
      const { name, message } = error as Error;
      // Lambda answers 200 and says in a header that the function failed (API reference, Invoke).
      return { ...json({ errorType: name, errorMessage: message, trace: [] }), headers: { "x-amz-function-error": "Unhandled" } };
    }
  };

/** Executions live in the lab's own interpreter. */
export const statesDesk =
  (stepFunctions: StepFunctions): Desk =>
  async ({ service, operation, body }) => {
    if (service !== "states") return null;
    if (operation !== "DescribeExecution") return jsonError("UnknownOperationException", `${operation} is not in the lab`);
    const { executionArn = "" } = JSON.parse(body.toString()) as DescribeExecutionCommand["input"];
    const execution = stepFunctions.executions.get(executionArn);
    if (execution === undefined) return jsonError("ExecutionDoesNotExist", `Execution Does Not Exist: '${executionArn}'`);
    return json({ executionArn, name: execution.name, status: execution.outcome?.status ?? "RUNNING" });
  };

/** moto answers 500, AWS refuses what a type has not; the cloud provider takes the refusal calmly (facts, lab-real 12; wire recheck 6). */
export const topologyDesk: Desk = async ({ service, operation }) => {
  if (service !== "ec2" || operation !== "DescribeInstanceTopology") return null;
  const error =
    "<Error><Code>UnsupportedOperation</Code><Message>The functionality you requested is not available in this Region.</Message></Error>";
  return { status: 400, type: "text/xml", body: `<Response><Errors>${error}</Errors><RequestID>lab</RequestID></Response>` };
};
