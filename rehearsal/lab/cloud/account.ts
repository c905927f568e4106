import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import type { Aws } from "../../../functions/aws/aws.ts";
import { Bundle } from "../../../functions/domain/bundle.ts";
import { account, deployment, region } from "./aws.ts";

export const bundles = "cloister-bundles";
const imageId = "ami-0c1015700000001ab";

/** What is on the lab's node image, as its tags say it. */
export interface ImageTags {
  readonly kubernetes: string;
  readonly containerd: string;
  readonly agent: string;
}

/** moto's file of images: the one that the lab's hosts are made from. */
export function writeImages(file: string, { kubernetes, containerd, agent }: ImageTags): void {
  const image = {
    ami_id: imageId,
    name: "cloister-node",
    description: "The lab's node",
    owner_id: account,
    public: false,
    virtualization_type: "hvm",
    architecture: "x86_64",
    state: "available",
    platform: null,
    image_type: "machine",
    image_location: "lab/cloister-node",
    hypervisor: "xen",
    root_device_type: "ebs",
    root_device_name: "/dev/xvda",
    sriov: "simple",
    tags: { "cloister:kubernetes": kubernetes, "cloister:containerd": containerd, "cloister:agent": agent },
  };
  writeFileSync(file, JSON.stringify([image]));
}

/** Buckets, bundle and parameters, as the stack and its operator leave them. The archives stay where they are; gives their keys' prefix. */
export async function furnish({ s3, ssm }: Pick<Aws, "s3" | "ssm">, folder: string): Promise<string> {
  const CreateBucketConfiguration = { LocationConstraint: region } as const;
  for (const Bucket of [deployment.bucket, bundles])
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
  const text = readFileSync(join(folder, "bundle.json"), "utf8");
  const bundle = Bundle.parse(JSON.parse(text));
  const prefix = `${bundle.kubernetes}/`;
  const put = (key: string, Body: Buffer | string) =>
    s3.send(new PutObjectCommand({ Bucket: bundles, Key: `${prefix}${key}`, Body }));
  for (const { key } of bundle.manifests) await put(key, readFileSync(join(folder, key)));
  await put("bundle.json", text);
  const values = [
    [deployment.defaultImageParameter, imageId],
    [deployment.defaultBundleParameter, `s3://${bundles}/${prefix}bundle.json`],
  ] as const;
  for (const [Name, Value] of values) await ssm.send(new PutParameterCommand({ Name, Value, Type: "String" }));
  return prefix;
}
