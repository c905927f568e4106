import { Aws, CfnOutput, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import {
  AccessLogFormat,
  AuthorizationType,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  RestApi,
} from "aws-cdk-lib/aws-apigateway";
import { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type { Options } from "./options.ts";

/** Every path of the front door with its methods; a test holds it against the router. */
export const paths: Readonly<Record<string, readonly ("GET" | "POST" | "DELETE")[]>> = {
  "/clusters": ["GET", "POST"],
  "/clusters/{name}": ["GET", "DELETE"],
  "/clusters/{name}/certificate": ["GET"],
  "/clusters/{name}/rebuild": ["POST"],
  "/requests/{ticket}": ["GET"],
};

/** The front door for systems that call: API Gateway, open to whoever IAM lets in (SigV4), before one function of the workflow stack. */
export class AccessStack extends Stack {
  constructor(scope: Construct, id: string, options: Options, props: StackProps) {
    super(scope, id, { ...props, description: "Cloister: the API" });
    // By its name, so that neither stack holds the other's exports.
    const served = LambdaFunction.fromFunctionAttributes(this, "ServeApi", {
      functionArn: `arn:${Aws.PARTITION}:lambda:${Aws.REGION}:${Aws.ACCOUNT_ID}:function:cloister-serve-api`,
      sameEnvironment: true,
    });
    const log = new LogGroup(this, "Log", {
      logGroupName: "/aws/apigateway/cloister",
      retention: options.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const api = new RestApi(this, "Api", {
      restApiName: "cloister",
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole: true,
      defaultMethodOptions: { authorizationType: AuthorizationType.IAM },
      defaultIntegration: new LambdaIntegration(served, { proxy: true }),
      deployOptions: {
        stageName: "v1",
        // A build takes minutes and a person reads a list in seconds: more is a mistake of the caller's.
        throttlingRateLimit: 10,
        throttlingBurstLimit: 20,
        accessLogDestination: new LogGroupLogDestination(log),
        accessLogFormat: AccessLogFormat.jsonWithStandardFields(),
        // Without the data: a body is nobody's business in a log.
        loggingLevel: MethodLoggingLevel.ERROR,
        dataTraceEnabled: false,
        tracingEnabled: options.xray,
      },
    });
    for (const [path, methods] of Object.entries(paths)) {
      const resource = api.root.resourceForPath(path);
      for (const method of methods) resource.addMethod(method);
    }
    new CfnOutput(this, "Address", { value: api.url, description: "Sign requests for the service execute-api" });
  }
}
