import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { type Census, censusKinds, describeCensus, deviations, plannedCounts } from "../../functions/domain/census.ts";
import { ClusterRequest } from "../../functions/domain/cluster-request.ts";
import { Plan } from "../../functions/domain/plan.ts";

const plan = (apiEndpoint: string | null): Plan =>
  Plan.parse({
    region: "us-west-2",
    account: "111122223333",
    vpcCidr: "10.40.0.0/16",
    zones: [
      { zone: "us-west-2a", privateCidr: "10.40.0.0/17", publicCidr: null, workers: 1 },
      { zone: "us-west-2b", privateCidr: "10.40.128.0/17", publicCidr: null, workers: 1 },
    ],
    controlPlanes: [{ zone: "us-west-2a", address: "10.40.0.10", nodeName: "ip-10-40-0-10.us-west-2.compute.internal" }],
    apiEndpoint,
    interfaceEndpoints: ["ec2", "elasticloadbalancing", "ssm", "ssmmessages"],
    image: { id: "ami-0123456789abcdef0", architecture: "amd64", rootDeviceName: "/dev/xvda" },
    bundle: { bucket: "bundles", key: "1.36.3/bundle.json", sha256: "0".repeat(64) },
  });
const single = plan("ip-10-40-0-10.us-west-2.compute.internal:6443");
const request = ClusterRequest.parse({ name: "orchid" });
const census = (counts: Partial<Record<string, number>>): Census =>
  Object.fromEntries(
    censusKinds.map((kind) => [kind, Array.from({ length: counts[kind] ?? 0 }, (_, index) => `${kind}-${index}`)]),
  ) as unknown as Census;

describe("the census", () => {
  test("a generation that is exactly the plan has no deviation", () => {
    assert.deepEqual(deviations(plannedCounts(request, single), census(plannedCounts(request, single))), []);
  });

  test("a second VPC and a missing instance are both named", () => {
    const found = { ...plannedCounts(request, single), vpc: 2, instance: 2 };
    assert.deepEqual(deviations(plannedCounts(request, single), census(found)), [
      "vpc: 1 planned, 2 found",
      "instance: 3 planned, 2 found",
    ]);
  });

  test("a load balancer in front of the API brings its own security group", () => {
    const [one, three] = [plannedCounts(request, single), plannedCounts(request, plan(null))];
    assert.deepEqual([one["load-balancer"], three["load-balancer"]], [0, 1]);
    assert.equal(three["security-group"] - one["security-group"], 1);
  });

  test("a thousand instances are named in a line that stays short", () => {
    const line = describeCensus(census({ instance: 1000 }));
    assert.match(line, /^1000 instance \(/);
    assert.ok(line.length < 400);
  });
});
