import * as z from "zod";
import { ImageId, Sha256, ZoneName } from "./ids.ts";

const Cidr = z.cidrv4();
const Address = z.ipv4();

/** One availability zone: its subnets, and how many workers belong there. */
export const ZonePlan = z.strictObject({
  zone: ZoneName,
  privateCidr: Cidr,
  publicCidr: Cidr.nullable(),
  workers: z.int().min(0).max(1000),
});
export type ZonePlan = z.infer<typeof ZonePlan>;

/** A control plane's address is chosen before its instance exists, so that its name and the join endpoint are known (facts 2.5). */
export const ControlPlanePlan = z.strictObject({ zone: ZoneName, address: Address, nodeName: z.string().max(120) });
export type ControlPlanePlan = z.infer<typeof ControlPlanePlan>;

/**
 * The whole build as data, made by validate-request from the request and a read-only look at the account; `$.plan` in the state.
 * It names no generation (that comes with the lock) and nothing in it grows with the number of workers.
 */
export const Plan = z.strictObject({
  region: z.string().regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/),
  account: z.string().regex(/^\d{12}$/),
  vpcCidr: Cidr,
  zones: z.array(ZonePlan).min(1).max(3),
  controlPlanes: z.array(ControlPlanePlan).min(1).max(5),
  /** `<first control plane's name>:6443` for one control plane; null when a load balancer stands in front of them. */
  apiEndpoint: z.string().max(300).nullable(),
  /** Short service names of the interface endpoints: ec2, elasticloadbalancing, ssm, ssmmessages. S3's gateway is always there. */
  interfaceEndpoints: z
    .array(z.string().regex(/^[a-z0-9.-]{2,40}$/))
    .min(1)
    .max(12),
  image: z.strictObject({ id: ImageId, architecture: z.enum(["amd64", "arm64"]), rootDeviceName: z.string().max(40) }),
  bundle: z.strictObject({ bucket: z.string().max(63), key: z.string().max(500), sha256: Sha256 }),
});
export type Plan = z.infer<typeof Plan>;
