import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { endpointHost } from "../../functions/domain/endpoint-hosts.ts";
import { interfaceEndpointPolicy, s3GatewayPolicy } from "../../functions/domain/endpoint-policies.ts";
import { admitsOnly, isSamePolicy } from "../../functions/domain/policy-reading.ts";
import { lock, planned } from "./built.ts";

const { plan } = planned(1, 2);

describe("the policies of endpoints", () => {
  test("every one admits this account's principals alone, and is short enough for AWS", () => {
    const policies = [
      ...plan.interfaceEndpoints.map((service) => interfaceEndpointPolicy(service, lock, plan)),
      s3GatewayPolicy(lock, plan),
    ];
    assert.equal(policies.length, 5);
    for (const policy of policies) {
      assert.ok(admitsOnly(JSON.stringify(policy), plan.account));
      assert.ok(!admitsOnly(JSON.stringify(policy), "999999999999"));
      assert.ok(JSON.stringify(policy).length < 20_480);
    }
  });

  test("ssm's knows no parameter of another cluster or generation", () => {
    const { Statement } = interfaceEndpointPolicy("ssm", lock, plan);
    const reading = Statement.filter(({ Action }) => [Action].flat().includes("ssm:GetParameter"));
    assert.deepEqual(
      reading.map(({ Resource }) => Resource),
      ["arn:aws:ssm:us-west-2:111122223333:parameter/cloister/orchid/g3/*"],
    );
    assert.ok(!Statement.some(({ Action }) => [Action].flat().some((action) => action === "*" || action === "ssm:*")));
  });

  test("S3's gateway lets read the bundle's folder and the agent's buckets, and write nothing", () => {
    const { Statement } = s3GatewayPolicy(lock, plan);
    assert.deepEqual([...new Set(Statement.flatMap(({ Action }) => Action))], ["s3:GetObject"]);
    assert.equal(Statement[0]?.Resource, "arn:aws:s3:::bundles/1.36.3/*");
  });

  test("a condition on another key, or none, admits anybody", () => {
    const policy = (Condition: object) =>
      JSON.stringify({ Statement: [{ Effect: "Allow", Principal: "*", Action: "*", Resource: "*", ...Condition }] });
    assert.ok(!admitsOnly(policy({}), plan.account));
    assert.ok(!admitsOnly(policy({ Condition: { StringEquals: { "aws:SourceVpc": "vpc-1" } } }), plan.account));
    assert.ok(
      !admitsOnly(policy({ Condition: { StringEquals: { "aws:PrincipalAccount": [plan.account, "9"] } } }), plan.account),
    );
    assert.ok(!admitsOnly("not a policy", plan.account));
  });

  test("a policy is the same whatever the order of its statements and of their lists", () => {
    const turned = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(turned).reverse();
      if (value === null || typeof value !== "object") return value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, turned(inner)]));
    };
    for (const service of plan.interfaceEndpoints) {
      const policy = interfaceEndpointPolicy(service, lock, plan);
      assert.ok(isSamePolicy(JSON.stringify(turned(policy)), policy), service);
      const [first, ...rest] = policy.Statement;
      const other =
        rest.length === 0 ? { ...policy, Statement: [first, { ...first, Effect: "Deny" }] } : { ...policy, Statement: rest };
      assert.ok(!isSamePolicy(JSON.stringify(other), policy), service);
    }
  });

  test("a policy is the same whatever the order of its keys, and another with one action more", () => {
    const policy = s3GatewayPolicy(lock, plan);
    const turned = {
      Statement: policy.Statement.map((one) => Object.fromEntries(Object.entries(one).reverse())),
      Version: policy.Version,
    };
    assert.ok(isSamePolicy(JSON.stringify(turned), policy));
    const wider = { ...policy, Statement: policy.Statement.map((one) => ({ ...one, Action: ["s3:GetObject", "s3:PutObject"] })) };
    assert.ok(!isSamePolicy(JSON.stringify(wider), policy));
  });

  test("names are AWS's own, two words turned around", () => {
    assert.equal(endpointHost("ec2", "us-west-2"), "ec2.us-west-2.amazonaws.com");
    assert.equal(endpointHost("ecr.api", "us-west-2"), "api.ecr.us-west-2.amazonaws.com");
    assert.equal(endpointHost("ec2", "us-gov-west-1"), "ec2.us-gov-west-1.amazonaws.com");
  });
});
