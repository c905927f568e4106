import type { InstanceState, VpcState } from "../../rehearsal/lab/network/state.ts";

/** An instance as the account shows it, with what a test says of it. */
export const instance = (change: Partial<InstanceState>): InstanceState => ({
  instanceId: "i-0000000000000000a",
  name: "ip-10-40-0-10.us-west-2.compute.internal",
  address: "10.40.0.10",
  subnetId: "subnet-a",
  zone: "us-west-2a",
  type: "m5.large",
  imageId: "ami-1",
  mac: "02:00:00:00:00:01",
  profile: "node",
  publicAddress: null,
  groupIds: ["sg-node"],
  tags: new Map(),
  ...change,
});

/** A VPC with one subnet, one group and one host. */
export const vpc = (change: Partial<VpcState>): VpcState => ({
  vpcId: "vpc-1",
  cidr: "10.40.0.0/16",
  subnets: [{ subnetId: "subnet-a", cidr: "10.40.0.0/17", routes: [] }],
  groups: [{ groupId: "sg-node", ingress: [], egress: [] }],
  instances: [instance({})],
  endpoints: [],
  balancers: [],
  prefixLists: new Map(),
  ...change,
});
