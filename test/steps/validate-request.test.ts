import { strict as assert } from "node:assert";
import { test } from "node:test";
import type { Deployment } from "../../functions/aws/aws.ts";
import { isStandard } from "../../functions/domain/preflight.ts";
import { validateRequest } from "../../functions/steps/validate-request.ts";
import { VirtualAccount } from "../../rehearsal/virtual-account.ts";

const execution = "arn:aws:states:us-west-2:111122223333:execution:build-cluster:one";
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** One look at a request in an account. */
function validate(account: VirtualAccount, request: object, change: Partial<Deployment> = {}): Promise<unknown> {
  const caller = { kind: "function", step: "validate-request", state: "ValidateRequest", execution } as const;
  const event = { input: { name: "orchid", ...request }, execution };
  const aws = account.clientsFor(caller);
  const work = validateRequest.execute(event, { ...aws, deployment: { ...aws.deployment, ...change } }, quiet as never);
  return account.world.universe.clock.run(work as Promise<unknown>);
}

test("the quota of Standard On-Demand vCPUs counts neither Spot nor other families, of those there are and of those asked for", async () => {
  const account = new VirtualAccount({ seed: 1 });
  const { ec2 } = account.world;
  const { subnetId } = ec2.seedForeignVpc("10.99.0.0/16");
  const image = "ami-0123456789abcdef0";
  ec2.seedForeignInstance(subnetId, image, { lifecycle: "spot" });
  ec2.seedForeignInstance(subnetId, image, { type: "g6.xlarge" });
  account.quota("L-1216C47A", 6);
  await validate(account, {});
  account.quota("L-1216C47A", 2);
  await validate(account, { workers: { count: 8, instanceType: "g6.xlarge" } });
  ec2.seedForeignInstance(subnetId, image);
  await assert.rejects(validate(account, {}), /need 6 vCPUs; 2 of 2 are in use/);
});

test("of an instance type's letters the family tells whose vCPUs it takes", () => {
  const standard = [
    "a1.large",
    "c7i.large",
    "d3en.xlarge",
    "h1.2xlarge",
    "i4i.large",
    "im4gn.large",
    "is4gen.large",
    "m7i-flex.large",
  ];
  for (const type of [...standard, "r7iz.large", "t4g.large", "z1d.large"]) assert.ok(isStandard(type), type);
  const others = ["dl1.24xlarge", "f1.2xlarge", "g6.xlarge", "gr6.4xlarge", "hpc7g.4xlarge", "inf2.xlarge", "mac2.metal"];
  for (const type of [...others, "p5.48xlarge", "trn1.2xlarge", "u-6tb1.56xlarge", "vt1.3xlarge", "x2iedn.xlarge"])
    assert.ok(!isStandard(type), type);
});

test("a trusted owner's image is refused until this account has tagged it, and the refusal gives the command", async () => {
  const account = new VirtualAccount({ seed: 1 });
  const trusting = { trustedImageOwners: ["444455556666"] };
  account.image({ owner: "444455556666" });
  await assert.rejects(validate(account, {}, trusting), ({ message }: Error) => {
    assert.match(
      message,
      /is shared.*tag it in this account, `aws ec2 create-tags --resources ami-0123456789abcdef0 --tags Key=/,
    );
    assert.equal(message.split("\n").filter((line) => line.startsWith("- ")).length, 1, message);
    return true;
  });
  const Tags = Object.entries({ kubernetes: "1.36.3", containerd: "2.3.4", agent: "3.3.3050.0" });
  const { door, universe } = account.world;
  const input = { Resources: ["ami-0123456789abcdef0"], Tags: Tags.map(([key, Value]) => ({ Key: `cloister:${key}`, Value })) };
  await universe.clock.run(door.send("ec2", "CreateTags", input, { kind: "harness" }));
  await validate(account, {}, trusting);
});
