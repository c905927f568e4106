import * as z from "zod";

/** Ids as AWS writes them: a prefix and 8 or 17 hexadecimal digits. */
const awsId = <Prefix extends string>(prefix: Prefix) => z.string().regex(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`));

export const VpcId = awsId("vpc").brand<"VpcId">();
export type VpcId = z.infer<typeof VpcId>;
export const SubnetId = awsId("subnet").brand<"SubnetId">();
export type SubnetId = z.infer<typeof SubnetId>;
export const RouteTableId = awsId("rtb").brand<"RouteTableId">();
export type RouteTableId = z.infer<typeof RouteTableId>;
export const InternetGatewayId = awsId("igw").brand<"InternetGatewayId">();
export type InternetGatewayId = z.infer<typeof InternetGatewayId>;
export const SecurityGroupId = awsId("sg").brand<"SecurityGroupId">();
export type SecurityGroupId = z.infer<typeof SecurityGroupId>;
export const EndpointId = awsId("vpce").brand<"EndpointId">();
export type EndpointId = z.infer<typeof EndpointId>;
export const InstanceId = awsId("i").brand<"InstanceId">();
export type InstanceId = z.infer<typeof InstanceId>;
export const ImageId = awsId("ami").brand<"ImageId">();
export type ImageId = z.infer<typeof ImageId>;
export const CommandId = z.uuid().brand<"CommandId">();
export type CommandId = z.infer<typeof CommandId>;

/** `arn:aws:states:<region>:<account>:execution:<machine>:<name>` */
export const ExecutionArn = z
  .string()
  .max(256)
  .regex(/^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:execution:[\w-]{1,80}:[\w.-]{1,80}$/)
  .brand<"ExecutionArn">();
export type ExecutionArn = z.infer<typeof ExecutionArn>;

export const MachineArn = z
  .string()
  .max(256)
  .regex(/^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:stateMachine:[\w-]{1,80}$/)
  .brand<"MachineArn">();
export type MachineArn = z.infer<typeof MachineArn>;

/** A bundle's own file, beside which everything lies that it names. */
export const BundleAddress = z
  .string()
  .max(500)
  .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/[\w./-]+\/bundle\.json$/, "s3://bucket/prefix/bundle.json");

export const ClusterName = z
  .string()
  .regex(
    /^[a-z](?:[a-z0-9-]{1,18})[a-z0-9]$/,
    "3 to 20 of a-z, 0-9 and hyphen, beginning with a letter and not ending with a hyphen",
  )
  .brand<"ClusterName">();
export type ClusterName = z.infer<typeof ClusterName>;
export const Generation = z.int().min(1).max(9999);
export const LockNumber = z.int().min(1).max(999_999);
export const ZoneName = z.string().regex(/^[a-z]{2}(?:-[a-z]+)+-\d[a-z]$/);
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
export const Role = z.enum(["control-plane", "worker"]);
export type Role = z.infer<typeof Role>;
