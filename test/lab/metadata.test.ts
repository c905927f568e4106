import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { accessKeyOf, type Identity, metadata } from "../../rehearsal/lab/network/metadata.ts";
import { instance } from "./vpc.ts";

const identity: Identity = {
  instance: instance({}),
  userData: "#cloud-boothook\ntrue\n",
  vpcId: "vpc-1",
  region: "us-west-2",
  account: "123456789012",
};
const now = new Date("2026-11-24T00:00:00Z");
const token = metadata(identity, "PUT", "/latest/api/token", undefined, now).body;
const get = (path: string, given: string | undefined = token) => metadata(identity, "GET", `/latest/${path}`, given, now);

describe("instance metadata", () => {
  test("nothing is told without the instance's own token", () => {
    const other = { ...identity, instance: instance({ instanceId: "i-0000000000000000b" }) };
    const foreign = metadata(other, "PUT", "/latest/api/token", undefined, now).body;
    for (const given of [undefined, "", foreign])
      assert.equal(metadata(identity, "GET", "/latest/meta-data/instance-id", given, now).status, 401);
    assert.equal(get("meta-data/instance-id").body, identity.instance.instanceId);
  });

  test("the role's credentials name the instance, and hold for hours", () => {
    assert.equal(get("meta-data/iam/security-credentials/").body, "node");
    const credentials = JSON.parse(get("meta-data/iam/security-credentials/node").body) as Record<string, string>;
    assert.equal(credentials["AccessKeyId"], accessKeyOf(identity.instance.instanceId));
    assert.equal(credentials["Expiration"], "2026-11-24T06:00:00.000Z");
  });

  test("user data is given as it was launched with, and what is not known is not found", () => {
    assert.equal(get("user-data").body, identity.userData);
    assert.equal(get("meta-data/public-ipv4").status, 404);
    assert.equal(metadata(identity, "DELETE", "/latest/user-data", token, now).status, 405);
  });
});
