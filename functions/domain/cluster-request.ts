import * as z from "zod";
import { BundleAddress, ClusterName, ImageId } from "./ids.ts";
import { BundleLine, ImageLine, lineFolders } from "./lines.ts";

const Cidr = z.cidrv4();
const InstanceType = z.string().regex(/^[a-z0-9-]{2,20}\.[a-z0-9-]{2,20}$/, "an EC2 instance type such as m7i.large");
const NodeSize = { instanceType: InstanceType.default("m7i.large") };
const hasLetterOrDigit = /[A-Za-z0-9]/;

/**
 * What a person, a ticket or an event asks for. Strict: an unknown field is refused. Every default is written here and nowhere else,
 * so the parsed request has every field; only the two `images` may be null, which means "from the deployment's own line".
 */
export const ClusterRequest = z.strictObject({
  name: ClusterName,
  kubernetesVersion: z
    .string()
    .regex(/^1\.\d{1,3}\.\d{1,3}$/, "a full version such as 1.36.3")
    .default("1.36.3"),
  network: z
    .strictObject({
      vpcCidr: Cidr.default("10.40.0.0/16"),
      podCidr: Cidr.default("192.168.0.0/16"),
      serviceCidr: Cidr.default("10.96.0.0/12"),
      zones: z.int().min(1).max(3).default(2),
      publicSubnets: z.boolean().default(false),
    })
    .prefault({}),
  controlPlane: z
    .strictObject({ count: z.int().min(1).max(5).default(1), ...NodeSize, volumeGiB: z.int().min(30).max(1024).default(40) })
    .prefault({}),
  workers: z
    .strictObject({ count: z.int().min(1).max(1000).default(2), ...NodeSize, volumeGiB: z.int().min(30).max(4096).default(60) })
    .prefault({}),
  images: z
    .strictObject({
      ami: z
        .union([ImageId, ImageLine], `an AMI's id, or the parameter that holds one: ${lineFolders.image} and a word`)
        .nullable()
        .default(null),
      bundle: z
        .union(
          [BundleAddress, BundleLine],
          `s3://bucket/prefix/bundle.json, or the parameter that holds one: ${lineFolders.bundle} and a word`,
        )
        .nullable()
        .default(null),
    })
    .prefault({}),
  cni: z.enum(["calico", "manifests"]).default("calico"),
  storage: z
    .strictObject({
      driver: z.enum(["ebs-csi", "none"]).default("ebs-csi"),
      onDestroy: z.enum(["delete", "retain"]).default("delete"),
    })
    .prefault({}),
  verify: z.strictObject({ volume: z.boolean().default(true), loadBalancer: z.boolean().default(false) }).prefault({}),
  onFailure: z.enum(["rollback", "keep"]).default("rollback"),
  keepHours: z.int().min(1).max(720).default(24),
  protected: z.boolean().default(false),
  rebuild: z
    .strictObject({
      on: z
        .array(z.enum(["schedule", "image", "event"]))
        .max(3)
        .default([]),
      strategy: z.enum(["beside", "replace"]).default("beside"),
      graceHours: z.int().min(0).max(720).default(24),
    })
    .prefault({}),
  tags: z
    .record(z.string().min(1).max(128).regex(hasLetterOrDigit), z.string().max(256))
    .refine((tags) => Object.keys(tags).length <= 20, "at most 20 tags")
    .refine((tags) => !Object.keys(tags).some((key) => /^(aws:|cloister:|kubernetes\.io\/|KubernetesCluster$)/i.test(key)), {
      message: "keys that begin with aws:, cloister: or kubernetes.io/ are reserved",
    })
    .default({}),
});
export type ClusterRequest = z.infer<typeof ClusterRequest>;
