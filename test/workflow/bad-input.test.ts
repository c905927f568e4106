import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { rehearse } from "../../rehearsal/rehearse.ts";
import type { VirtualAccount } from "../../rehearsal/virtual-account.ts";

interface Case {
  readonly what: string;
  readonly request: unknown;
  /** The field and the words by which the caller learns what is wrong; each must be in the one answer. */
  readonly problems: readonly (readonly [string, RegExp])[];
  readonly prepare?: (account: VirtualAccount) => void;
}

const orchid = { name: "orchid" };

const cases: readonly Case[] = [
  { what: "no object", request: "orchid", problems: [["request", /must be a JSON object/]] },
  { what: "no name", request: {}, problems: [["name", /expected string/]] },
  { what: "an unknown field", request: { ...orchid, colour: "red" }, problems: [["colour", /unknown field/]] },
  {
    what: "an unknown field inside",
    request: { ...orchid, network: { zone: 2 } },
    problems: [["network.zone", /unknown field/]],
  },
  { what: "a name in capitals", request: { name: "Orchid" }, problems: [["name", /3 to 20/]] },
  { what: "a name of two letters", request: { name: "or" }, problems: [["name", /3 to 20/]] },
  { what: "a name with a shell in it", request: { name: "a$(id)b" }, problems: [["name", /3 to 20/]] },
  {
    what: "a VPC inside the service network",
    request: { ...orchid, network: { vpcCidr: "10.111.0.0/16" } },
    problems: [["network.serviceCidr", /10\.111\.255\.255\) overlaps network\.vpcCidr/]],
  },
  {
    what: "a pod network inside the VPC",
    request: { ...orchid, network: { podCidr: "10.40.0.0/17" } },
    problems: [["network.podCidr", /overlaps network\.vpcCidr/]],
  },
  {
    what: "a VPC too small for its zones",
    request: { ...orchid, network: { vpcCidr: "10.40.0.0/28", zones: 3 } },
    problems: [["network.vpcCidr", /too small/]],
  },
  {
    what: "two control planes",
    request: { ...orchid, controlPlane: { count: 2 } },
    problems: [["controlPlane.count", /2 is even/]],
  },
  {
    what: "a version nobody supports",
    request: { ...orchid, kubernetesVersion: "1.22.0" },
    problems: [["kubernetesVersion", /1\.22\.0 is not supported; supported are 1\.35\.\d+, 1\.36\.\d+, 1\.37\.\d+/]],
  },
  {
    what: "an image that does not exist",
    request: { ...orchid, images: { ami: "ami-00000000000000000" } },
    problems: [["images.ami", /ami-00000000000000000 is not found/]],
  },
  {
    what: "parameters that are no lines",
    request: { ...orchid, images: { ami: "/cloister/orchid/g1/kubeconfig", bundle: "/cloister/_ami/default" } },
    problems: [
      ["images.ami", /an AMI's id, or the parameter that holds one: \/cloister\/_ami\/ and a word/],
      ["images.bundle", /bundle\.json, or the parameter that holds one: \/cloister\/_bundle\/ and a word/],
    ],
  },
  {
    what: "lines without their word, or with more than one",
    request: { ...orchid, images: { ami: "/cloister/_ami/", bundle: "/cloister/_bundle/a/b" } },
    problems: [
      ["images.ami", /and a word/],
      ["images.bundle", /and a word/],
    ],
  },
  {
    what: "lines that are not there",
    request: { ...orchid, images: { ami: "/cloister/_ami/gpu", bundle: "/cloister/_bundle/gpu" } },
    problems: [
      ["images.ami", /there is no parameter \/cloister\/_ami\/gpu/],
      ["images.bundle", /there is no parameter \/cloister\/_bundle\/gpu/],
    ],
  },
  {
    what: "no image where the deployment has none",
    request: orchid,
    problems: [
      ["images.ami", /there is no parameter \/cloister\/_ami\/default/],
      ["images.bundle", /there is no parameter \/cloister\/_bundle\/default/],
    ],
    prepare: ({ world, deployment }) => {
      for (const line of [deployment.defaultImageParameter, deployment.defaultBundleParameter])
        world.ssm.parameters.operations["DeleteParameter"]?.run({ Name: line } as never, { kind: "harness" });
    },
  },
  {
    what: "lines that hold something else",
    request: { ...orchid, images: { ami: "/cloister/_ami/gpu" } },
    problems: [
      ["images.ami", /\/cloister\/_ami\/gpu does not hold an AMI's id$/],
      ["images.bundle", /\/cloister\/_bundle\/default does not hold a bundle's address$/],
    ],
    prepare: ({ world, deployment }) => {
      world.ssm.parameters.seed("/cloister/_ami/gpu", "latest");
      world.ssm.parameters.seed(deployment.defaultBundleParameter, "https://bundles.example.com/bundle.json");
    },
  },
  {
    what: "a rebuild by new images beside an image that is fixed",
    request: { ...orchid, images: { ami: "ami-0123456789abcdef0" }, rebuild: { on: ["image"] } },
    problems: [["rebuild.on", /"image" has no effect beside a fixed images\.ami/]],
  },
  {
    what: "an image of another architecture",
    request: orchid,
    problems: [["images.ami", /is arm64, controlPlane\.instanceType m7i\.large is x86_64/]],
    prepare: (account) => account.image({ architecture: "arm64" }),
  },
  {
    what: "an image of somebody we do not trust",
    request: orchid,
    problems: [["images.ami", /belongs to 999999999999/]],
    prepare: (account) => account.image({ owner: "999999999999" }),
  },
  {
    what: "an image with an old agent and containerd 1",
    request: orchid,
    problems: [
      ["images.ami", /SSM agent 3\.3\.40\.0/],
      ["images.ami", /containerd 1\.7\.34/],
    ],
    prepare: (account) => account.image({ tags: { "cloister:agent": "3.3.40.0", "cloister:containerd": "1.7.34" } }),
  },
  {
    what: "a bundle that is not there",
    request: { ...orchid, images: { bundle: "s3://cloister-bundles/none/bundle.json" } },
    problems: [["images.bundle", /is not found/]],
  },
  {
    what: "a bundle for another version",
    request: orchid,
    problems: [["images.bundle", /1\.35/]],
    prepare: (account) => account.bundle((bundle) => ({ ...bundle, kubernetes: "1.35.7" })),
  },
  {
    what: "a bundle without the network plugin's image",
    request: orchid,
    problems: [["images.bundle", /calico\/node/]],
    prepare: (account) =>
      account.bundle((bundle) => ({
        ...bundle,
        files: bundle.files.filter(({ refs }) => !refs.some((ref) => ref.includes("calico/node"))),
      })),
  },
  {
    what: "a Calico manifest that does not encapsulate always",
    request: orchid,
    problems: [["images.bundle", /VXLAN/]],
    prepare: (account) => account.calicoManifest((text) => text.replaceAll("Always", "CrossSubnet")),
  },
  {
    what: "an instance type that no zone offers",
    request: { ...orchid, workers: { instanceType: "x99.huge" } },
    problems: [["workers.instanceType", /x99\.huge does not exist/]],
  },
  {
    what: "too few zones with the instance type",
    request: { ...orchid, network: { zones: 3 } },
    problems: [["network.zones", /only us-west-2a, us-west-2b do/]],
    prepare: (account) => account.withdraw("m7i.large", "us-west-2c"),
  },
  {
    what: "no room for another VPC",
    request: orchid,
    problems: [["network", /of 1 VPCs \(quota L-F678F1CE\)/]],
    prepare: (account) => account.quota("L-F678F1CE", 1),
  },
  {
    what: "too few virtual CPUs",
    request: { ...orchid, workers: { count: 50 } },
    problems: [["workers.count", /need 102 vCPUs/]],
    prepare: (account) => account.quota("L-1216C47A", 64),
  },
  {
    what: "five mistakes at once",
    request: {
      name: "Orchid",
      colour: 1,
      controlPlane: { count: 2 },
      kubernetesVersion: "1.22.0",
      images: { ami: "ami-00000000000000000" },
    },
    problems: [
      ["name", /3 to 20/],
      ["colour", /unknown field/],
      ["controlPlane.count", /even/],
      ["kubernetesVersion", /not supported/],
      ["images.ami", /not found/],
    ],
  },
];

describe("a request that cannot be built", () => {
  for (const { what, request, problems, prepare } of cases) {
    test(`${what} is refused with its field, and nothing is created`, async () => {
      const result = await rehearse({ request, seed: 1, ...(prepare && { prepare }) });
      assert.equal(result.status, "refused", JSON.stringify(result.error));
      assert.equal(result.error?.name, "InvalidRequestError");
      const lines = (result.error?.cause ?? "").split("\n");
      for (const [path, words] of problems) {
        const line = lines.find((candidate) => candidate.startsWith(`- ${path}:`) && words.test(candidate));
        assert.ok(line !== undefined, `no line "- ${path}: ${words.source}" in:\n${lines.join("\n")}`);
      }
      assert.deepEqual(
        result.callRecords.filter(({ mutates }) => mutates),
        [],
      );
      assert.deepEqual(result.inventory.after, result.inventory.before);
    });
  }
});
