import * as z from "zod";
import { RouteTableId, SecurityGroupId, SubnetId, VpcId, ZoneName } from "./ids.ts";

/** What create-network made, `$.network` in the state. */
export const Network = z.strictObject({
  vpcId: VpcId,
  privateSubnets: z
    .array(z.strictObject({ zone: ZoneName, subnetId: SubnetId }))
    .min(1)
    .max(3),
  /** The one table of all private subnets: the S3 gateway's route goes in here. */
  privateRouteTableId: RouteTableId,
  securityGroups: z.strictObject({
    controlPlane: SecurityGroupId,
    worker: SecurityGroupId,
    loadBalancer: SecurityGroupId,
    endpoints: SecurityGroupId,
    /** Of the load balancer in front of the API; null with one control plane. */
    api: SecurityGroupId.nullable(),
  }),
});
export type Network = z.infer<typeof Network>;
