import { strict as assert } from "node:assert";
import { test } from "node:test";
import { paths } from "../../infra/access-stack.ts";
import { ofType, type Synthesis } from "./template.ts";

/** What holds of the API's stack. */
export function accessClaims({ access }: Synthesis, isTraced: boolean): void {
  const methods = ofType(access, "AWS::ApiGateway::Method");

  test("every method of the API wants a signature, and goes to the one function", () => {
    assert.equal(methods.length, Object.values(paths).flat().length);
    for (const [id, { Properties }] of methods) {
      assert.equal(Properties["AuthorizationType"], "AWS_IAM", id);
      assert.match(JSON.stringify(Properties["Integration"]), /"AWS_PROXY".*:function:cloister-serve-api/, id);
    }
  });

  test("API Gateway alone may call it, for these methods", () => {
    const permissions = ofType(access, "AWS::Lambda::Permission");
    assert.ok(permissions.length >= methods.length);
    for (const [id, { Properties }] of permissions) {
      assert.equal(Properties["Principal"], "apigateway.amazonaws.com", id);
      assert.match(JSON.stringify(Properties["SourceArn"]), /:execute-api:/, id);
    }
  });

  test("calls are throttled, and logged without their bodies", () => {
    const [[, stage] = assert.fail("no stage")] = ofType(access, "AWS::ApiGateway::Stage");
    assert.ok(stage.Properties["AccessLogSetting"]);
    const [settings] = stage.Properties["MethodSettings"] as Record<string, unknown>[];
    assert.deepEqual([settings?.["ThrottlingRateLimit"], settings?.["ThrottlingBurstLimit"]], [10, 20]);
    assert.equal(settings?.["DataTraceEnabled"], false);
    assert.equal(stage.Properties["TracingEnabled"], isTraced);
    const [[, api] = assert.fail("no API")] = ofType(access, "AWS::ApiGateway::RestApi");
    assert.deepEqual(api.Properties["EndpointConfiguration"], { Types: ["REGIONAL"] });
  });

  test("neither stack holds the other's exports", () => {
    assert.doesNotMatch(JSON.stringify(access), /Fn::ImportValue/);
  });
}
