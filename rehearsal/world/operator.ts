import {
  CloudFormationServiceException,
  type DescribeStacksCommandInput,
  type StackStatus,
} from "@aws-sdk/client-cloudformation";
import { type InvokeCommandInput, LambdaServiceException } from "@aws-sdk/client-lambda";
import { type GetCallerIdentityCommandInput, STSServiceException } from "@aws-sdk/client-sts";
import { type Json, StateError } from "./asl/paths.ts";
import { bringExceptions, fault, type ServiceName } from "./fault.ts";
import { type Operations, reads, writes } from "./operation.ts";
import { type Service, SimulationGap } from "./service.ts";
import type { World } from "./world.ts";

export interface VirtualStack {
  readonly status: StackStatus;
  readonly outputs: Readonly<Record<string, string>>;
}

const service = (name: ServiceName, operations: Operations): Service => ({ name, operations, inventory: () => [] });

/** What a function answers, or how it failed: its error stands in the body of an answer with status 200 (Lambda's guide, "Invoke"). */
async function invoked(work: Promise<Json>) {
  const payload = (text: string) => Object.assign(Buffer.from(text), { transformToString: () => text });
  try {
    return { StatusCode: 200, ExecutedVersion: "$LATEST", Payload: payload(JSON.stringify(await work)) };
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    return { StatusCode: 200, ExecutedVersion: "$LATEST", FunctionError: "Unhandled", Payload: payload(error.cause) };
  }
}

/** Opens what an operator's command alone talks to. The map is the account's stacks, by name: whoever furnishes the account fills it. */
export function openForOperators({ door, universe, stepFunctions }: World): Map<string, VirtualStack> {
  const { region, account, clock } = universe;
  const stacks = new Map<string, VirtualStack>();
  const createdAt = new Date(clock.now());
  bringExceptions("cloudFormation", CloudFormationServiceException);
  bringExceptions("lambda", LambdaServiceException);
  bringExceptions("sts", STSServiceException);
  door.open(
    service("cloudFormation", {
      DescribeStacks: reads<DescribeStacksCommandInput>(["StackName"], ({ StackName = "" }) => {
        const stack = stacks.get(StackName);
        if (stack === undefined) throw fault("cloudFormation", "ValidationError", `Stack with id ${StackName} does not exist`);
        const Outputs = Object.entries(stack.outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue }));
        const StackId = `arn:aws:cloudformation:${region}:${account}:stack/${StackName}/00000000-0000-4000-8000-000000000001`;
        return { Stacks: [{ StackId, StackName, CreationTime: createdAt, StackStatus: stack.status, Outputs, Tags: [] }] };
      }),
    }),
  );
  door.open(
    service("lambda", {
      Invoke: writes<InvokeCommandInput>(["FunctionName", "Payload"], ({ FunctionName = "", Payload = "null" }) => {
        if (FunctionName.includes(":")) throw new SimulationGap("Invoke by ARN");
        const arn = `arn:aws:lambda:${region}:${account}:function:${FunctionName}`;
        if (!stepFunctions.lambda.has(arn)) throw fault("lambda", "ResourceNotFoundException", `Function not found: ${arn}`);
        return invoked(
          stepFunctions.lambda.call(arn, JSON.parse(Buffer.from(Payload as Uint8Array).toString()) as Json, FunctionName),
        );
      }),
    }),
  );
  door.open(
    service("sts", {
      GetCallerIdentity: reads<GetCallerIdentityCommandInput>([], () => ({
        Account: account,
        Arn: `arn:aws:sts::${account}:assumed-role/Operator/somebody`,
        UserId: "AROA0123456789EXAMPLE:somebody",
      })),
    }),
  );
  return stacks;
}
