import { RemovalPolicy } from "aws-cdk-lib";
import {
  AccessLogFormat,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  type MethodOptions,
  ResponseType,
  RestApi,
} from "aws-cdk-lib/aws-apigateway";
import { InterfaceVpcEndpoint } from "aws-cdk-lib/aws-ec2";
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { paths } from "../functions/api/paths.ts";
import type { Options } from "./options.ts";

/** What API Gateway answers by itself, in the form of all our other refusals. */
const refusals: readonly (readonly [type: ResponseType, status: number, title: string])[] = [
  [ResponseType.UNAUTHORIZED, 401, "The signature is missing, too old or wrong"],
  [ResponseType.ACCESS_DENIED, 403, "The caller may not do this"],
  [ResponseType.INVALID_SIGNATURE, 403, "The signature is wrong"],
  [ResponseType.EXPIRED_TOKEN, 403, "The signature is too old"],
  [ResponseType.MISSING_AUTHENTICATION_TOKEN, 403, "There is no signature, or no such path or method"],
  [ResponseType.REQUEST_TOO_LARGE, 413, "The request is too large"],
  [ResponseType.THROTTLED, 429, "Too many requests"],
  [ResponseType.AUTHORIZER_FAILURE, 500, "Cloister failed"],
  [ResponseType.INTEGRATION_FAILURE, 504, "Cloister did not answer in time"],
  [ResponseType.INTEGRATION_TIMEOUT, 504, "Cloister did not answer in time"],
];

export interface FrontDoorProps {
  readonly name: string;
  readonly stage: string;
  readonly served: IFunction;
  readonly authorization: MethodOptions;
  readonly options: Options;
}

/** One REST API with our paths, before the one function that serves them all. */
export class FrontDoor extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, { name, stage, served, authorization, options }: FrontDoorProps) {
    super(scope, id);
    const log = new LogGroup(this, "Log", {
      logGroupName: `/aws/apigateway/${name}`,
      retention: options.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const api = new RestApi(this, "Rest", {
      restApiName: name,
      ...this.#reach(options),
      // One for the account: the first API of the stack sets it.
      cloudWatchRole: stage === "v1",
      defaultMethodOptions: authorization,
      defaultIntegration: new LambdaIntegration(served, { proxy: true }),
      deployOptions: {
        stageName: stage,
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
    for (const [type, status, title] of refusals)
      api.addGatewayResponse(type.responseType, {
        type,
        statusCode: String(status),
        responseHeaders: { "Content-Type": "'application/problem+json'" },
        templates: {
          "application/json": `{"type":"about:blank","title":"${title}","status":${status},"detail":$context.error.messageString}`,
        },
      });
    this.url = api.url;
  }

  /** From anywhere, or through these endpoints alone. */
  #reach({ apiVpcEndpoints }: Options) {
    if (apiVpcEndpoints.length === 0) return { endpointConfiguration: { types: [EndpointType.REGIONAL] } };
    const all = { principals: [new AnyPrincipal()], actions: ["execute-api:Invoke"], resources: ["execute-api:/*"] };
    return {
      endpointConfiguration: {
        types: [EndpointType.PRIVATE],
        vpcEndpoints: apiVpcEndpoints.map((vpcEndpointId) =>
          InterfaceVpcEndpoint.fromInterfaceVpcEndpointAttributes(this, vpcEndpointId, { vpcEndpointId, port: 443 }),
        ),
      },
      // As AWS's guide has it for private APIs: let everybody in, and refuse whoever comes another way.
      policy: new PolicyDocument({
        statements: [
          new PolicyStatement(all),
          new PolicyStatement({
            ...all,
            effect: Effect.DENY,
            conditions: { StringNotEquals: { "aws:SourceVpce": apiVpcEndpoints } },
          }),
        ],
      }),
    };
  }
}
