import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { judge, type Policy, type Request } from "../../rehearsal/world/iam.ts";
import { SimulationGap } from "../../rehearsal/world/service.ts";

const bundle = "arn:aws:s3:::bundles/1.36.3/bundle.json";
const request = (change: Partial<Request> = {}): Request => ({
  action: "s3:GetObject",
  resource: bundle,
  context: { "aws:SourceVpc": "vpc-1", "aws:EC2InstanceSourceVPC": "vpc-1" },
  ...change,
});
const policy = (...statements: Policy["Statement"]): Policy => ({ Version: "2012-10-17", Statement: statements });
const readBundles = { Effect: "Allow", Action: "s3:Get*", Resource: "arn:aws:s3:::bundles/*" } as const;

describe("a node role's policies", () => {
  test("deny what nobody allows, by action and by resource", () => {
    assert.equal(judge([policy(readBundles)], request()), "allowed");
    assert.equal(judge([policy(readBundles)], request({ action: "s3:PutObject" })), "denied");
    assert.equal(judge([policy(readBundles)], request({ resource: "arn:aws:s3:::bundles-of-others/x" })), "denied");
    assert.equal(judge([], request()), "denied");
  });

  test("let an explicit Deny win over an Allow", () => {
    const deny = { Effect: "Deny", Action: "*", Resource: "*" } as const;
    assert.equal(judge([policy(readBundles), policy(deny)], request()), "denied");
  });

  test("take a key of the request for a variable in a condition", () => {
    const elsewhere = {
      Effect: "Deny",
      Action: "*",
      Resource: "*",
      Condition: { StringNotEquals: { "aws:SourceVpc": `\${aws:EC2InstanceSourceVPC}` } },
    } as const;
    const stolen = { "aws:SourceVpc": "vpc-of-a-thief", "aws:EC2InstanceSourceVPC": "vpc-1" };
    assert.equal(judge([policy(readBundles, elsewhere)], request()), "allowed");
    assert.equal(judge([policy(readBundles, elsewhere)], request({ context: stolen })), "denied");
  });

  test("ask a key of several values by a set operator alone: one of them that fits is enough", () => {
    const tagged = (operator: string) => ({
      ...readBundles,
      Condition: { [operator]: { "aws:TagKeys": "kubernetes.io/cluster/*" } },
    });
    const giving = (...keys: string[]) => request({ context: { "aws:TagKeys": keys } });
    const some = policy(tagged("ForAnyValue:StringLike"));
    assert.equal(judge([some], giving("Name", "kubernetes.io/cluster/alder-g1")), "allowed");
    assert.equal(judge([some], giving("Name")), "denied");
    assert.equal(judge([some], giving()), "denied");
    assert.throws(() => judge([policy(tagged("StringLike"))], giving("Name")), SimulationGap);
    assert.throws(() => judge([policy(tagged("ForAnyValue:StringNotEquals"))], giving("Name")), SimulationGap);
  });

  test("compare ARNs with the request's own VPC", () => {
    const own = { ArnEquals: { "ec2:Vpc": `arn:aws:ec2:us-west-2:111122223333:vpc/\${aws:EC2InstanceSourceVPC}` } };
    const inVpc = (vpc: string) => ({
      "aws:EC2InstanceSourceVPC": "vpc-1",
      "ec2:Vpc": `arn:aws:ec2:us-west-2:111122223333:vpc/${vpc}`,
    });
    const guarded = policy({ ...readBundles, Condition: own });
    assert.equal(judge([guarded], request({ context: inVpc("vpc-1") })), "allowed");
    assert.equal(judge([guarded], request({ context: inVpc("vpc-2") })), "denied");
    assert.equal(judge([guarded], request()), "denied", "a key that is not there");
  });

  test("throw on an element or an operator that is not modelled, instead of guessing", () => {
    const element = { ...readBundles, NotResource: "*" };
    const operator = { ...readBundles, Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } };
    assert.throws(() => judge([policy(element)], request()), SimulationGap);
    assert.throws(() => judge([policy(operator)], request()), SimulationGap);
  });
});
