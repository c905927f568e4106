import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import type { AccountView } from "../../functions/domain/account-view.ts";
import { certify, type Evidence, type NodeProbe } from "../../functions/domain/certificate.ts";
import { isolated } from "./built.ts";

const failedOf = (evidence: Evidence): string[] =>
  certify(evidence)
    .checks.filter(({ passed }) => !passed)
    .map(({ name }) => name);

const seeing = (change: (view: AccountView) => Partial<AccountView>): Evidence => {
  const evidence = isolated();
  return { ...evidence, view: { ...evidence.view, ...change(evidence.view) } };
};

const ruling = (rules: Partial<AccountView["groups"][number]>): Evidence =>
  seeing((view) => ({ groups: view.groups.map((group) => ({ ...group, ...rules })) }));

const probing = (change: Partial<NodeProbe>): Evidence => {
  const evidence = isolated();
  return { ...evidence, probes: evidence.probes.map((probe, index) => (index === 1 ? { ...probe, ...change } : probe)) };
};

const anyPrincipal = JSON.stringify({ Statement: [{ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }] });

describe("the certificate of isolation", () => {
  test("a cluster without a way out is certified, with what nobody looked at", () => {
    const certificate = certify(isolated());
    assert.deepEqual(
      certificate.checks.filter(({ passed }) => !passed),
      [],
    );
    assert.equal(certificate.isolated, true);
    assert.ok(certificate.checks.length >= 12);
    assert.match(certificate.notVerified.join(), /DNS tunnelling/);
  });

  const spoiled: readonly (readonly [string, Evidence, readonly string[]])[] = [
    [
      "a default route in the nodes' table",
      seeing((view) => ({
        routeTables: view.routeTables.map((table) =>
          table.isMain ? table : { ...table, routes: [...table.routes, { destination: "0.0.0.0/0", target: "igw-1" }] },
        ),
      })),
      ["routes-stay-inside"],
    ],
    [
      "a subnet that fell back to a main table with a way out",
      seeing(() => ({
        routeTables: [
          { routeTableId: "rtb-main", isMain: true, subnetIds: [], routes: [{ destination: "::/0", target: "eigw-1" }] },
        ],
      })),
      ["routes-stay-inside"],
    ],
    ["no route table to look at", seeing(() => ({ routeTables: [] })), ["routes-stay-inside"]],
    ["a peering", seeing((view) => ({ waysOut: { ...view.waysOut, peerings: ["pcx-1"] } })), ["no-ways-out"]],
    [
      "a transit attachment",
      seeing((view) => ({ waysOut: { ...view.waysOut, transitAttachments: ["tgw-1"] } })),
      ["no-ways-out"],
    ],
    [
      "an internet gateway that nobody asked for",
      seeing((view) => ({ waysOut: { ...view.waysOut, internetGateways: ["igw-1"] } })),
      ["no-ways-out"],
    ],
    [
      "a public address on a node",
      seeing((view) => ({ interfaces: view.interfaces.map((one) => ({ ...one, publicAddresses: ["203.0.113.9"] })) })),
      ["no-public-addresses"],
    ],
    ["an IPv6 block on the VPC", seeing(() => ({ addresses6: ["2001:db8::/56"] })), ["no-public-addresses"]],
    [
      "a group of nodes that lets everything out",
      ruling({ egress: [{ traffic: "all traffic", peer: "0.0.0.0/0" }] }),
      ["security-groups-let-nothing-out"],
    ],
    ...["0.0.0.0/0", "::/0", "10.40.0.0/15", "203.0.113.0/24", "pl-0123", "sg-of-another-vpc"].map(
      (peer): readonly [string, Evidence, readonly string[]] => [
        `a group of nodes that lets ${peer} in`,
        ruling({ ingress: [{ traffic: "tcp 22", peer }] }),
        ["security-groups-let-nobody-in"],
      ],
    ),
    [
      "a group of nodes that nobody can read",
      seeing(() => ({ groups: [] })),
      ["security-groups-let-nothing-out", "security-groups-let-nobody-in"],
    ],
    ["a missing endpoint", seeing((view) => ({ endpoints: view.endpoints.slice(1) })), ["endpoints-in-place"]],
    [
      "an endpoint policy that admits any principal",
      seeing((view) => ({
        endpoints: view.endpoints.map((one, index) => (index === 0 ? { ...one, policy: anyPrincipal } : one)),
      })),
      ["endpoints-admit-own-account-only", "endpoint-policies-as-planned"],
    ],
    [
      "an endpoint without any policy",
      seeing((view) => ({ endpoints: view.endpoints.map((one) => ({ ...one, policy: "" })) })),
      ["endpoints-admit-own-account-only", "endpoint-policies-as-planned"],
    ],
    [
      "hop limit 2",
      seeing((view) => ({ instances: view.instances.map((one, index) => (index === 0 ? { ...one, hopLimit: 2 } : one)) })),
      ["instance-metadata-is-the-nodes-own"],
    ],
    ["a node that got out", probing({ egressBlocked: false }), ["nodes-cannot-get-out"]],
    ["a name that answered from outside", probing({ namesAnswer: false }), ["names-answer-inside"]],
    ["metadata without a token", probing({ metadataTokenRequired: false }), ["metadata-refuses-without-token"]],
    ["a node that was not probed", { ...isolated(), probes: isolated().probes.slice(1) }, ["every-node-probed"]],
    ["a join parameter that is left", { ...isolated(), parameters: ["/cloister/orchid/g3/join"] }, ["join-secret-is-gone"]],
  ];
  for (const [what, evidence, names] of spoiled) {
    test(`${what} is named by ${names.join(" and ")}, and by no other check`, () => {
      assert.deepEqual(failedOf(evidence), names);
      assert.equal(certify(evidence).isolated, false);
    });
  }

  test("the evidence of hop limit 2 names the instance", () => {
    const [instance] = isolated().view.instances;
    assert.ok(instance);
    const { checks } = certify(seeing(() => ({ instances: [{ ...instance, hopLimit: 2 }] })));
    const found = checks.find(({ name }) => name === "instance-metadata-is-the-nodes-own");
    assert.match(found?.evidence ?? "", /i-00000000000000001 has hop limit 2/);
  });

  test("the evidence of an open group names it, its ports and who is let in", () => {
    const { checks } = certify(ruling({ ingress: [{ traffic: "tcp 30000-32767", peer: "0.0.0.0/0" }] }));
    const found = checks.find(({ name }) => name === "security-groups-let-nobody-in");
    assert.equal(found?.evidence, "sg-nodes lets tcp 30000-32767 in from 0.0.0.0/0");
  });

  test("a thousand offenders are counted, not listed", () => {
    const groups = Array.from({ length: 1000 }, (_, index) => ({
      groupId: `sg-${index}`,
      ingress: [],
      egress: [{ traffic: "all traffic", peer: "0.0.0.0/0" }],
    }));
    const evidence = seeing((view) => ({
      groups,
      instances: view.instances.map((one) => ({ ...one, groupIds: groups.map(({ groupId }) => groupId) })),
    }));
    const found = certify(evidence).checks.find(({ name }) => name === "security-groups-let-nothing-out");
    assert.match(found?.evidence ?? "", /and 990 more$/);
  });

  test("the images are the nodes', each once, whatever the plan says by now", () => {
    const planned = isolated().plan.image.id;
    assert.deepEqual(certify(isolated()).images, [planned]);
    const mixed = seeing(({ instances: [first, ...others] }) => ({
      instances: [{ ...(first ?? assert.fail()), imageId: "ami-0000000000000000a" }, ...others],
    }));
    assert.deepEqual(certify(mixed).images, ["ami-0000000000000000a", planned]);
  });

  test("what an image changes is in the certificate", () => {
    assert.deepEqual(certify(probing({ concessions: ["kubeadm.args"] })).concessions, ["kubeadm.args"]);
  });
});
