import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { securityGroupPlans } from "../../functions/domain/security-groups.ts";

const vpc = "10.40.0.0/16";
/** `controlPlane < worker tcp 6443-6443`, `worker > pl s3 tcp 443-443` */
const lines = (isHighlyAvailable: boolean): string[] =>
  securityGroupPlans(vpc, isHighlyAvailable).flatMap(({ name, rules }) =>
    rules.map(({ direction, protocol, from, to, peer }) =>
      [name, direction === "ingress" ? "<" : ">", Object.values(peer)[0], protocol, `${from}-${to}`].join(" "),
    ),
  );

describe("the security groups", () => {
  test("only the rule-less group carries the cloud provider's tag", () => {
    const tagged = securityGroupPlans(vpc, true).filter(({ forCloudProvider }) => forCloudProvider);
    assert.deepEqual(
      tagged.map(({ name, rules }) => [name, rules]),
      [["loadBalancer", []]],
    );
  });

  test("no rule leads out of the VPC but S3's list", () => {
    const out = [...new Set(lines(true).filter((line) => line.includes(" > ")))];
    assert.ok(out.length >= 5);
    for (const line of out) assert.match(line, / > (10\.40\.0\.0\/16 all -1--1|s3 tcp 443-443|controlPlane tcp 6443-6443)$/);
  });

  test("nodes reach each other's overlay in both directions between both roles", () => {
    const overlay = lines(false).filter((line) => line.endsWith("udp 4789-4789"));
    assert.deepEqual(overlay.sort(), [
      "controlPlane < controlPlane udp 4789-4789",
      "controlPlane < worker udp 4789-4789",
      "worker < controlPlane udp 4789-4789",
      "worker < worker udp 4789-4789",
    ]);
  });

  test("etcd takes calls from control planes alone", () => {
    assert.deepEqual(
      lines(true).filter((line) => line.endsWith("2379-2380")),
      ["controlPlane < controlPlane tcp 2379-2380"],
    );
  });

  test("a load balancer before the API brings its group, and the control planes take its calls", () => {
    assert.ok(!lines(false).some((line) => line.includes("api")));
    assert.ok(lines(true).includes("controlPlane < api tcp 6443-6443"));
    assert.ok(lines(true).includes("api < worker tcp 6443-6443"));
  });

  test("no NodePort is open before a Service asks for it", () => {
    const ports = lines(true).map((line) => Number(line.split("-").at(-1)));
    assert.ok(ports.length > 10);
    assert.ok(ports.every((port) => port < 30_000));
  });
});
