import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { documents } from "../../functions/domain/documents.ts";

/** A value of each parameter that its pattern takes. */
const samples: Readonly<Record<string, string>> = {
  fence: "7",
  region: "us-gov-west-1",
  bucket: "bundles.of-ours",
  bundleKey: "1.36.3/bundle.json",
  bundleSha256: "0123456789abcdef".repeat(4),
  hosts: "ssm.us-west-2.amazonaws.com,ec2.us-west-2.amazonaws.com",
  subnets: "10.40.0.0/24,10.40.1.0/24",
  role: "worker",
  kubernetesVersion: "1.36.3",
  clusterName: "orchid-g1",
  apiEndpoint: "ip-10-40-0-10.us-west-2.compute.internal:6443",
  address: "10.40.0.10",
  podCidr: "192.168.0.0/16",
  serviceCidr: "10.96.0.0/12",
  joinParameter: "/cloister/orchid/g1/join",
  kubeconfigParameter: "/cloister/orchid/g1/kubeconfig",
  certificates: "true",
  caCertHash: `sha256:${"0123456789abcdef".repeat(4)}`,
  set: "storage",
  cni: "calico",
  publicLoadBalancers: "false",
  ccmImage: "registry.k8s.io/provider-aws/cloud-controller-manager:v1.36.1",
  ebsCsiImage: "public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver:v1.64.0",
  provisionerImage: "registry.k8s.io/sig-storage/csi-provisioner:v6.0.0",
  attacherImage: "registry.k8s.io/sig-storage/csi-attacher:v4.10.0",
  resizerImage: "none",
  registrarImage: "registry.k8s.io/sig-storage/csi-node-driver-registrar:v2.15.0",
  controlPlanes: "3",
  workers: "500",
  volume: "true",
  volumes: "retain",
  loadBalancer: "false",
  smokeImage: "registry.k8s.io/e2e-test-images/busybox:1.36",
  vpcCidr: "10.40.0.0/16",
};

/** Whatever a shell reads as more than a letter, and what SSM itself would fill in. */
const metacharacters = [
  ..." \t\n\r;&|<>()$`\\\"'*?[]{}~#!^%+@\0",
  "$(id)",
  "`id`",
  `\${HOME}`,
  "; id",
  "&& id",
  "| id",
  "\nid",
  "{{ fence }}",
];

for (const [document, { parameters }] of Object.entries(documents)) {
  describe(document, () => {
    for (const [parameter, pattern] of Object.entries<RegExp>(parameters)) {
      test(`${parameter} takes what it is for, and no shell metacharacter at either end or inside`, () => {
        const sample = samples[parameter] ?? assert.fail(`no sample of ${parameter}`);
        assert.match(sample, pattern);
        for (const character of metacharacters) {
          const inside = `${sample.slice(0, 1)}${character}${sample.slice(1)}`;
          for (const value of [character, `${character}${sample}`, `${sample}${character}`, inside])
            assert.doesNotMatch(value, pattern, JSON.stringify(value));
        }
      });

      test(`${parameter} is neither empty nor without end`, () => {
        assert.doesNotMatch("", pattern);
        assert.doesNotMatch((samples[parameter] ?? "").repeat(200), pattern);
      });
    }
  });
}
