import { strict as assert } from "node:assert";
import { test } from "node:test";
import { paths } from "../../functions/api/paths.ts";
import { ofType, type Resource, type Synthesis } from "./template.ts";

/** What holds of the API's stack: the API for IAM and, where it was chosen, the one for callers with secrets. */
export function accessClaims({ access }: Synthesis, isChosen: boolean): void {
  const methods = ofType(access, "AWS::ApiGateway::Method");
  const apis = ofType(access, "AWS::ApiGateway::RestApi");
  const stages = ofType(access, "AWS::ApiGateway::Stage");
  const of = (api: string) => (resource: readonly [string, Resource]) =>
    JSON.stringify(resource[1].Properties["RestApiId"]) === JSON.stringify({ Ref: api });

  test("every path and method of the API is there, wants a signature, and goes to the one function", () => {
    assert.deepEqual(
      apis.map(([, { Properties }]) => Properties["Name"]),
      isChosen ? ["cloister", "cloister-hmac"] : ["cloister"],
    );
    for (const [api, { Properties: about }] of apis) {
      assert.deepEqual(methods.filter(of(api)).map(nameOf).sort(), allMethods().sort());
      for (const [id, { Properties }] of methods.filter(of(api))) {
        assert.equal(Properties["AuthorizationType"], about["Name"] === "cloister" ? "AWS_IAM" : "CUSTOM", id);
        assert.match(JSON.stringify(Properties["Integration"]), /"AWS_PROXY".*:function:cloister-serve-api/, id);
      }
    }
  });

  /** `POST /clusters/{name}/rebuild`, from the chain of resources. */
  function nameOf([, { Properties }]: readonly [string, Resource]): string {
    const parts: string[] = [];
    let place = Properties["ResourceId"] as { Ref?: string };
    for (let ref = place.Ref; ref !== undefined; ref = place.Ref) {
      const resource = access.Resources[ref]?.Properties ?? assert.fail(ref);
      parts.unshift(String(resource["PathPart"]));
      place = resource["ParentId"] as { Ref?: string };
    }
    return `${Properties["HttpMethod"]} /${parts.join("/")}`;
  }

  test("the authorizer judges each request by itself, and no API Gateway calls without the three headers", () => {
    const authorizers = ofType(access, "AWS::ApiGateway::Authorizer");
    assert.equal(authorizers.length, isChosen ? 1 : 0);
    for (const [, { Properties }] of authorizers) {
      assert.deepEqual([Properties["Type"], Properties["AuthorizerResultTtlInSeconds"]], ["REQUEST", 0]);
      assert.match(JSON.stringify(Properties["AuthorizerUri"]), /:function:cloister-authorize-caller/);
      const headers = ["x-cloister-key", "x-cloister-timestamp", "x-cloister-signature"];
      assert.equal(Properties["IdentitySource"], headers.map((header) => `method.request.header.${header}`).join(","));
    }
  });

  test("API Gateway alone may call a function, for these methods", () => {
    const permissions = ofType(access, "AWS::Lambda::Permission");
    assert.ok(permissions.length >= methods.length);
    const mayJudge = permissions.filter(([, resource]) =>
      JSON.stringify(resource).includes(":function:cloister-authorize-caller"),
    );
    assert.equal(mayJudge.length, isChosen ? 1 : 0);
    for (const [id, { Properties }] of permissions) {
      assert.equal(Properties["Principal"], "apigateway.amazonaws.com", id);
      assert.match(JSON.stringify(Properties["SourceArn"]), /:execute-api:/, id);
    }
  });

  test("calls are throttled, and logged without their bodies", () => {
    assert.equal(stages.length, apis.length);
    const [[account] = assert.fail("the account has no role for logs")] = ofType(access, "AWS::ApiGateway::Account");
    for (const [, stage] of stages) {
      assert.ok(stage.Properties["AccessLogSetting"]);
      assert.ok((stage.DependsOn ?? []).includes(account), "a stage that logs before it may");
      const [settings] = stage.Properties["MethodSettings"] as Record<string, unknown>[];
      assert.deepEqual([settings?.["ThrottlingRateLimit"], settings?.["ThrottlingBurstLimit"]], [10, 20]);
      assert.equal(settings?.["DataTraceEnabled"], false);
      assert.equal(stage.Properties["TracingEnabled"], isChosen);
    }
  });

  test("an API is regional, or private and closed to all but the endpoints that were named", () => {
    for (const [, { Properties }] of apis) {
      const reach = Properties["EndpointConfiguration"];
      if (!isChosen) {
        assert.deepEqual([reach, Properties["Policy"]], [{ Types: ["REGIONAL"] }, undefined]);
        continue;
      }
      assert.deepEqual(reach, { Types: ["PRIVATE"], VpcEndpointIds: ["vpce-0123456789abcdef0"] });
      const { Statement } = Properties["Policy"] as { Statement: { Effect: string; Condition?: unknown }[] };
      const deny = Statement.find(({ Effect }) => Effect === "Deny");
      assert.deepEqual(deny?.Condition, { StringNotEquals: { "aws:SourceVpce": ["vpce-0123456789abcdef0"] } });
    }
  });

  test("what API Gateway refuses by itself has the form of every other refusal", () => {
    const answers = ofType(access, "AWS::ApiGateway::GatewayResponse");
    assert.ok(answers.length >= 6 * apis.length);
    for (const [id, { Properties }] of answers) {
      const { "application/json": template = "" } = Properties["ResponseTemplates"] as Record<string, string>;
      const body = JSON.parse(template.replace("$context.error.messageString", '"a word"')) as Record<string, unknown>;
      assert.deepEqual([String(body["status"]), body["detail"]], [Properties["StatusCode"], "a word"], id);
      assert.match(JSON.stringify(Properties["ResponseParameters"]), /application\/problem\+json/);
    }
  });

  test("neither stack holds the other's exports", () => {
    assert.doesNotMatch(JSON.stringify(access), /Fn::ImportValue/);
  });
}

const allMethods = (): string[] =>
  Object.entries(paths).flatMap(([path, methods]) => methods.map((method) => `${method} ${path}`));
