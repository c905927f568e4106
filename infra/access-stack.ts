import { Aws, CfnOutput, Duration, Stack, type StackProps } from "aws-cdk-lib";
import { AuthorizationType, IdentitySource, RequestAuthorizer } from "aws-cdk-lib/aws-apigateway";
import { type IFunction, Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";
import { signatureHeaders } from "../functions/domain/signed-request.ts";
import { FrontDoor } from "./front-door.ts";
import type { Options } from "./options.ts";

/**
 * The ways in for systems that call, before one function of the workflow stack: an API that is open to whoever IAM lets in (SigV4) and,
 * where the deployer wants it, one more with the same paths for callers who sign with a secret (HMAC).
 */
export class AccessStack extends Stack {
  constructor(scope: Construct, id: string, options: Options, props: StackProps) {
    super(scope, id, { ...props, description: "Cloister: the API" });
    const served = this.#function("ServeApi", "serve-api");
    const api = new FrontDoor(this, "Api", {
      name: "cloister",
      stage: "v1",
      served,
      options,
      authorization: { authorizationType: AuthorizationType.IAM },
    });
    new CfnOutput(this, "Address", { value: api.url, description: "Sign requests for the service execute-api" });
    // A stage may log only once the account has a role for that, which comes with the first API.
    if (options.hmacCallers) this.#admitCallersWithSecrets(served, options).node.addDependency(api);
  }

  /** By its name, so that neither stack holds the other's exports. */
  #function(id: string, name: string): IFunction {
    return LambdaFunction.fromFunctionAttributes(this, id, {
      functionArn: `arn:${Aws.PARTITION}:lambda:${Aws.REGION}:${Aws.ACCOUNT_ID}:function:cloister-${name}`,
      sameEnvironment: true,
    });
  }

  #admitCallersWithSecrets(served: IFunction, options: Options): FrontDoor {
    const authorizer = new RequestAuthorizer(this, "Callers", {
      handler: this.#function("AuthorizeCaller", "authorize-caller"),
      // Without one of these API Gateway answers by itself.
      identitySources: Object.values(signatureHeaders).map((header) => IdentitySource.header(header)),
      // Each request is judged by itself: a cached answer would let the next one in by the last one's signature.
      resultsCacheTtl: Duration.seconds(0),
    });
    const api = new FrontDoor(this, "HmacApi", {
      name: "cloister-hmac",
      stage: "hmac",
      served,
      options,
      authorization: { authorizationType: AuthorizationType.CUSTOM, authorizer },
    });
    new CfnOutput(this, "HmacAddress", { value: api.url, description: "For callers who sign with a secret: docs/operating.md" });
    return api;
  }
}
