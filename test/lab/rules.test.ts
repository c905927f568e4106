import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { filterOf, resolverOf, s3Address } from "../../rehearsal/lab/network/rules.ts";
import type { RuleState } from "../../rehearsal/lab/network/state.ts";
import { instance, vpc } from "./vpc.ts";

const rule = (change: Partial<RuleState>): RuleState => ({
  protocol: "tcp",
  from: 443,
  to: 443,
  peer: "10.40.0.0/16",
  ...change,
});
const withRules = (direction: "ingress" | "egress", ...rules: RuleState[]) =>
  filterOf(vpc({ groups: [{ groupId: "sg-node", ingress: [], egress: [], [direction]: rules }] }), new Map());
/** The lines of one chain. */
const chain = (text: string, name: string): string[] =>
  (new RegExp(`chain ${name} \\{\\n([^}]*(?:\\{[^}]*\\}[^}]*)*?)\\n\\}`).exec(text)?.[1] ?? "").split("\n").filter(Boolean);

describe("the filter of a VPC", () => {
  test("a group without rules admits nothing and lets nothing out", () => {
    assert.deepEqual(chain(filterOf(vpc({}), new Map()), "judge"), ["meta mark set 0"]);
  });

  test("a packet needs its sender's mark and its receiver's", () => {
    const text = filterOf(vpc({}), new Map());
    assert.ok(chain(text, "forward").includes("ip saddr 10.40.0.0/16 ip daddr 10.40.0.0/16 meta mark 3 accept"));
    assert.match(
      withRules("ingress", rule({ peer: "sg-node", from: 6443, to: 6443 })),
      /ip daddr @sg_node ip saddr @sg_node tcp dport 6443 meta mark set meta mark \| 2/,
    );
    assert.match(
      withRules("egress", rule({})),
      /ip saddr @sg_node ip daddr 10\.40\.0\.0\/16 tcp dport 443 meta mark set meta mark \| 1/,
    );
  });

  test("a range, any protocol and ICMP's type and code are each written as nft has them", () => {
    const written = withRules(
      "ingress",
      rule({ from: 2379, to: 2380 }),
      rule({ protocol: "-1", from: -1, to: -1 }),
      rule({ protocol: "icmp", from: 3, to: 4 }),
    );
    assert.match(written, /tcp dport 2379-2380 /);
    assert.match(written, /ip saddr 10\.40\.0\.0\/16 {2}meta mark/);
    assert.match(written, /icmp type 3 icmp code 4 /);
  });

  test("a prefix list that is not known lets nothing through", () => {
    assert.deepEqual(chain(withRules("egress", rule({ peer: "pl-s3" })), "judge"), ["meta mark set 0"]);
  });

  test("S3 is reached only by a subnet whose table leads to a living gateway", () => {
    const routed = vpc({
      subnets: [{ subnetId: "subnet-a", cidr: "10.40.0.0/17", routes: [{ destination: "pl-s3", target: "vpce-s3" }] }],
      prefixLists: new Map([["pl-s3", ["52.216.0.0/15"]]]),
    });
    const way = /ip saddr 10\.40\.0\.0\/17 ip daddr \{ 52\.216\.0\.0\/15 \} meta mark & 1 == 1 accept/;
    assert.doesNotMatch(filterOf(routed, new Map()), way);
    const gateway = { endpointId: "vpce-s3", service: "s3", isGateway: true, privateNames: [], interfaces: [] };
    assert.match(filterOf({ ...routed, endpoints: [gateway] }, new Map()), way);
    assert.ok(s3Address.startsWith("52.216."), "S3's address lies in the list");
  });

  test("a route to an Internet gateway is a way out for those alone that have a public address", () => {
    const subnets = [{ subnetId: "subnet-a", cidr: "10.40.0.0/17", routes: [{ destination: "0.0.0.0/0", target: "igw-1" }] }];
    const way = /ip saddr \{ 10\.40\.0\.10 \} ip daddr 0\.0\.0\.0\/0 meta mark & 1 == 1 accept/;
    assert.doesNotMatch(filterOf(vpc({ subnets }), new Map()), way);
    assert.match(filterOf(vpc({ subnets, instances: [instance({ publicAddress: "203.0.113.9" })] }), new Map()), way);
  });

  test("a sender cannot use another's address", () => {
    const text = filterOf(vpc({}), new Map([["10.40.0.10", "h-a"]]));
    for (const name of ["forward", "input"])
      assert.ok(chain(text, name).includes("iifname h-a ip saddr != 10.40.0.10 drop"), name);
  });

  test("a load balancer without groups takes whoever may send to it, and its targets still ask", () => {
    const check = { protocol: "TCP", path: "/", intervalSeconds: 30, timeoutSeconds: 10, healthy: 5, unhealthy: 2 } as const;
    const listeners = [{ port: 80, targets: [], check }];
    const of = (groupIds: string[]) =>
      filterOf(
        vpc({ balancers: [{ name: "b", dnsName: "b.elb", addresses: [{ address: "10.40.127.215", groupIds }], listeners }] }),
        new Map(),
      );
    assert.ok(chain(of([]), "input").includes("ip daddr { 10.40.127.215 } meta mark & 1 == 1 accept"));
    assert.ok(chain(of([]), "output").includes("ip saddr { 10.40.127.215 } meta mark & 2 != 2 drop"));
    assert.ok(chain(of(["sg-node"]), "input").includes("ip daddr { 10.40.127.215 } meta mark 3 accept"));
  });

  test("the resolver is the VPC's third address", () => {
    assert.equal(resolverOf("10.40.0.0/16"), "10.40.0.2");
  });
});
